/*
 * sums.h - many profiles into one sum per stack, then per function.
 *
 * Adding is done by stack id, dictionary by dictionary; names come afterwards,
 * once for each frame that has weight.  So the cost of a query grows with the
 * stacks, not with the samples.
 */
#ifndef EP_QUERY_SUMS_H
#define EP_QUERY_SUMS_H

#include "base/index.h"
#include "query/plan.h"

struct ep_symcache;

/* The sums of one dictionary, or of one group within it. */
struct ep_sums_dict {
	const struct ep_dict *d;
	uint32_t group;
	int64_t *self; /* by stack id */
	uint32_t n;
};

struct ep_sums {
	struct ep_slice by;      /* group by this label; empty: no groups */
	struct ep_values *groups; /* by group; then comes what is without the label, then the rest */
	struct ep_sums_dict *v;
	uint32_t n, cap;
	int64_t total;
};

/* All zero is a valid empty one; `by` is set before the run. */
void ep_sums_fini(struct ep_sums *m);
/* Run the plan and add.  -E2BIG when a sum is over 2^63. */
int ep_sums_run(struct ep_sums *m, struct ep_plan *p, struct ep_err *err);

/* --- functions ---------------------------------------------------------------------------- */

/* Functions by (name, file, kind), across dictionaries; ids are dense. */
struct ep_fns {
	struct ep_arena *arena; /* borrowed: what is copied lives there */
	bool borrows; /* names given to ep_fns_add() live long enough */
	struct ep_index ix;
	struct ep_fn *v;
	uint32_t n, cap;
};

void ep_fns_fini(struct ep_fns *f);
/* EP_INDEX_NONE when memory is short. */
uint32_t ep_fns_add(struct ep_fns *f, const struct ep_fn *fn);

/* The functions of a dictionary's frames, outermost first. */
struct ep_naming {
	const struct ep_dict *d;
	struct ep_symcache *symbols;
	struct ep_fns *fns;
	uint32_t *first; /* by frame: place in chains, 0 not asked yet */
	uint32_t n_first; /* frames it knows */
	uint32_t *chains; /* n, then n function ids; [0] unused */
	uint32_t n_chains, cap_chains;
};

int ep_naming_init(struct ep_naming *n, const struct ep_dict *d, struct ep_symcache *symbols,
		  struct ep_fns *fns);
/* Take in the frames that the dictionary has now: those of the stacks seen before. -ENOMEM. */
int ep_naming_fit(struct ep_naming *n);
void ep_naming_fini(struct ep_naming *n);
/* Valid until the next call; *ret_n >= 1.  NULL when memory is short. */
const uint32_t *ep_naming_of(struct ep_naming *n, uint32_t frame, uint32_t *ret_n);

/* A native frame's name from the symbols known now; -ENOENT. */
struct ep_symbol;
int ep_naming_symbol(struct ep_symcache *symbols, const struct ep_dict *d,
		    const struct ep_dict_frame *f, struct ep_symbol *ret_s);

#endif
