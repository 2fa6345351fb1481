/*
 * graph.h - the tree of functions with the weights of a query: behind flame graphs,
 * tables and diffs.
 *
 * Its nodes are those of a tree of functions (fntree.h): where all stacks are of one
 * dictionary that dictionary's, which may have nodes without weight; else one made of
 * several.  Nothing is left out here.
 */
#ifndef EP_QUERY_GRAPH_H
#define EP_QUERY_GRAPH_H

#include "query/fntree.h"

/* A whole answer's inside: plan and sums of one query. */
struct ep_graph_side {
	struct ep_plan plan;
	struct ep_sums merge;
	struct ep_query_ledger ledger;
};

struct ep_graph {
	const struct ep_fntree *t;
	uint32_t n;		       /* nodes */
	int64_t *self[2], *total[2];   /* by node; of the second side NULL when there is none */

	/* For who goes on with it, by node: cleared; not cleared. */
	uint8_t *keep;
	int64_t *weight;

	/* Inside. */
	const struct ep_query_env *env;
	void *block; /* one for all of a query: malloc gives smaller ones back each time,
			and page faults are dearer than sums */
	int64_t *room[2];
	uint32_t *number;
	int64_t *grown[2];
	uint32_t cap[2];
	struct ep_fntree own;	       /* of several dictionaries */
	struct ep_dicttree made;       /* of one, for this query alone */
	struct ep_fntrees_entry *kept; /* of one */
};

/*
 * ep_graph_run - ask both sides (q[1] NULL: one), add up.
 *
 * in       by      a first level of label values; empty: none
 * out      sides   with their ledgers; names of g are valid until they are closed
 * errors   as of all queries
 * owns     the caller calls ep_graph_fini() in any case, g and sides being all zero before
 */
int ep_graph_run(struct ep_graph *g, struct ep_graph_side sides[2], const struct ep_query_env *env,
		 const struct ep_query *const q[2], struct ep_slice by, struct ep_err *err);
void ep_graph_fini(struct ep_graph *g, struct ep_graph_side sides[2]);

static inline const struct ep_fn *ep_graph_fn(const struct ep_graph *g, uint32_t i)
{
	return &g->t->fns.v[g->t->v[i].fn];
}

/* Some of a graph's nodes, numbered anew in their order; the parents are among them. */
struct ep_graph_part {
	uint32_t n;
	uint32_t *id;		      /* in the graph */
	uint32_t *parent;
	uint32_t *first_child, *next; /* 0: none; by name */
};

/* Those for which g->keep[i]; the root is among them.  -ENOMEM. */
int ep_graph_part(const struct ep_graph *g, struct ep_graph_part *ret_p);
void ep_graph_part_fini(struct ep_graph_part *p);
/* The node after i in pre-order, 0 at the end; *depth follows. */
uint32_t ep_graph_next(const struct ep_graph_part *p, uint32_t i, uint32_t *depth);

/* The unit within a type id. */
struct ep_slice ep_type_part(struct ep_slice id, unsigned part);

#endif
