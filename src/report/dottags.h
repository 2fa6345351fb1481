/*
 * dottags.h - the boxes beside a node of a graph: the labels its weight came with.
 */
#ifndef EP_REPORT_DOTTAGS_H
#define EP_REPORT_DOTTAGS_H

#include "report/callgraph.h"

#define EP_DOTTAGS_MAX 4 /* boxes of a kind */

/* A box: a combination of labels, a number, or a range of numbers. */
struct ep_dottag {
	struct ep_slice name;	/* in the graph's arena */
	int64_t flat, cum;	/* means, where means are asked for */
	uint32_t combination;	/* EP_NONE: of numbers */
};

/* Leaves show all weight of their samples; inner nodes what is theirs alone. */
bool ep_dottags_are_flat(const struct ep_callgraph *g, uint32_t node);

/* The heaviest combinations of a node; how many.  -ENOMEM. */
int ep_dottags_combinations(struct ep_callgraph *g, uint32_t node,
			    struct ep_dottag ret[EP_DOTTAGS_MAX]);

/* The numbers it came with under a combination (EP_NONE: under none), in as many ranges
 * at most; how many.  -ENOMEM. */
int ep_dottags_ranges(struct ep_callgraph *g, uint32_t node, uint32_t combination,
		      struct ep_dottag ret[EP_DOTTAGS_MAX]);

/* Append the boxes of a node as DOT; `number` is the node's there.  -ENOMEM. */
int ep_dottags_add(const struct ep_report *r, struct ep_callgraph *g, uint32_t node,
		   uint32_t number, struct ep_buf *out);

#endif
