/*
 * tree.c - flame graphs and diffs: the heaviest nodes, exact totals, in pre-order.
 */
#include "query/graph.h"

#include <string.h>

/* --- which nodes ------------------------------------------------------------------------------ */

static int64_t weight(const struct ep_graph_node *v)
{
	int64_t w = v->total[0];
	return __builtin_add_overflow(w, v->total[1], &w) ? INT64_MAX : w;
}

/* Nodes of the path and below it; with their depth up to the path's length. */
static void mark_path(const struct ep_graph *g, const struct ep_tree_opts *o, uint8_t *keep,
		      uint32_t *depth)
{
	depth[0] = 0;
	keep[0] = 1;
	for (uint32_t i = 1; i < g->n; i++) {
		const struct ep_graph_node *v = &g->v[i];
		depth[i] = depth[v->parent] + 1;
		bool fits = depth[i] > o->n_path ||
			    ep_slice_eq(g->fns.v[v->fn].name, o->path[depth[i] - 1]);
		keep[i] = keep[v->parent] && fits && weight(v) > 0;
	}
}

static void swap(int64_t *w, size_t i, size_t j)
{
	int64_t t = w[i];
	w[i] = w[j];
	w[j] = t;
}

/* The k-th heaviest of w[0..n), k from 0; reorders w. */
static int64_t select_kth(int64_t *w, size_t n, size_t k)
{
	size_t lo = 0, hi = n - 1;
	for (;;) {
		int64_t pivot = w[lo + (hi - lo) / 2];
		size_t above = lo, i = lo, end = hi + 1; /* [above, i) equal, [end, hi] below */
		while (i < end) {
			if (w[i] > pivot)
				swap(w, above++, i++);
			else if (w[i] < pivot)
				swap(w, i, --end);
			else
				i++;
		}
		if (k < above)
			hi = above - 1;
		else if (k >= end)
			lo = end;
		else
			return pivot;
	}
}

/* The root and the path are kept in any case; of the rest the heaviest.  A parent is
 * never lighter than its child and has a lower id, so what is kept is a tree. */
static int cut(const struct ep_graph *g, const struct ep_tree_opts *o, uint8_t *keep,
	       const uint32_t *depth)
{
	size_t n = 0, fixed = 0;
	int64_t *w ep_auto_mem = ep_alloc(((size_t)g->n + 1) * sizeof(*w));
	if (!w)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->n; i++) {
		if (keep[i] && depth[i] > o->n_path)
			w[n++] = weight(&g->v[i]);
		else
			fixed += keep[i];
	}
	size_t room = o->max_nodes > fixed ? o->max_nodes - fixed : 0;
	if (!o->max_nodes || n <= room)
		return 0;
	int64_t least = room ? select_kth(w, n, room - 1) : INT64_MAX;
	size_t above = 0;
	for (uint32_t i = 0; i < g->n; i++)
		above += keep[i] && depth[i] > o->n_path && weight(&g->v[i]) > least;
	size_t ties = room > above ? room - above : 0;
	for (uint32_t i = 0; i < g->n; i++) {
		if (!keep[i] || depth[i] <= o->n_path)
			continue;
		int64_t v = weight(&g->v[i]);
		keep[i] = keep[g->v[i].parent] && (v > least || (v == least && ties && ties--));
	}
	return 0;
}

static int choose(const struct ep_graph *g, const struct ep_tree_opts *o, uint8_t *keep)
{
	uint32_t *depth ep_auto_mem = ep_alloc(((size_t)g->n + 1) * sizeof(*depth));
	if (!depth)
		return -ENOMEM;
	mark_path(g, o, keep, depth);
	return cut(g, o, keep, depth);
}

/* --- into columns -------------------------------------------------------------------------------- */

static uint32_t out_fn(struct ep_tree *t, const struct ep_fns *fns, uint32_t *map, uint32_t fn)
{
	if (map[fn] == UINT32_MAX) {
		map[fn] = t->n_fns;
		t->fns[t->n_fns++] = fns->v[fn];
	}
	return map[fn];
}

static int allot(struct ep_tree *t, uint32_t n, uint32_t n_fns, bool diff)
{
	struct ep_arena *a = t->arena;
	t->fns = ep_arena_array(a, struct ep_fn, n_fns);
	t->fn = ep_arena_array(a, uint32_t, n);
	t->depth = ep_arena_array(a, uint32_t, n);
	t->self = ep_arena_array(a, int64_t, n);
	t->total = ep_arena_array(a, int64_t, n);
	t->more = ep_arena_array(a, int64_t, n);
	bool ok = t->fns && t->fn && t->depth && t->self && t->total && t->more;
	if (diff) {
		t->self_b = ep_arena_array(a, int64_t, n);
		t->total_b = ep_arena_array(a, int64_t, n);
		ok = ok && t->self_b && t->total_b;
	}
	return ok ? 0 : -ENOMEM;
}

