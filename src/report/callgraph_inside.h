/*
 * callgraph_inside.h - what the files of callgraph share while a graph is made.
 */
#ifndef EP_REPORT_CALLGRAPH_INSIDE_H
#define EP_REPORT_CALLGRAPH_INSIDE_H

#include "report/callgraph.h"

/* Samples of one stack, together. */
struct ep_callgraph_stack {
	uint32_t first, n; /* in sample_locations */
	int64_t value, divisor;
};

struct ep_callgraph_maker {
	const struct ep_report *r;
	struct ep_callgraph *g;
	/* Frames of each location, innermost first. */
	uint32_t *first_frame, *frames;
	/* Distinct stacks of samples that have a value; `of`: of each sample, or EP_NONE. */
	struct ep_callgraph_stack *stacks;
	uint32_t n_stacks;
	uint32_t *stack_of;
	/* Of call trees alone. */
	bool *is_inlined; /* is a node part of its parent's code, always? */
	uint32_t *leaves; /* of each stack; EP_NONE: an empty one */
};

/* --- callgraph_frames.c: locations to frames, once each ------------------------- */
int ep_callgraph_frames_make(struct ep_callgraph_maker *m);

/* --- callgraph_stacks.c: samples to distinct stacks ------------------------------ */
int ep_callgraph_stacks_make(struct ep_callgraph_maker *m);

/* --- callgraph_weights.c: nodes with their sums ---------------------------------- */
int ep_callgraph_weights_sum(struct ep_callgraph_maker *m);

/* --- callgraph_tree.c: the same for call trees; and their edges ------------------- */
int ep_callgraph_tree_grow(struct ep_callgraph_maker *m);
int ep_callgraph_tree_edges(struct ep_callgraph_maker *m);
/* Nodes go; what they called is called by their callers. */
void ep_callgraph_tree_splice(struct ep_callgraph *g, const bool *goes);

/* --- callgraph_groups.c: values of a label instead; -ENOENT: there is no such label --- */
int ep_callgraph_groups_make(struct ep_callgraph_maker *m);

/*
 * --- callgraph_edges.c ------------------------------------------------------------
 * Edges between kept nodes (NULL: all); `into` NULL or the only nodes that edges are
 * wanted to.  Replaces those of an earlier call.
 */
int ep_callgraph_edges_make(struct ep_callgraph_maker *m, const bool *kept,
			    const bool *into);
/* Nodes that are a caller's inlined part somewhere; false when there are none. */
bool ep_callgraph_edges_inlined(const struct ep_callgraph_maker *m, bool *ret_into);
/* Drop edges into shown nodes that weigh less; how many. */
uint32_t ep_callgraph_edges_trim(struct ep_callgraph *g, int64_t cutoff);
/* Drop residual edges that another way stands for; needs `in` of them all. */
int ep_callgraph_edges_simplify(struct ep_callgraph *g);
/* Fill g->in and g->out with the edges that are left, heaviest first. */
int ep_callgraph_edges_link(struct ep_callgraph *g);

/* --- callgraph_tags.c --------------------------------------------------------------- */
int ep_callgraph_tags_make(struct ep_callgraph_maker *m, const bool *kept);
void ep_callgraph_tags_trim(struct ep_callgraph *g, int64_t cutoff);

/* --- callgraph_order.c: sort what is shown ------------------------------------------ */
enum ep_callgraph_order {
	EP_CALLGRAPH_BY_FLAT,
	EP_CALLGRAPH_BY_CUM,
	EP_CALLGRAPH_BY_ENTROPY, /* which nodes say most in a picture; needs in and out */
};
/* again: a tree's, whose order of before shows where nodes are equal. */
int ep_callgraph_order_shown(struct ep_callgraph *g, enum ep_callgraph_order order,
			     bool again);
/* <0, 0, >0: by printed name, then file, line, address, appearance. */
int ep_callgraph_order_frames(struct ep_callgraph *g, uint32_t a, uint32_t b);

/* All of g's arena; NULL when memory is short. */
#define ep_callgraph_array(g, type, n) ep_arena_array((g)->arena, type, (size_t)(n) + 1)

#endif
