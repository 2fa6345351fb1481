/*
 * heatmap.c - how many profiles, or spans, of which weight at which time.
 *
 * Every one is kept until the end, since the buckets depend on the least and the most.
 */
#include "query/plan.h"

#include "base/clock.h"
#include "base/grow.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_BY = 16, MAX_ENTRIES = 1 << 22, MAX_ROWS = 1 << 16 };

struct entry {
	uint32_t row;
	int64_t t_ms, value;
};

struct row {
	struct ep_kv *labels;
	uint64_t hash;
	int64_t total;
	uint32_t n_entries, first; /* after sorting */
};

struct build {
	struct ep_arena *a;
	const struct ep_query *q;
	const struct ep_heatmap_opts *o;
	struct row *rows;
	uint32_t n_rows, cap_rows;
	struct entry *v;
	uint32_t n, cap;
};

static int no_memory(struct ep_err *err)
{
	return ep_fail(err, -ENOMEM, 0, "no memory for a heatmap");
}

static struct ep_kv *copy_labels(struct build *b, const struct ep_slice *values)
{
	struct ep_kv *to = ep_arena_array(b->a, struct ep_kv, (size_t)b->o->n_by + 1);
	for (uint32_t i = 0; to && i < b->o->n_by; i++) {
		struct ep_slice name = b->o->by[i], v = values[i];
		char *k = ep_arena_copy(b->a, name.n ? name.p : "", name.n);
		char *c = ep_arena_copy(b->a, v.n ? v.p : "", v.n);
		if (!k || !c)
			return NULL;
		to[i] = (struct ep_kv){{k, name.n}, {c, v.n}};
	}
	return to;
}

static bool is_row(const struct row *r, uint64_t hash, const struct ep_slice *values, uint32_t n)
{
	if (r->hash != hash)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!ep_slice_eq(r->labels[i].value, values[i]))
			return false;
	return true;
}

/* Rows are few: what people tell apart by colour. */
static int row_of(struct build *b, const struct ep_slice *values, uint32_t *ret_row,
		  struct ep_err *err)
{
	uint64_t h = b->o->n_by;
	for (uint32_t i = 0; i < b->o->n_by; i++)
		h = ep_hash_mix(h, ep_hash64(values[i].n ? values[i].p : "", values[i].n));
	for (uint32_t i = b->n_rows; i--;) /* the last is the likeliest */
		if (is_row(&b->rows[i], h, values, b->o->n_by)) {
			*ret_row = i;
			return 0;
		}
	if (b->n_rows == MAX_ROWS)
		return ep_fail(err, -E2BIG, 0, "over %d groups: group by less", MAX_ROWS);
	if (b->n_rows == b->cap_rows &&
	    ep_grow((void *)&b->rows, &b->cap_rows, b->cap_rows, sizeof(*b->rows)) < 0)
		return no_memory(err);
	b->rows[b->n_rows] = (struct row){.labels = copy_labels(b, values), .hash = h};
	if (!b->rows[b->n_rows].labels)
		return no_memory(err);
	*ret_row = b->n_rows++;
	return 0;
}

/* The first of from, from + step, … that is not before t. */
static int64_t slot_of(const struct build *b, int64_t t_ms)
{
	int64_t since = t_ms - b->q->from_ms;
	return b->q->from_ms + (since + b->o->step_ms - 1) / b->o->step_ms * b->o->step_ms;
}

static int add_entry(struct build *b, const struct ep_hit *h, uint32_t set, int64_t value,
		     struct ep_err *err)
{
	struct ep_slice values[MAX_BY];
	char buf[MAX_BY][32];
	uint32_t row = 0;
	for (uint32_t i = 0; i < b->o->n_by; i++)
		values[i] = ep_plan_label(h->series, set, b->o->by[i], buf[i]);
	EP_TRY(row_of(b, values, &row, err));
	if (b->n == MAX_ENTRIES)
		return ep_fail(err, -E2BIG, 0, "over %d of them: take a shorter range", MAX_ENTRIES);
	if (b->n == b->cap && ep_grow((void *)&b->v, &b->cap, b->cap, sizeof(*b->v)) < 0)
		return no_memory(err);
	int64_t start = (int64_t)(h->point->time_ns / EP_NS_PER_MS);
	b->v[b->n++] = (struct entry){row, slot_of(b, start), value};
	if (__builtin_add_overflow(b->rows[row].total, value, &b->rows[row].total))
		b->rows[row].total = INT64_MAX; /* an order of rows, no more */
	return 0;
}

