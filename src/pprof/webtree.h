/*
 * webtree.h - the stacks of one prepared report as a tree of calls, and its functions.
 *
 * The flame graph and the table of the page are both written from it, in the form of
 * docs/api.md.  A profile with negative values is a comparison: what was subtracted is
 * side A, the rest side B.
 */
#ifndef EP_PPROF_WEBTREE_H
#define EP_PPROF_WEBTREE_H

#include "base/arena.h"
#include "base/err.h"
#include "report/prepare.h"

enum ep_webtree_kind { EP_WEBTREE_ROOT, EP_WEBTREE_NATIVE, EP_WEBTREE_KERNEL, EP_WEBTREE_UNNAMED };

/* What a frame is called; two of them differ in what the granularity tells apart. */
struct ep_webtree_fn {
	struct ep_slice name, file; /* file: "main.go", or "main.go:12" by line */
	enum ep_webtree_kind kind;
	bool is_inlined;	    /* everywhere it was met */
	int64_t self[2], total[2];  /* a recursive one counts once in total */
	double self_variance[2], total_variance[2]; /* by sampling: pprof/events.h */
	uint32_t last_sample;
};

struct ep_webtree_node {
	uint32_t parent, fn;
	uint32_t last_child; /* of the samples so far; 0: none */
	int64_t self[2], total[2];
	double variance[2]; /* of total, by sampling */
};

struct ep_webtree {
	struct ep_arena *arena;
	struct ep_webtree_fn *fns; /* [0] is the root's, "total" */
	uint32_t n_fns;
	struct ep_webtree_node *nodes; /* a parent stands before its children; [0] is the root */
	uint32_t n_nodes;
	bool is_diff;
	double ratio;
	struct ep_slice type, unit; /* of the column */
	double samples[2];	    /* sampled events; rows where nothing says how many */
	int64_t unnamed[2];	    /* weight whose leaf has no name */
};

enum ep_webtree_parts {
	EP_WEBTREE_ALL,
	EP_WEBTREE_FUNCTIONS, /* no node but the root: much less work */
};

/*
 * ep_webtree_new - one pass over the samples of r.
 *
 * in       r  borrowed until the tree is freed: names lie there
 * errors   -ENOMEM, -E2BIG
 * threads  any
 */
int ep_webtree_new(const struct ep_report *r, enum ep_webtree_parts parts,
		   struct ep_webtree **ret_t, struct ep_err *err);
void ep_webtree_free(struct ep_webtree *t);
EP_DEFINE_AUTO(ep_webtree);

/* Weight of a node, of both sides: how wide it is. */
static inline int64_t ep_webtree_width(const struct ep_webtree_node *n)
{
	return n->total[0] + n->total[1];
}

const char *ep_webtree_kind_name(enum ep_webtree_kind kind);

#endif
