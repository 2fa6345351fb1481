/* nearest.c - see nearest.h. */
#include "pprof/nearest.h"

#include "pprof/args.h"

enum { MAX_NAME = 40 };

/* How many letters to change, add, drop or swap (optimal string alignment). */
static unsigned distance(struct ep_slice a, struct ep_slice b)
{
	unsigned rows[3][MAX_NAME + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];
	for (size_t j = 0; j <= b.n; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= a.n; i++) {
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.n; j++) {
			unsigned best = last[j - 1] + (a.p[i - 1] != b.p[j - 1]);
			best = last[j] + 1 < best ? last[j] + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] &&
			    a.p[i - 2] == b.p[j - 1] && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
		unsigned *spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[b.n];
}

struct nearest {
	struct ep_slice name;
	const char *best;
	unsigned best_distance;
};

static void try_name(struct nearest *n, const char *candidate)
{
	struct ep_slice c = ep_slice_of(candidate);
	if (c.n > MAX_NAME || n->name.n > MAX_NAME)
		return;
	unsigned d = distance(n->name, c);
	if (d < n->best_distance) {
		n->best = candidate;
		n->best_distance = d;
	}
}

const char *ep_nearest_flag(struct ep_slice name)
{
	struct nearest n = {name, NULL, name.n < 4 ? 2 : 3};
	for (const struct ep_format *f = ep_formats_all(); f->name; f++)
		try_name(&n, f->name);
	for (const struct ep_vars_field *f = ep_vars_fields(); f->name; f++) {
		if (f->kind != EP_VARS_CHOICE)
			try_name(&n, f->name);
		for (const struct ep_vars_choice *c = f->choices; c && c->name; c++)
			try_name(&n, c->name);
	}
	for (const struct ep_args_flag *f = ep_args_flags(); f->help; f++)
		if (f->name)
			try_name(&n, f->name);
	return n.best;
}