static int add(void *ctx, const struct ep_hit *h, struct ep_err *err)
{
	struct build *b = ctx;
	if (!b->o->spans && (!h->blob || !b->o->n_by))
		return add_entry(b, h, 0, h->total, err);
	for (uint32_t i = 0; h->blob && i < h->blob->n_sets; i++) {
		const struct ep_blob *blob = h->blob;
		char buf[32];
		uint32_t set = blob->sets[i].id;
		int64_t sum = blob->set_sums[(size_t)i * blob->n_cols + h->point->col];
		bool is_span = !b->o->spans ||
			       ep_plan_label(h->series, set, ep_slice_of("span_id"), buf).n;
		if (ep_hit_takes(h, i) && sum && is_span)
			EP_TRY(add_entry(b, h, set, sum, err));
	}
	return 0;
}

/* --- out --------------------------------------------------------------------------------- */

static int by_row_and_time(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return x->t_ms < y->t_ms ? -1 : x->t_ms > y->t_ms;
}

static int heaviest(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	if (x->total != y->total)
		return x->total > y->total ? -1 : 1;
	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static void set_bounds(const struct build *b, struct ep_heatmap *m)
{
	int64_t least = b->n ? b->v[0].value : 0, most = least;
	for (uint32_t i = 0; i < b->n; i++) {
		least = b->v[i].value < least ? b->v[i].value : least;
		most = b->v[i].value > most ? b->v[i].value : most;
	}
	m->least = (double)least;
	m->width = ((double)most - (double)least) / EP_HEATMAP_BUCKETS;
}

static uint32_t bucket_of(const struct ep_heatmap *m, int64_t value)
{
	double at = m->width > 0 ? ((double)value - m->least) / m->width : 0;
	return at >= EP_HEATMAP_BUCKETS - 1 ? EP_HEATMAP_BUCKETS - 1 : (uint32_t)at;
}

static int fill_row(const struct build *b, const struct row *r, struct ep_heatmap *m,
		    struct ep_heatmap_row *out)
{
	out->labels = r->labels;
	out->n_labels = b->o->n_by;
	out->slots = ep_arena_array(b->a, struct ep_heatmap_slot, (size_t)r->n_entries + 1);
	if (!out->slots)
		return -ENOMEM;
	for (uint32_t i = r->first; i < r->first + r->n_entries; i++) {
		struct ep_heatmap_slot *s = out->n_slots ? &out->slots[out->n_slots - 1] : NULL;
		if (!s || s->t_ms != b->v[i].t_ms) {
			s = &out->slots[out->n_slots++];
			*s = (struct ep_heatmap_slot){.t_ms = b->v[i].t_ms};
		}
		s->counts[bucket_of(m, b->v[i].value)]++;
	}
	return 0;
}

static int finish(struct build *b, struct ep_heatmap *m, struct ep_err *err)
{
	set_bounds(b, m);
	if (b->n)
		qsort(b->v, b->n, sizeof(*b->v), by_row_and_time);
	for (uint32_t i = b->n; i--;) {
		b->rows[b->v[i].row].first = i;
		b->rows[b->v[i].row].n_entries++;
	}
	if (b->n_rows)
		qsort(b->rows, b->n_rows, sizeof(*b->rows), heaviest);
	uint32_t n = b->o->limit && b->o->limit < b->n_rows ? b->o->limit : b->n_rows;
	m->rows = ep_arena_zalloc(b->a, (size_t)n + 1, sizeof(*m->rows));
	if (!m->rows)
		return no_memory(err);
	for (uint32_t i = 0; i < n; i++)
		if (fill_row(b, &b->rows[i], m, &m->rows[i]) < 0)
			return no_memory(err);
	m->n_rows = n;
	return 0;
}

static int run(struct build *b, const struct ep_query_env *env, struct ep_err *err)
{
	struct ep_plan p = {0};
	enum ep_plan_need need = b->o->spans || b->o->n_by ? EP_NEED_SETS : EP_NEED_TOTAL;
	int rc = ep_plan_open(&p, env, b->q, true, err);
	if (rc == 0)
		rc = ep_plan_run(&p, need, add, b, err);
	ep_plan_close(&p);
	return rc;
}

int ep_query_heatmap(const struct ep_query_env *env, const struct ep_query *q,
		     const struct ep_heatmap_opts *o, struct ep_heatmap **ret_m, struct ep_err *err)
{
	if (o->n_by > MAX_BY)
		return ep_fail(err, -EINVAL, 0, "group by at most %d labels", MAX_BY);
	struct ep_arena *a = ep_arena_new(0);
	struct build b = {.a = a, .q = q, .o = o};
	struct ep_heatmap *m = a ? ep_arena_zalloc(a, 1, sizeof(*m)) : NULL;
	int rc = m ? run(&b, env, err) : no_memory(err);
	if (rc == 0)
		rc = finish(&b, m, err);
	ep_free(b.rows);
	ep_free(b.v);
	if (rc < 0) {
		ep_arena_free(a);
		return rc;
	}
	m->arena = a;
	*ret_m = m;
	return 0;
}
