/*
 * series.c - weight over time, by the values of some labels.
 */
#include "query/plan.h"

#include "base/clock.h"
#include "base/index.h"
#include "query/graph.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_BY = 16, MAX_POINTS = 1 << 24 };

struct row {
	struct ep_kv *labels;
	int64_t total;
	struct ep_point *points; /* as they come; sorted and merged at the end */
	uint32_t n, cap;
};

struct build {
	struct ep_arena *a;
	const struct ep_query *q;
	const struct ep_series_opts *o;
	struct ep_index ix;
	struct row *v;
	uint32_t n, cap;
	uint64_t n_points;
};

static bool same(const struct row *r, const struct ep_slice *values, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!ep_slice_eq(r->labels[i].value, values[i]))
			return false;
	return true;
}

static int add_row(struct build *b, const struct ep_slice *values, uint64_t hash)
{
	if (b->n == b->cap) {
		uint32_t cap = b->cap ? b->cap * 2 : 16;
		struct row *v = ep_realloc(b->v, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		b->v = v;
		b->cap = cap;
	}
	struct row *r = &b->v[b->n];
	*r = (struct row){.labels = ep_arena_array(b->a, struct ep_kv, (size_t)b->o->n_by + 1)};
	for (uint32_t i = 0; r->labels && i < b->o->n_by; i++) {
		struct ep_slice name = b->o->by[i], v = values[i];
		char *k = ep_arena_copy(b->a, name.n ? name.p : "", name.n);
		char *c = ep_arena_copy(b->a, v.n ? v.p : "", v.n);
		if (!k || !c)
			return -ENOMEM;
		r->labels[i] = (struct ep_kv){{k, name.n}, {c, v.n}};
	}
	if (!r->labels)
		return -ENOMEM;
	EP_TRY(ep_index_add(&b->ix, hash, b->n));
	b->n++;
	return 0;
}

static struct row *row_of(struct build *b, const struct ep_slice *values)
{
	uint64_t h = b->o->n_by;
	for (uint32_t i = 0; i < b->o->n_by; i++)
		h = ep_hash_mix(h, ep_hash64(values[i].n ? values[i].p : "", values[i].n));
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&b->ix, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&b->ix, &it))
		if (same(&b->v[id], values, b->o->n_by))
			return &b->v[id];
	return add_row(b, values, h) < 0 ? NULL : &b->v[b->n - 1];
}

/* The first of from, from + step, … that is not before t. */
static int64_t step_of(const struct build *b, int64_t t_ms)
{
	int64_t since = t_ms - b->q->from_ms;
	return b->q->from_ms + (since + b->o->step_ms - 1) / b->o->step_ms * b->o->step_ms;
}

static int add_point(struct build *b, struct row *r, int64_t t, int64_t value, struct ep_err *err)
{
	if (__builtin_add_overflow(r->total, value, &r->total))
		return ep_fail(err, -E2BIG, 0, "the values of this range add up to over 2^63");
	struct ep_point *last = r->n ? &r->points[r->n - 1] : NULL;
	if (last && last->t_ms == t) {
		last->value += value; /* not above the total */
		last->n++;
		return 0;
	}
	if (++b->n_points > MAX_POINTS)
		return ep_fail(err, -E2BIG, 0, "over %d points: take a longer step or fewer groups",
			       MAX_POINTS);
	if (r->n == r->cap) {
		uint32_t cap = r->cap ? r->cap * 2 : 32;
		struct ep_point *v = ep_realloc(r->points, cap * sizeof(*v));
		if (!v)
			return ep_fail(err, -ENOMEM, 0, "no memory for a time series");
		r->points = v;
		r->cap = cap;
	}
	r->points[r->n++] = (struct ep_point){t, value, 1};
	return 0;
}

/* Evenly over [start, start + length), to where the range ends; the parts add up to the
 * value when all of it lies within. */
static int add_spread(struct build *b, struct row *r, int64_t start, int64_t length,
		      int64_t value, struct ep_err *err)
{
	int64_t given = 0, last = start + length;
	for (int64_t t = step_of(b, start); t - b->o->step_ms < last && t <= b->q->until_ms;
	     t += b->o->step_ms) {
		int64_t until = t < last ? t : last;
		int64_t due = (int64_t)((__int128_t)value * (until - start) / length);
		if (until > start)
			EP_TRY(add_point(b, r, t, due - given, err));
		given = due;
	}
	return 0;
}

static int add_group(struct build *b, const struct ep_hit *h, uint32_t set, int64_t value,
		     struct ep_err *err)
{
	struct ep_slice values[MAX_BY];
	char buf[MAX_BY][32];
	for (uint32_t i = 0; i < b->o->n_by; i++)
		values[i] = ep_plan_label(h->series, set, b->o->by[i], buf[i]);
	struct row *r = row_of(b, values);
	if (!r)
		return ep_fail(err, -ENOMEM, 0, "no memory for a time series");
	int64_t start = (int64_t)(h->point->time_ns / EP_NS_PER_MS);
	int64_t length = (int64_t)(h->point->duration_ns / EP_NS_PER_MS);
	if (b->o->spread && length > 0)
		return add_spread(b, r, start, length, value, err);
	return add_point(b, r, step_of(b, start), value, err);
}

