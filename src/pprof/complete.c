/* complete.c - see complete.h. */
#include "pprof/complete.h"

#include "pprof/formats.h"
#include "pprof/vars.h"

struct search {
	struct ep_complete result;
	struct ep_slice word;
	void (*show)(void *ctx, struct ep_slice candidate);
	void *ctx;
};

static void add(struct search *s, struct ep_slice candidate)
{
	struct ep_slice *text = &s->result.text;
	if (s->result.n++ == 0)
		*text = candidate;
	size_t same = 0;
	while (same < text->n && same < candidate.n &&
	       text->p[same] == candidate.p[same])
		same++;
	text->n = same;
	if (s->show)
		s->show(s->ctx, candidate);
}

static void add_if_begins(struct search *s, const char *name)
{
	struct ep_slice n = ep_slice_of(name);
	if (n.n >= s->word.n && !memcmp(n.p, s->word.p, s->word.n))
		add(s, n);
}

static void add_names(struct search *s)
{
	static const char *const own[] = {"help", "options", "exit", "quit"};
	for (const struct ep_format *f = ep_formats_all(); f->name; f++)
		add_if_begins(s, f->name);
	for (const struct ep_vars_field *f = ep_vars_fields(); f->name; f++) {
		add_if_begins(s, f->name);
		for (const struct ep_vars_choice *c = f->choices; c && c->name; c++)
			add_if_begins(s, c->name);
	}
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		add_if_begins(s, own[i]);
}

static void add_functions(struct search *s, const struct ep_profile *p)
{
	for (uint32_t i = 0; s->word.n && i < p->n_functions; i++) {
		struct ep_slice name = p->strings[p->functions[i].name];
		if (memmem(name.p, name.n, s->word.p, s->word.n))
			add(s, name);
	}
	/* What names have in common may be less than the text they hold. */
	if (s->result.n > 1 && s->result.text.n < s->word.n)
		s->result.text = s->word;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The first word of a line, and whether the last one is another. */
static struct ep_slice first_word(struct ep_slice line)
{
	size_t at = 0, n = 0;
	while (at < line.n && is_blank(line.p[at]))
		at++;
	while (at + n < line.n && !is_blank(line.p[at + n]))
		n++;
	return (struct ep_slice){line.p + at, n};
}

struct ep_complete ep_complete_line(const struct ep_profile *p, struct ep_slice line,
				    void (*show)(void *ctx, struct ep_slice candidate),
				    void *ctx)
{
	size_t from = line.n;
	while (from && !is_blank(line.p[from - 1]))
		from--;
	struct ep_slice first = first_word(line);
	bool is_first = first.p == line.p + from;
	struct search s = {.show = show, .ctx = ctx};
	const struct ep_format *f = is_first ? NULL : ep_formats_find(first);
	if (f && from < line.n && line.p[from] == '-')
		from++;
	s.word = (struct ep_slice){line.p + from, line.n - from};
	s.result.from = from;
	if (is_first || ep_slice_is(first, "help"))
		add_names(&s);
	else if (f && f->kind != EP_REPORT_TAGS)
		add_functions(&s, p);
	return s.result;
}
