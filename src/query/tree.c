/*
 * tree.c - flame graphs and diffs: the heaviest nodes, exact totals, in pre-order.
 */
#include "query/graph.h"

#include <string.h>

/* --- which nodes ------------------------------------------------------------------------------ */

enum { NO, YES, FIXED };

/* What a query chooses by. */
struct choice {
	const struct ep_graph *g;
	const struct ep_tree_opts *o;
	const int64_t *w; /* by node: weight of both sides */
	uint8_t *keep;	  /* NO, YES, FIXED: in any case */
};

static const int64_t *weights(const struct ep_graph *g)
{
	if (!g->total[1])
		return g->total[0];
	for (uint32_t i = 0; i < g->n; i++)
		if (__builtin_add_overflow(g->total[0][i], g->total[1][i], &g->weight[i]))
			g->weight[i] = INT64_MAX;
	return g->weight;
}

/* Nodes of the path and below it. */
static int mark_path(struct choice *c)
{
	const struct ep_tree_opts *o = c->o;
	const uint32_t *parent = c->g->t->parent;
	uint32_t *depth ep_auto_mem = ep_alloc(((size_t)c->g->n + 1) * sizeof(*depth));
	if (!depth)
		return -ENOMEM;
	depth[0] = 0;
	for (uint32_t i = 1; i < c->g->n; i++) {
		depth[i] = depth[parent[i]] + 1;
		bool fits = depth[i] > o->n_path ||
			    ep_slice_eq(ep_graph_fn(c->g, i)->name, o->path[depth[i] - 1]);
		if (c->keep[parent[i]] && fits && c->w[i] > 0)
			c->keep[i] = depth[i] <= o->n_path ? FIXED : YES;
	}
	return 0;
}

