/* prune.c - see prune.h.  Source: google/pprof profile/prune.go. */
#include "profile/prune.h"

#include "profile/view.h"

struct prune {
	struct ep_profile *view;
	const struct ep_regex *drop, *keep;
	uint8_t *known; /* by string: 0 not asked yet, 1 stays, 2 is cut */
	int failed;
	struct ep_err *err;
};

static bool starts_with(struct ep_slice s, size_t at, const char *what)
{
	size_t n = strlen(what);
	return s.n - at >= n && !memcmp(s.p + at, what, n);
}

struct ep_slice ep_prune_simple_name(struct ep_slice name)
{
	static const char space[] = "(anonymous namespace)", call[] = "operator()";
	if (name.n && name.p[0] == '.')
		name = (struct ep_slice){name.p + 1, name.n - 1};
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '(' && starts_with(name, i, space))
			i += sizeof(space) - 2;
		else if (name.p[i] == 'o' && starts_with(name, i, call))
			i += sizeof(call) - 2;
		else if (name.p[i] == '(')
			return (struct ep_slice){name.p, i};
	}
	return name;
}

static bool ask(struct prune *f, const struct ep_regex *r, struct ep_slice name)
{
	int rc = f->failed ? 0 : ep_regex_match(r, name, f->err);
	if (rc < 0)
		f->failed = rc;
	return rc > 0;
}

/* A function without a name is never cut. */
static bool is_cut(struct prune *f, const struct ep_line *l)
{
	ep_str s = f->view->functions[l->function].name;
	if (!f->view->strings[s].n)
		return false;
	if (!f->known[s]) {
		struct ep_slice name = ep_prune_simple_name(f->view->strings[s]);
		bool cut = ask(f, f->drop, name) && !(f->keep && ask(f, f->keep, name));
		f->known[s] = cut ? 2 : 1;
	}
	return f->known[s] == 2;
}

static int no_memory(struct ep_err *err)
{
	return ep_fail(err, -ENOMEM, 0, "no memory for pruning");
}

/* What becomes of a stack at a location. */
enum verdict {
	STAYS,
	CUT_BENEATH, /* its inlined lines are cut already, itself stays */
	CUT,
};

struct tables {
	struct ep_location *locations;
	struct ep_sample *samples;
	uint8_t *verdicts; /* by location */
};

static bool make_tables(struct prune *f, struct ep_arena *scratch, struct tables *t)
{
	f->known = ep_arena_array(scratch, uint8_t, f->view->n_strings);
	t->verdicts = ep_arena_array(scratch, uint8_t, f->view->n_locations);
	t->locations = ep_view_copy(f->view, locations);
	t->samples = ep_view_copy(f->view, samples);
	return f->known && t->verdicts && t->locations && t->samples;
}

/* From the outermost line inwards. */
static enum verdict cut_from_root(struct prune *f, struct ep_location *l)
{
	const struct ep_line *lines = f->view->lines + l->first_line;
	uint32_t at = l->n_lines;
	while (at && !is_cut(f, &lines[at - 1]))
		at--;
	if (!at)
		return STAYS;
	if (at == l->n_lines)
		return CUT;
	l->first_line += at;
	l->n_lines -= at;
	return CUT_BENEATH;
}

static enum verdict cut_from_leaf(struct prune *f, struct ep_location *l)
{
	const struct ep_line *lines = f->view->lines + l->first_line;
	for (uint32_t i = 0; i < l->n_lines; i++)
		if (is_cut(f, &lines[i])) {
			l->first_line += i;
			l->n_lines -= i;
			return CUT_BENEATH;
		}
	return STAYS;
}

static void drop_leaves(struct ep_sample *s, uint32_t n)
{
	s->first_location += n;
	s->n_locations -= n;
}

static void cut_sample_from_root(const struct ep_profile *p, const uint8_t *verdicts,
				 struct ep_sample *s)
{
	const uint32_t *stack = ep_profile_stack(p, s);
	bool found_user = false;
	for (uint32_t i = s->n_locations; i; i--) {
		uint8_t v = verdicts[stack[i - 1]];
		if (v != STAYS && found_user) {
			drop_leaves(s, v == CUT ? i : i - 1);
			return;
		}
		found_user |= v == STAYS;
	}
}

static void cut_sample_from_leaf(const struct ep_profile *p, const uint8_t *verdicts,
				 struct ep_sample *s)
{
	const uint32_t *stack = ep_profile_stack(p, s);
	for (uint32_t i = 0; i < s->n_locations; i++)
		if (verdicts[stack[i]] != STAYS) {
			drop_leaves(s, i);
			return;
		}
}

static int prune(struct prune *f,
		 enum verdict (*judge)(struct prune *f, struct ep_location *l),
		 void (*cut)(const struct ep_profile *p, const uint8_t *verdicts,
			     struct ep_sample *s))
{
	struct ep_profile *v = f->view;
	ep_auto(ep_arena) scratch = ep_arena_new(0);
	struct tables t;
	if (!scratch || !make_tables(f, scratch, &t))
		return no_memory(f->err);
	for (uint32_t i = 0; i < v->n_locations; i++)
		t.verdicts[i] = (uint8_t)judge(f, &t.locations[i]);
	EP_TRY(f->failed);
	for (uint32_t i = 0; i < v->n_samples; i++)
		cut(v, t.verdicts, &t.samples[i]);
	v->locations = t.locations;
	v->samples = t.samples;
	return 0;
}

int ep_prune(struct ep_profile *view, const struct ep_regex *drop,
	     const struct ep_regex *keep, struct ep_err *err)
{
	struct prune f = {.view = view, .drop = drop, .keep = keep, .err = err};
	return prune(&f, cut_from_root, cut_sample_from_root);
}

int ep_prune_from(struct ep_profile *view, const struct ep_regex *r, struct ep_err *err)
{
	struct prune f = {.view = view, .drop = r, .err = err};
	return prune(&f, cut_from_leaf, cut_sample_from_leaf);
}

int ep_prune_uninteresting(struct ep_profile *view, struct ep_err *err)
{
	ep_auto(ep_regex) drop = NULL;
	ep_auto(ep_regex) keep = NULL;
	struct ep_slice d = view->strings[view->drop_frames],
			k = view->strings[view->keep_frames];
	if (!d.n)
		return 0;
	EP_TRY(ep_regex_new(d, EP_REGEX_WHOLE, &drop, err));
	if (k.n)
		EP_TRY(ep_regex_new(k, EP_REGEX_WHOLE, &keep, err));
	return ep_prune(view, drop, keep, err);
}