static int64_t left_out(const struct ep_graph *g, const struct ep_graph_node *v)
{
	int64_t more = 0;
	for (int s = 0; s < 2; s++) {
		int64_t rest = v->total[s] - v->self[s];
		for (uint32_t c = v->first_child; c; c = g->v[c].next)
			rest -= g->v[c].total[s];
		more += rest;
	}
	return more;
}

static int lay_out(const struct ep_graph *g, uint32_t n, bool diff, struct ep_tree *t)
{
	uint32_t *map ep_auto_mem = ep_alloc((size_t)g->fns.n * sizeof(*map));
	if (!map || allot(t, n, g->fns.n, diff) < 0)
		return -ENOMEM;
	memset(map, 0xff, (size_t)g->fns.n * sizeof(*map));
	uint32_t i = 0, depth = 0;
	do {
		const struct ep_graph_node *v = &g->v[i];
		uint32_t k = t->n_nodes++;
		t->fn[k] = out_fn(t, &g->fns, map, v->fn);
		t->depth[k] = depth;
		t->self[k] = v->self[0];
		t->total[k] = v->total[0];
		t->more[k] = left_out(g, v);
		if (diff) {
			t->self_b[k] = v->self[1];
			t->total_b[k] = v->total[1];
		}
		i = ep_graph_next(g, i, &depth);
	} while (i);
	return 0;
}

static int finish(struct ep_graph *g, const struct ep_tree_opts *o, bool diff, struct ep_tree *t)
{
	uint8_t *keep ep_auto_mem = ep_zalloc((size_t)g->n + 1);
	if (!keep)
		return -ENOMEM;
	ep_graph_sum(g);
	EP_TRY(choose(g, o, keep));
	EP_TRY(ep_graph_link(g, keep));
	uint32_t n = 0;
	for (uint32_t i = 0; i < g->n; i++)
		n += keep[i];
	EP_TRY(lay_out(g, n, diff, t));
	t->total_a_sum = g->v[0].total[0];
	t->total_b_sum = g->v[0].total[1];
	return 0;
}

static struct ep_tree *new_tree(struct ep_slice type)
{
	struct ep_arena *a = ep_arena_new(0);
	struct ep_tree *t = a ? ep_arena_array(a, struct ep_tree, 1) : NULL;
	char *copy = t ? ep_arena_copy(a, type.n ? type.p : "", type.n) : NULL;
	if (!copy) {
		ep_arena_free(a);
		return NULL;
	}
	t->arena = a;
	t->type = (struct ep_slice){copy, type.n};
	t->unit = ep_type_part(t->type, 2);
	return t;
}

static int run(const struct ep_query_env *env, const struct ep_query *const q[2],
	       const struct ep_tree_opts *o, struct ep_tree *t, struct ep_err *err)
{
	struct ep_graph g;
	struct ep_graph_side sides[2] = {0};
	int rc = ep_graph_init(&g, t->arena);
	for (int i = 0; i < 2; i++)
		sides[i].merge.by = o->by;
	for (int i = 0; i < 2 && q[i] && !rc; i++)
		rc = ep_graph_side_run(&sides[i], env, q[i], &g, i, err);
	if (!rc)
		rc = finish(&g, o, q[1], t);
	t->ledger = sides[0].ledger;
	t->ledger_b = sides[1].ledger;
	for (int i = 0; i < 2; i++)
		ep_graph_side_fini(&sides[i]);
	ep_graph_fini(&g);
	return rc == -ENOMEM ? ep_fail(err, rc, 0, "no memory for a flame graph") : rc;
}

static int make(const struct ep_query_env *env, const struct ep_query *const q[2],
		const struct ep_tree_opts *o, struct ep_tree **ret_t, struct ep_err *err)
{
	ep_auto(ep_tree) t = new_tree(q[0]->type);
	if (!t)
		return ep_fail(err, -ENOMEM, 0, "no memory for a flame graph");
	EP_TRY(run(env, q, o, t, err));
	*ret_t = ep_take(&t);
	return 0;
}

int ep_query_tree(const struct ep_query_env *env, const struct ep_query *q,
		  const struct ep_tree_opts *o, struct ep_tree **ret_t, struct ep_err *err)
{
	return make(env, (const struct ep_query *const[2]){q, NULL}, o, ret_t, err);
}

int ep_query_diff(const struct ep_query_env *env, const struct ep_query *a,
		  const struct ep_query *b, const struct ep_tree_opts *o,
		  struct ep_tree **ret_t, struct ep_err *err)
{
	if (!ep_slice_eq(a->type, b->type))
		return ep_fail(err, -EINVAL, 0, "profile types must match");
	return make(env, (const struct ep_query *const[2]){a, b}, o, ret_t, err);
}