static int add(void *ctx, const struct ep_hit *h, struct ep_err *err)
{
	struct build *b = ctx;
	if (!h->blob || !b->o->n_by)
		return add_group(b, h, 0, h->total, err); /* set 0 is the empty one */
	if (!h->blob->n_sets)
		return add_group(b, h, 0, 0, err);
	for (uint32_t i = 0; i < h->blob->n_sets; i++) {
		const struct ep_blob *blob = h->blob;
		int64_t sum = blob->set_sums[(size_t)i * blob->n_cols + h->point->col];
		if (ep_hit_takes(h, i) && sum)
			EP_TRY(add_group(b, h, blob->sets[i].id, sum, err));
	}
	return 0;
}

/* --- out ---------------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
	int64_t x = ((const struct ep_point *)a)->t_ms, y = ((const struct ep_point *)b)->t_ms;
	return x < y ? -1 : x > y;
}

static uint32_t merge_points(struct ep_point *v, uint32_t n)
{
	uint32_t out = 0;
	if (n)
		qsort(v, n, sizeof(*v), by_time);
	for (uint32_t i = 0; i < n; i++) {
		if (!out || v[out - 1].t_ms != v[i].t_ms) {
			v[out++] = v[i];
			continue;
		}
		v[out - 1].value += v[i].value;
		v[out - 1].n += v[i].n;
	}
	return out;
}

static int heaviest(const void *a, const void *b, void *n_by)
{
	const struct row *x = a, *y = b;
	if (x->total != y->total)
		return x->total > y->total ? -1 : 1;
	for (uint32_t i = 0; i < *(uint32_t *)n_by; i++) {
		int c = ep_slice_cmp(x->labels[i].value, y->labels[i].value);
		if (c)
			return c;
	}
	return 0;
}

static int finish(struct build *b, struct ep_series *s)
{
	uint32_t n_by = b->o->n_by;
	if (b->n)
		qsort_r(b->v, b->n, sizeof(*b->v), heaviest, &n_by);
	s->n_all = b->n;
	s->n_rows = b->o->limit && b->o->limit < b->n ? b->o->limit : b->n;
	s->rows = ep_arena_array(b->a, struct ep_series_row, (size_t)s->n_rows + 1);
	for (uint32_t i = 0; s->rows && i < s->n_rows; i++) {
		struct row *r = &b->v[i];
		r->n = merge_points(r->points, r->n);
		struct ep_point *p = ep_arena_array(b->a, struct ep_point, (size_t)r->n + 1);
		if (!p)
			return -ENOMEM;
		if (r->n)
			memcpy(p, r->points, r->n * sizeof(*p));
		s->rows[i] = (struct ep_series_row){r->labels, n_by, r->total, p, r->n};
	}
	return s->rows ? 0 : -ENOMEM;
}

static void fini(struct build *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		ep_free(b->v[i].points);
	ep_free(b->v);
	ep_index_fini(&b->ix);
}

/* Do the series' own labels decide the groups?  Then no blob is read. */
static bool by_series_only(const struct ep_plan *p, const struct ep_series_opts *o)
{
	for (uint32_t i = 0; i < p->n; i++)
		for (uint32_t k = 0; k < o->n_by; k++)
			if (!ep_read_label(p->v[i].s, o->by[k]).p)
				return false;
	return true;
}

static int run(const struct ep_query_env *env, const struct ep_query *q, struct build *b,
	       struct ep_series *s, struct ep_err *err)
{
	struct ep_plan p = {0};
	int rc = ep_plan_open(&p, env, q, true, err);
	bool light = !rc && by_series_only(&p, b->o);
	if (!rc)
		rc = ep_plan_run(&p, light ? EP_NEED_TOTAL : EP_NEED_SETS, add, b, err);
	if (!rc && finish(b, s) < 0)
		rc = ep_fail(err, -ENOMEM, 0, "no memory for a time series");
	if (!rc)
		s->ledger = ep_plan_ledger(&p);
	ep_plan_close(&p);
	return rc;
}

int ep_query_series(const struct ep_query_env *env, const struct ep_query *q,
		    const struct ep_series_opts *o, struct ep_series **ret_s,
		    struct ep_err *err)
{
	if (o->step_ms < 1)
		return ep_fail(err, -EINVAL, 0, "step must be >= 1ms");
	if (o->n_by > MAX_BY)
		return ep_fail(err, -E2BIG, 0, "grouped by %u labels, the limit is %d", o->n_by, MAX_BY);
	struct ep_arena *a = ep_arena_new(0);
	struct ep_series *made = a ? ep_arena_array(a, struct ep_series, 1) : NULL;
	char *type = made ? ep_arena_copy(a, q->type.n ? q->type.p : "", q->type.n) : NULL;
	if (!type) {
		ep_arena_free(a);
		return ep_fail(err, -ENOMEM, 0, "no memory for a time series");
	}
	made->arena = a;
	ep_auto(ep_series) s = made;
	s->unit = ep_type_part((struct ep_slice){type, q->type.n}, 2);
	s->step_ms = o->step_ms;
	struct build b = {.a = a, .q = q, .o = o};
	int rc = run(env, q, &b, s, err);
	fini(&b);
	EP_TRY(rc);
	*ret_s = ep_take(&s);
	return 0;
}
