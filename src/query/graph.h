/*
 * graph.h - the tree of functions behind flame graphs, tables and diffs.
 *
 * Nodes are (parent, function) with the weight of two sides; a parent's id is
 * below its children's.  Node 0 is the root.  Nothing is left out here.
 */
#ifndef EP_QUERY_GRAPH_H
#define EP_QUERY_GRAPH_H

#include "query/sums.h"

struct ep_graph_node {
	uint32_t parent, fn;
	uint32_t first_child, next; /* 0: none; to walk by after ep_graph_link() only */
	int64_t self[2], total[2];
};

struct ep_graph {
	struct ep_fns fns; /* [0] is the root's, "total" */
	struct ep_index ix;
	struct ep_graph_node *v;
	uint32_t n, cap;
};

/* in: arena holds the names and outlives the graph.  -ENOMEM. */
int ep_graph_init(struct ep_graph *g, struct ep_arena *arena);
void ep_graph_fini(struct ep_graph *g);
/*
 * Add the sums of one side (0 or 1).
 * out      *ret_unsymbolised  weight whose leaf has no name
 */
int ep_graph_add(struct ep_graph *g, const struct ep_sums *m, int side,
		 struct ep_symcache *symbols, int64_t *ret_unsymbolised, struct ep_err *err);
/* Totals from selfs; all sides are added. */
void ep_graph_sum(struct ep_graph *g);
/* Children lists of the nodes for which keep[i] (NULL: all), sorted by function.  -ENOMEM. */
int ep_graph_link(struct ep_graph *g, const uint8_t *keep);
/* The node after i in pre-order, 0 at the end; *depth follows. */
uint32_t ep_graph_next(const struct ep_graph *g, uint32_t i, uint32_t *depth);

/* A whole answer's inside: plan, merge and graph of one query.  The caller has inited g,
 * and set merge.by for a first level of label values. */
struct ep_graph_side {
	struct ep_plan plan;
	struct ep_sums merge;
	struct ep_query_ledger ledger;
};
int ep_graph_side_run(struct ep_graph_side *s, const struct ep_query_env *env,
		      const struct ep_query *q, struct ep_graph *g, int side, struct ep_err *err);
void ep_graph_side_fini(struct ep_graph_side *s);

/* The unit within a type id. */
struct ep_slice ep_type_part(struct ep_slice id, unsigned part);

#endif
