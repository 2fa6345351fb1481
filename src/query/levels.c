/* levels.c - see levels.h. */
#include "query/levels.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/index.h"

#include <string.h>

/* A node whose children are being laid out. */
struct open {
	int64_t x[2];    /* where the next child begins, per side */
	int64_t rest[2]; /* total not yet given to self or children */
};

struct row {
	int64_t *v;
	uint32_t n, cap;
	int64_t end[2]; /* of the last bar */
};

struct layout {
	const struct ep_tree *t;
	struct ep_levels *l;
	struct row *rows;
	struct open *open; /* by depth */
	uint32_t n_rows;
	int sides;
	uint32_t *names; /* by function: its name's index, or NONE */
	uint32_t other;
	struct ep_index ix;
};

struct bar {
	int64_t x[2], total[2], self[2];
	uint32_t name;
};

static uint32_t name_of(struct layout *y, struct ep_slice s)
{
	struct ep_levels *l = y->l;
	uint64_t h = ep_hash64(s.n ? s.p : "", s.n);
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&y->ix, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&y->ix, &it))
		if (ep_slice_eq(l->names[id], s))
			return id;
	if (ep_index_add(&y->ix, h, l->n_names) < 0)
		return EP_INDEX_NONE;
	l->names[l->n_names] = s;
	return l->n_names++;
}

static int put(struct row *r, const struct bar *b, int sides)
{
	uint32_t need = r->n + (uint32_t)sides * 3 + 1;
	if (need > r->cap) {
		uint32_t cap = r->cap * 2 + need;
		int64_t *v = ep_realloc(r->v, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		r->v = v;
		r->cap = cap;
	}
	for (int s = 0; s < sides; s++) {
		r->v[r->n++] = b->x[s] - r->end[s];
		r->v[r->n++] = b->total[s];
		r->v[r->n++] = b->self[s];
		r->end[s] = b->x[s] + b->total[s];
	}
	r->v[r->n++] = b->name;
	return 0;
}

/* The children of the node at this depth are done: what is left is "other". */
static int close_node(struct layout *y, uint32_t depth)
{
	struct open *o = &y->open[depth];
	if (!o->rest[0] && !o->rest[1])
		return 0;
	if (y->other == EP_INDEX_NONE)
		y->other = name_of(y, ep_slice_of("other"));
	struct bar b = {.name = y->other};
	for (int s = 0; s < 2; s++) {
		b.x[s] = o->x[s];
		b.total[s] = b.self[s] = o->rest[s];
		if (o->rest[s] > y->l->max_self)
			y->l->max_self = o->rest[s];
	}
	if (depth + 2 > y->n_rows)
		y->n_rows = depth + 2;
	return b.name == EP_INDEX_NONE ? -ENOMEM : put(&y->rows[depth + 1], &b, y->sides);
}

static int64_t side(const int64_t *a, const int64_t *b, int s, uint32_t i)
{
	return s ? (b ? b[i] : 0) : a[i];
}

static int add_node(struct layout *y, uint32_t i)
{
	const struct ep_tree *t = y->t;
	uint32_t depth = t->depth[i], fn = t->fn[i];
	if (y->names[fn] == EP_INDEX_NONE)
		y->names[fn] = name_of(y, t->fns[fn].name);
	struct bar b = {.name = y->names[fn]};
	for (int s = 0; s < 2; s++) {
		struct open *parent = depth ? &y->open[depth - 1] : NULL;
		b.x[s] = parent ? parent->x[s] : 0;
		b.total[s] = side(t->total, t->total_b, s, i);
		b.self[s] = side(t->self, t->self_b, s, i);
		if (parent) {
			parent->x[s] += b.total[s];
			parent->rest[s] -= b.total[s];
		}
		if (b.self[s] > y->l->max_self)
			y->l->max_self = b.self[s];
		y->open[depth].x[s] = b.x[s] + b.self[s];
		y->open[depth].rest[s] = b.total[s] - b.self[s];
	}
	if (depth + 1 > y->n_rows)
		y->n_rows = depth + 1;
	return b.name == EP_INDEX_NONE ? -ENOMEM : put(&y->rows[depth], &b, y->sides);
}

static int lay_out(struct layout *y)
{
	const struct ep_tree *t = y->t;
	for (uint32_t i = 0; i < t->n_nodes; i++) {
		for (uint32_t d = i ? t->depth[i - 1] + 1 : 0; d-- > t->depth[i];)
			EP_TRY(close_node(y, d));
		EP_TRY(add_node(y, i));
	}
	for (uint32_t d = t->depth[t->n_nodes - 1] + 1; d-- > 0;)
		EP_TRY(close_node(y, d));
	return 0;
}

static int hand_out(struct layout *y)
{
	struct ep_levels *l = y->l;
	l->levels = ep_arena_array(l->arena, struct ep_level, (size_t)y->n_rows + 1);
	for (uint32_t i = 0; l->levels && i < y->n_rows; i++) {
		int64_t *v = ep_arena_array(l->arena, int64_t, (size_t)y->rows[i].n + 1);
		if (!v)
			return -ENOMEM;
		memcpy(v, y->rows[i].v, y->rows[i].n * sizeof(*v));
		l->levels[i] = (struct ep_level){v, y->rows[i].n};
	}
	l->n_levels = y->n_rows;
	return l->levels ? 0 : -ENOMEM;
}

static int run(const struct ep_tree *t, struct ep_levels *l)
{
	uint32_t depth = 0;
	for (uint32_t i = 0; i < t->n_nodes; i++)
		depth = t->depth[i] > depth ? t->depth[i] : depth;
	struct layout y = {.t = t, .l = l, .sides = t->total_b ? 2 : 1, .other = EP_INDEX_NONE};
	y.rows = ep_zalloc(((size_t)depth + 2) * sizeof(*y.rows));
	y.open = ep_zalloc(((size_t)depth + 2) * sizeof(*y.open));
	y.names = ep_alloc(((size_t)t->n_fns + 1) * sizeof(*y.names));
	int rc = y.rows && y.open && y.names ? 0 : -ENOMEM;
	if (!rc) {
		memset(y.names, 0xff, ((size_t)t->n_fns + 1) * sizeof(*y.names));
		rc = lay_out(&y);
	}
	if (!rc)
		rc = hand_out(&y);
	for (uint32_t i = 0; y.rows && i < depth + 2; i++)
		ep_free(y.rows[i].v);
	ep_free(y.rows);
	ep_free(y.open);
	ep_free(y.names);
	ep_index_fini(&y.ix);
	return rc;
}

int ep_levels_new(const struct ep_tree *t, struct ep_levels **ret_l)
{
	struct ep_arena *a = ep_arena_new(0);
	struct ep_levels *l = a ? ep_arena_array(a, struct ep_levels, 1) : NULL;
	if (l)
		l->names = ep_arena_array(a, struct ep_slice, (size_t)t->n_fns + 2);
	if (!l || !l->names) {
		ep_arena_free(a);
		return -ENOMEM;
	}
	l->arena = a;
	l->left_ticks = t->total_a_sum;
	l->right_ticks = t->total_b_sum;
	l->total = t->total_a_sum + t->total_b_sum;
	if (l->total && t->n_nodes && run(t, l) < 0) {
		ep_arena_free(a);
		return -ENOMEM;
	}
	*ret_l = l;
	return 0;
}

void ep_levels_free(struct ep_levels *l)
{
	if (l)
		ep_arena_free(l->arena);
}
