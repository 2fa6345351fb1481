/*
 * callgraph_order.c - the order nodes are shown in.
 *
 * Where the reference leaves ties to chance, these are settled by file, line, address
 * and first appearance.
 */
#include "report/callgraph_inside.h"

#include "base/sort.h"
#include "report/patternsort.h"
#include "report/wrap.h"

#include <math.h>

static int cmp_int(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

int ep_callgraph_order_frames(struct ep_callgraph *g, uint32_t a, uint32_t b)
{
	if (a == b)
		return 0;
	int c = ep_slice_cmp(ep_callgraph_name(g, a), ep_callgraph_name(g, b));
	const struct ep_callgraph_frame *x = &g->frames[a], *y = &g->frames[b];
	if (!c)
		c = ep_slice_cmp(x->file, y->file);
	if (!c)
		c = ep_slice_cmp(x->objfile, y->objfile);
	if (!c)
		c = cmp_int(x->line, y->line);
	if (!c)
		c = (x->address > y->address) - (x->address < y->address);
	return c ? c : cmp_int(a, b);
}

/* --- how much a node says in a picture ------------------------------------------------ */

static double log2_as_reference(double x)
{
	int exponent;
	double fraction = frexp(x, &exponent);
	if (fraction == 0.5)
		return exponent - 1;
	return log(fraction) * (1 / M_LN2) + exponent;
}

static double entropy_of(int64_t weight, int64_t total)
{
	double part = (double)ep_wrap_abs(weight) / (double)total;
	return -part * log2_as_reference(part);
}

/* Of the edges on one side of a node, and of its own weight beside them. */
static double entropy(const struct ep_callgraph *g, const struct ep_callgraph_runs *runs,
		      uint32_t node, int64_t self)
{
	double sum = 0;
	int64_t total = self;
	for (uint32_t i = runs->first[node]; i < runs->first[node + 1]; i++) {
		int64_t w = g->edges[runs->at[i]].weight;
		if (w > 0)
			total = ep_wrap_add(total, w);
	}
	if (total == 0)
		return 0;
	for (uint32_t i = runs->first[node]; i < runs->first[node + 1]; i++)
		sum += entropy_of(g->edges[runs->at[i]].weight, total);
	return self > 0 ? sum + entropy_of(self, total) : sum;
}

/* A node that only passes on what it gets says little. */
static int64_t score(const struct ep_callgraph *g, uint32_t node)
{
	const struct ep_callgraph_node *n = &g->nodes[node];
	bool is_root = g->in.first[node] == g->in.first[node + 1];
	bool is_leaf = g->out.first[node] == g->out.first[node + 1];
	double sum = is_root ? 1 : entropy(g, &g->in, node, 0);
	sum += is_leaf ? 1 : entropy(g, &g->out, node, n->flat);
	return ep_wrap_add(ep_units_whole(sum * (double)n->cum), n->flat);
}

/* --- sorting --------------------------------------------------------------------------- */

struct row {
	int64_t key;
	int64_t second; /* decides after the name */
	uint32_t node;
};

static int compare_rows(const struct row *x, const struct row *y, struct ep_callgraph *g)
{
	if (x->key != y->key)
		return cmp_int(y->key, x->key);
	uint32_t fx = g->nodes[x->node].frame, fy = g->nodes[y->node].frame;
	int c = fx == fy ? 0
			 : ep_slice_cmp(ep_callgraph_name(g, fx), ep_callgraph_name(g, fy));
	if (!c)
		c = cmp_int(y->second, x->second);
	return c ? c : ep_callgraph_order_frames(g, fx, fy);
}

static bool row_before(const void *a, const void *b, void *arg)
{
	const struct row *x = a, *y = b;
	int c = compare_rows(x, y, arg);
	return c ? c < 0 : x->node < y->node;
}

/* Nodes of a call tree that differ in their callers alone are equal. */
static bool row_again_before(const void *a, const void *b, void *arg)
{
	return compare_rows(a, b, arg) < 0;
}

int ep_callgraph_order_shown(struct ep_callgraph *g, enum ep_callgraph_order order,
			     bool again)
{
	struct row *rows ep_auto_mem = ep_alloc(((size_t)g->n_shown + 1) * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->n_shown; i++) {
		uint32_t v = g->shown[i];
		const struct ep_callgraph_node *n = &g->nodes[v];
		int64_t flat = ep_wrap_abs(n->flat), cum = ep_wrap_abs(n->cum);
		rows[i].node = v;
		rows[i].key = order == EP_CALLGRAPH_BY_FLAT  ? flat
			      : order == EP_CALLGRAPH_BY_CUM ? cum
							     : ep_wrap_abs(score(g, v));
		rows[i].second = order == EP_CALLGRAPH_BY_FLAT ? cum : flat;
	}
	if (again)
		ep_patternsort(rows, g->n_shown, sizeof(*rows), row_again_before, g);
	else
		ep_sort(rows, g->n_shown, sizeof(*rows), row_before, g);
	for (uint32_t i = 0; i < g->n_shown; i++)
		g->shown[i] = rows[i].node;
	return 0;
}
