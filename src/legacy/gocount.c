/*
 * gocount.c - "goroutine profile: total 7", then rows COUNT @ ADDRESS…
 *
 * What Go's runtime/pprof writes with debug=1 of goroutines, threads and whatever a
 * program counts.  The names in its comments are not read, nor are labels: the
 * reference does not either.
 */
#include "legacy/parsers.h"
#include "legacy/making.h"
#include "legacy/memorymap.h"

/* "NAME profile: total N", where NAME has no space. */
static bool read_title(struct ep_slice line, struct ep_slice *ret_name)
{
	const char *at = line.p, *end = at + line.n;
	struct ep_slice total;
	while (at < end && !ep_plaintext_is_space(*at))
		at++;
	*ret_name = (struct ep_slice){line.p, (size_t)(at - line.p)};
	return ret_name->n && ep_plaintext_take(&at, end, " profile: total ") &&
	       ep_plaintext_take_digits(&at, end, &total) && at == end;
}

/* " 0x1 0x2", nothing between or behind. */
static bool are_addresses(const char *at, const char *end)
{
	bool any = false;
	while (ep_plaintext_take(&at, end, " 0x")) {
		const char *from = at;
		while (at < end &&
		       (ep_plaintext_is_digit(*at) || (*at >= 'a' && *at <= 'f')))
			at++;
		any = at > from;
		if (!any)
			return false;
	}
	return any && at == end;
}

static int read_row(const struct ep_plaintext *t, struct ep_making *m,
		    struct ep_err *err)
{
	const char *at = t->line.p, *end = at + t->line.n;
	struct ep_slice count;
	int64_t n;
	if (!ep_plaintext_take_digits(&at, end, &count) ||
	    !ep_plaintext_take(&at, end, " @") || !are_addresses(at, end) ||
	    !ep_plaintext_int(count, 0, &n) ||
	    ep_making_addresses(m, (struct ep_slice){at, (size_t)(end - at)}, -1) < 0)
		return ep_plaintext_fail(
			t, err, "malformed profile format: no COUNT @ ADDRESS…");
	ep_making_sample(m, &n, NULL);
	return 0;
}

static int read_rows(struct ep_plaintext *t, struct ep_making *m,
		     struct ep_profile **ret_p, struct ep_err *err)
{
	while (ep_plaintext_next(t) && !ep_plaintext_begins(t->line, "---"))
		if (!ep_plaintext_is_blank(t->line))
			EP_TRY(read_row(t, m, err));
	EP_TRY(ep_memorymap_find_and_place(t, m->b, err));
	return ep_making_finish(m, ret_p, err);
}

int ep_gocount_parse(struct ep_slice bytes, size_t max_bytes, struct ep_profile **ret_p,
		     struct ep_err *err)
{
	struct ep_plaintext t;
	struct ep_slice name;
	ep_plaintext_open(&t, bytes);
	while (ep_plaintext_next(&t) && ep_plaintext_is_blank(t.line))
		;
	if (!read_title(t.line, &name))
		return EP_PARSER_OTHER;
	ep_auto_making m;
	EP_TRY(ep_making_init(&m, max_bytes, err));
	ep_build_sample_type_slices(m.b, name, ep_slice_of("count"));
	struct ep_profile *p = ep_build_profile(m.b);
	p->period_type =
		p->sample_types ? p->sample_types[0] : (struct ep_value_type){0};
	p->period = 1;
	return read_rows(&t, &m, ret_p, err);
}