static int mark(struct choice *c)
{
	c->keep[0] = FIXED;
	if (c->o->n_path)
		return mark_path(c);
	for (uint32_t i = 1; i < c->g->n; i++)
		c->keep[i] = c->w[i] > 0;
	return 0;
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

/* Weights by their first digits: six bits behind the highest one.  Order stays. */
enum { BUCKET_BITS = 6, BUCKETS = (64 - BUCKET_BITS + 1) << BUCKET_BITS };

static uint32_t bucket_of(int64_t w)
{
	unsigned top = 63u - (unsigned)__builtin_clzll((uint64_t)w | 1);
	if (top < BUCKET_BITS)
		return (uint32_t)w;
	unsigned shift = top - BUCKET_BITS;
	return ((shift + 1) << BUCKET_BITS) + ((uint32_t)((uint64_t)w >> shift) & ((1u << BUCKET_BITS) - 1));
}

/* The k-th heaviest candidate, k from 1: counted by bucket, compared within one. */
static int least_of(const struct choice *c, size_t k, int64_t *ret_least)
{
	uint32_t *counts ep_auto_mem = ep_zalloc(BUCKETS * sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	for (uint32_t i = 1; i < c->g->n; i++)
		counts[bucket_of(c->w[i])] += c->keep[i] == YES;
	uint32_t b = BUCKETS - 1;
	for (; counts[b] < k; b--)
		k -= counts[b];
	int64_t *w ep_auto_mem = ep_alloc(counts[b] * sizeof(*w));
	if (!w)
		return -ENOMEM;
	size_t n = 0;
	for (uint32_t i = 1; i < c->g->n; i++)
		if (c->keep[i] == YES && bucket_of(c->w[i]) == b)
			w[n++] = c->w[i];
	*ret_least = select_kth(w, n, k - 1);
	return 0;
}

/* The root and the path are kept in any case; of the rest the heaviest.  A parent is
 * never lighter than its child and has a lower id, so what is kept is a tree. */
static int cut(struct choice *c)
{
	size_t n = 0, fixed = 0, above = 0;
	for (uint32_t i = 0; i < c->g->n; i++) {
		n += c->keep[i] == YES;
		fixed += c->keep[i] == FIXED;
	}
	size_t room = c->o->max_nodes > fixed ? c->o->max_nodes - fixed : 0;
	if (!c->o->max_nodes || n <= room)
		return 0;
	int64_t least = INT64_MAX;
	if (room)
		EP_TRY(least_of(c, room, &least));
	for (uint32_t i = 0; i < c->g->n; i++)
		above += c->keep[i] == YES && c->w[i] > least;
	size_t ties = room > above ? room - above : 0;
	for (uint32_t i = 1; i < c->g->n; i++) {
		if (c->keep[i] != YES || c->w[i] > least)
			continue;
		bool takes = c->w[i] == least && ties && c->keep[c->g->t->parent[i]];
		ties -= takes;
		c->keep[i] = takes;
	}
	return 0;
}

static int choose(const struct ep_graph *g, const struct ep_tree_opts *o)
{
	struct choice c = {g, o, weights(g), g->keep};
	EP_TRY(mark(&c));
	return cut(&c);
}

/* --- into columns -------------------------------------------------------------------------------- */

static bool copy(struct ep_arena *a, struct ep_slice *s)
{
	char *p = ep_arena_copy(a, s->n ? s->p : "", s->n);
	s->p = p;
	return p;
}

/* The function's number in the answer, which has copies of the names. */
static int out_fn(struct ep_tree *t, const struct ep_fns *fns, uint32_t *map, uint32_t fn)
{
	if (map[fn] == UINT32_MAX) {
		struct ep_fn *to = &t->fns[t->n_fns];
		*to = fns->v[fn];
		if (!copy(t->arena, &to->name) || !copy(t->arena, &to->file))
			return -ENOMEM;
		map[fn] = t->n_fns++;
	}
	return 0;
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

static int64_t left_out(const struct ep_graph *g, const struct ep_graph_part *p, uint32_t i)
{
	int64_t more = 0;
	for (int s = 0; s < 2 && g->total[s]; s++) {
		more += g->total[s][p->id[i]] - g->self[s][p->id[i]];
		for (uint32_t c = p->first_child[i]; c; c = p->next[c])
			more -= g->total[s][p->id[c]];
	}
	return more;
}

static void put_values(const struct ep_graph *g, uint32_t at, struct ep_tree *t, uint32_t k)
{
	t->self[k] = g->self[0][at];
	t->total[k] = g->total[0][at];
	if (t->total_b) {
		t->self_b[k] = g->self[1][at];
		t->total_b[k] = g->total[1][at];
	}
}

static int lay_out(const struct ep_graph *g, const struct ep_graph_part *p, bool diff,
		   struct ep_tree *t)
{
	const struct ep_fns *fns = &g->t->fns;
	uint32_t n_fns = fns->n < p->n ? fns->n : p->n;
	uint32_t *map ep_auto_mem = ep_alloc((size_t)fns->n * sizeof(*map));
	if (!map || allot(t, p->n, n_fns, diff) < 0)
		return -ENOMEM;
	memset(map, 0xff, (size_t)fns->n * sizeof(*map));
	uint32_t i = 0, depth = 0;
	do {
		uint32_t k = t->n_nodes++, at = p->id[i];
		EP_TRY(out_fn(t, fns, map, g->t->v[at].fn));
		t->fn[k] = map[g->t->v[at].fn];
		t->depth[k] = depth;
		t->more[k] = left_out(g, p, i);
		put_values(g, at, t, k);
		i = ep_graph_next(p, i, &depth);
	} while (i);
	return 0;
}

static int finish(struct ep_graph *g, const struct ep_tree_opts *o, struct ep_tree *t)
{
	struct ep_graph_part p = {0};
	bool diff = g->total[1];
	EP_TRY(choose(g, o));
	int rc = ep_graph_part(g, &p);
	if (!rc)
		rc = lay_out(g, &p, diff, t);
	ep_graph_part_fini(&p);
	t->total_a_sum = g->total[0][0];
	t->total_b_sum = diff ? g->total[1][0] : 0;
	return rc;
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
	struct ep_graph g = {0};
	struct ep_graph_side sides[2] = {0};
	int rc = ep_graph_run(&g, sides, env, q, o->by, err);
	if (!rc)
		rc = finish(&g, o, t);
	t->ledger = sides[0].ledger;
	t->ledger_b = sides[1].ledger;
	ep_graph_fini(&g, sides);
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
