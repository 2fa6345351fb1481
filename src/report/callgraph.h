/*
 * callgraph.h - samples summed up by function (or file, line, address) and by call.
 *
 * What text, tree, peek, dot, callgrind, topproto, list and disasm are written from.
 * A profile's lines become frames (what a node is called), frames become nodes (in a
 * call tree one for each path), and calls become edges.  Weights are those of the
 * report's column; sums wrap at 64 bits, as the reference's.
 *
 * `query/graph.h` is something else: the tree behind flame graphs of stored data.
 *
 * Source: behaviour of google/pprof; docs/pprof-compat.md has the rules.
 */
#ifndef EP_REPORT_CALLGRAPH_H
#define EP_REPORT_CALLGRAPH_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "report/prepare.h"

#include <stdbool.h>
#include <stdint.h>

/* What nodes are told apart by.  Equal in all fields is the same frame. */
struct ep_callgraph_frame {
	struct ep_slice name;	 /* of the function; "" unknown */
	struct ep_slice file;	 /* trimmed and cleaned; "" unknown */
	struct ep_slice objfile; /* "" in reports that merge functions across binaries */
	uint64_t address;
	int64_t start_line; /* 0 where objfile is "" */
	int64_t line, column;
	struct ep_slice printed; /* as reports show it; empty before ep_callgraph_name() */
};

struct ep_callgraph_node {
	int64_t flat, cum; /* sums of values; with a mean to be divided by the next two */
	int64_t flat_div, cum_div;
	uint32_t frame;
	uint32_t parent; /* in a call tree, as the samples have it; EP_NONE: none */
};

struct ep_callgraph_edge {
	uint32_t src, dst; /* caller, callee */
	int64_t weight, weight_div;
	bool residual; /* went over nodes that are not shown */
	bool inlined;  /* all calls along it are inlined ones */
	bool dropped;
};

/* A combination of labels ("k:v\nk:v", with a literal \n), or a number with the key
 * "bytes". */
struct ep_callgraph_tag {
	struct ep_slice name; /* a number's: scaled, with its unit */
	int64_t value;	      /* of a number: the first of that name */
	struct ep_slice unit;
	uint32_t node;
	uint32_t combination; /* its number; of a number the one it came with, EP_NONE: none */
	bool is_number, dropped;
	int64_t flat, cum, flat_div, cum_div;
};

/* Runs of one array for each node: element i has at[first[i]] to at[first[i + 1]]. */
struct ep_callgraph_runs {
	uint32_t *first, *at;
};

struct ep_callgraph {
	struct ep_arena *arena; /* names, and all tables that don't grow */
	struct ep_callgraph_frame *frames;
	struct ep_callgraph_node *nodes;
	struct ep_callgraph_edge *edges;
	struct ep_callgraph_tag *tags; /* by node; only for DOT */
	uint32_t n_frames, n_nodes, n_edges, n_tags;
	/* The nodes that are shown, in the report's order.  The others have no weight, or
	 * were not kept; edges may still lead to those of no weight. */
	uint32_t *shown;
	uint32_t n_shown;
	struct ep_callgraph_runs in, out; /* edges that are left; NULL without edges */
	uint32_t *first_tag;		  /* of each node, and one more; NULL without tags */

	/* What trimming left out. */
	uint32_t n_candidates;	/* nodes before the count was limited */
	uint32_t n_small_nodes; /* dropped for their weight */
	uint32_t n_small_edges;
};

/*
 * ep_callgraph_new - all nodes with their weights, untrimmed, in the order of their
 * first appearance; no edges, no tags.  For list and disasm.
 *
 * in       r  borrowed: names are its profile's
 * errors   -ENOMEM, -E2BIG
 * owns     the caller frees with ep_callgraph_free()
 * threads  any thread
 * cost     one pass over the samples; nothing is allocated for each
 */
int ep_callgraph_new(const struct ep_report *r, struct ep_callgraph **ret_g,
		     struct ep_err *err);
void ep_callgraph_free(struct ep_callgraph *g);
EP_DEFINE_AUTO(ep_callgraph);

/*
 * ep_callgraph_trimmed - the graph as its report shows it: small nodes and edges gone,
 * the top ones chosen and sorted, and with the edges and tags the kind needs.
 *
 * Replaces r->unit "minimum" by the unit that suits what is shown.  Otherwise like new.
 */
int ep_callgraph_trimmed(struct ep_report *r, struct ep_callgraph **ret_g,
			 struct ep_err *err);

/* Are the rows values of a label (group_by)?  Only text, tree and peek know it; errors of
 * the above then include -ENOENT, there is no such label. */
bool ep_callgraph_is_grouped(const struct ep_report *r);

/* Put edges in the order reports list them: heaviest first, then by names. */
void ep_callgraph_edges_sort(struct ep_callgraph *g, uint32_t *edges, size_t n);

/* "address name file:line", as reports show a frame; kept for the next call.  Empty
 * when memory is short. */
struct ep_slice ep_callgraph_name(struct ep_callgraph *g, uint32_t frame);

static inline const struct ep_callgraph_frame *
ep_callgraph_frame_of(const struct ep_callgraph *g, uint32_t node)
{
	return &g->frames[g->nodes[node].frame];
}

/* A sum, or its mean. */
static inline int64_t ep_callgraph_mean(int64_t sum, int64_t div)
{
	if (div == 0)
		return sum;
	return div == -1 ? (int64_t)(0 - (uint64_t)sum) : sum / div;
}

static inline int64_t ep_callgraph_flat(const struct ep_callgraph_node *n)
{
	return ep_callgraph_mean(n->flat, n->flat_div);
}

static inline int64_t ep_callgraph_cum(const struct ep_callgraph_node *n)
{
	return ep_callgraph_mean(n->cum, n->cum_div);
}

#endif
