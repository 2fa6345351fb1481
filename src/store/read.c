/* read.c - see read.h. */
#include "store/read.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/inside.h"
#include "store/sql.h"

#include <string.h>

/* What heads that are only read may keep in memory between queries. */
static const size_t max_idle_bytes = 256u << 20;

/* A head or a segment. */
struct source {
	struct ep_head *h;
	struct ep_head_conn *c; /* taken on first use */
	struct ep_segment *g;
	struct ep_block block;	/* of the segment; */
	uint32_t open;		/* its number + 1, 0: none */
};

struct ep_read {
	struct ep_store *s;
	uint64_t from_ns, until_ns;
	struct source *sources;
	uint32_t n_sources;
	struct ep_read_series *series;
	uint32_t n_series;
	size_t cap_series;
	uint64_t damaged;
};

/* --- open ------------------------------------------------------------------------------- */

/* A head holds what arrived on its day: up to 10 minutes ahead, 90 days back. */
static bool may_hold(const struct ep_head *h, uint64_t from_ns, uint64_t until_ns)
{
	const uint64_t day = 86400 * EP_NS_PER_S;
	uint64_t last = h->day_ns + day + EP_STORE_MAX_AHEAD_NS;
	uint64_t first = h->day_ns > EP_STORE_MAX_AGE_NS + day ? h->day_ns - EP_STORE_MAX_AGE_NS - day : 0;
	return from_ns <= last + day && until_ns >= first;
}

static int pin(struct ep_read *r)
{
	struct ep_store *s = r->s;
	r->sources = ep_zalloc(sizeof(*r->sources) * ((size_t)s->n_heads + s->n_segments + 1));
	if (!r->sources)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n_segments; i++) {
		struct ep_segment *g = s->segments[i];
		if (g->max_ns < r->from_ns || g->min_ns > r->until_ns)
			continue;
		g->refs++;
		g->last_used_ns = ep_clock_mono_ns();
		r->sources[r->n_sources++].g = g;
	}
	for (uint32_t i = 0; i < s->n_heads; i++) {
		if (!may_hold(s->heads[i], r->from_ns, r->until_ns))
			continue;
		s->heads[i]->refs++;
		s->heads[i]->last_used_ns = ep_clock_mono_ns();
		r->sources[r->n_sources++].h = s->heads[i];
	}
	r->damaged = s->lost_segments;
	return 0;
}

static int add_series(struct ep_read *r, const struct ep_read_series *v)
{
	if (v->min_ns > v->max_ns || v->max_ns < r->from_ns || v->min_ns > r->until_ns)
		return 0;
	if (r->n_series == r->cap_series) {
		size_t cap = r->cap_series ? r->cap_series * 2 : 64;
		struct ep_read_series *to = ep_realloc(r->series, cap * sizeof(*to));
		if (!to)
			return -ENOMEM;
		r->series = to;
		r->cap_series = cap;
	}
	r->series[r->n_series++] = *v;
	return 0;
}

static int add_of_head(struct ep_read *r, uint32_t source)
{
	struct ep_head *h = r->sources[source].h;
	for (uint32_t i = 0; i < ep_vec_n(&h->series); i++) {
		struct ep_head_series *from = ep_head_series_at(h, i);
		struct ep_read_series v = {
			.labels = from->labels,
			.n_labels = from->n_labels,
			.source = source,
			.id = i,
			.service = from->service,
			.min_ns = atomic_load(&from->min_ns),
			.max_ns = atomic_load(&from->max_ns),
		};
		EP_TRY(add_series(r, &v));
	}
	return 0;
}

static int add_of_segment(struct ep_read *r, uint32_t source)
{
	const struct ep_segment_index *x = &r->sources[source].g->x;
	for (uint32_t i = 0; i < x->n_series; i++) {
		struct ep_read_series v = {
			.labels = x->series[i].labels,
			.n_labels = x->series[i].n_labels,
			.source = source,
			.id = i,
			.service = x->series[i].service,
			.min_ns = x->series[i].min_ns,
			.max_ns = x->series[i].max_ns,
		};
		EP_TRY(add_series(r, &v));
	}
	return 0;
}

/* A source that can't be read is named by its loader and left out. */
static int list_series(struct ep_read *r, uint32_t source, struct ep_err *err)
{
	struct source *from = &r->sources[source];
	struct ep_err fault = {0};
	pthread_mutex_lock(&r->s->load_lock);
	int rc = from->g ? ep_segment_load(from->g, &fault) : ep_head_load(from->h, &fault);
	pthread_mutex_unlock(&r->s->load_lock);
	if (rc == -EBADMSG || rc == -ENOTSUP) {
		r->damaged++;
		return 0;
	}
	if (rc < 0)
		return ep_fail(err, rc, 0, "%s", fault.text);
	rc = from->g ? add_of_segment(r, source) : add_of_head(r, source);
	return rc < 0 ? ep_fail(err, rc, 0, "no memory for the series of a query") : 0;
}

int ep_read_open(struct ep_store *s, uint64_t from_ns, uint64_t until_ns, struct ep_read **ret_r,
		 struct ep_err *err)
{
	__attribute__((cleanup(ep_read_auto_free_))) struct ep_read *r = ep_zalloc(sizeof(*r));
	if (!r)
		return ep_fail(err, -ENOMEM, 0, "no memory for a query");
	r->s = s;
	r->from_ns = from_ns;
	/* SQLite's integers are signed. */
	r->until_ns = until_ns < INT64_MAX ? until_ns : INT64_MAX;
	pthread_mutex_lock(&s->lock);
	int rc = pin(r);
	pthread_mutex_unlock(&s->lock);
	if (rc < 0)
		return ep_fail(err, rc, 0, "no memory for a query");
	for (uint32_t i = 0; i < r->n_sources; i++)
		EP_TRY(list_series(r, i, err));
	*ret_r = ep_take(&r);
	return 0;
}

/* --- close -------------------------------------------------------------------------------- */

/* The loaded head that nobody uses and that was used longest ago; under the lock. */
static struct ep_head *least_used(struct ep_store *s, size_t *ret_bytes)
{
	struct ep_head *least = NULL;
	*ret_bytes = 0;
	for (uint32_t i = 0; i < s->n_heads; i++) {
		struct ep_head *h = s->heads[i];
		if (h == s->active || h->w.db || h->refs)
			continue;
		*ret_bytes += ep_head_bytes(h);
		if (ep_vec_n(&h->series) && (!least || h->last_used_ns < least->last_used_ns))
			least = h;
	}
	return least;
}

/* The same of segments. */
static struct ep_segment *least_used_segment(struct ep_store *s, size_t *ret_bytes)
{
	struct ep_segment *least = NULL;
	*ret_bytes = 0;
	for (uint32_t i = 0; i < s->n_segments; i++) {
		struct ep_segment *g = s->segments[i];
		if (g->refs || !g->loaded)
			continue;
		*ret_bytes += ep_segment_memory(g);
		if (!least || g->last_used_ns < least->last_used_ns)
			least = g;
	}
	return least;
}

static void unpin(struct ep_read *r)
{
	struct ep_store *s = r->s;
	size_t idle = 0;
	pthread_mutex_lock(&s->lock);
	for (uint32_t i = 0; i < r->n_sources; i++)
		if (r->sources[i].g)
			r->sources[i].g->refs--;
		else
			r->sources[i].h->refs--;
	for (struct ep_head *h; (h = least_used(s, &idle)) && idle > max_idle_bytes;)
		ep_head_unload(h);
	for (struct ep_segment *g; (g = least_used_segment(s, &idle)) && idle > max_idle_bytes;)
		ep_segment_unload(g);
	if (s->retired)
		pthread_cond_signal(&s->seal_work);
	pthread_mutex_unlock(&s->lock);
}

void ep_read_close(struct ep_read *r)
{
	if (!r)
		return;
	for (uint32_t i = 0; i < r->n_sources; i++) {
		if (r->sources[i].c)
			ep_head_put_conn(r->sources[i].h, r->sources[i].c);
		ep_block_fini(&r->sources[i].block);
	}
	if (r->s)
		unpin(r);
	ep_free(r->sources);
	ep_free(r->series);
	ep_free(r);
}

/* --- look --------------------------------------------------------------------------------- */

const struct ep_read_series *ep_read_series(const struct ep_read *r, uint32_t *ret_n)
{
	*ret_n = r->n_series;
	return r->series;
}

struct ep_slice ep_read_label(const struct ep_read_series *s, struct ep_slice key)
{
	for (uint32_t i = 0; i < s->n_labels; i++)
		if (ep_slice_eq(s->labels[i].key, key))
			return s->labels[i].value;
	return (struct ep_slice){NULL, 0};
}

uint64_t ep_read_damaged(const struct ep_read *r)
{
	return r->damaged;
}

int ep_read_dict(struct ep_read *r, const struct ep_read_series *s, const struct ep_dict **ret_d,
		 struct ep_err *err)
{
	struct ep_dict *d = NULL;
	const struct source *from = &r->sources[s->source];
	EP_TRY(from->g ? ep_segment_dict(from->g, s->service, &d, err)
		       : ep_head_dict(from->h, s->service, &d, err));
	*ret_d = d;
	return 0;
}

static int conn_of(struct ep_read *r, uint32_t source, struct ep_head_conn **ret_c,
		   struct ep_err *err)
{
	struct source *v = &r->sources[source];
	if (!v->c)
		EP_TRY(ep_head_get_conn(v->h, &v->c, err));
	*ret_c = v->c;
	return 0;
}

static int walk(struct ep_read *r, struct ep_head *h, struct ep_head_conn *c, uint32_t series,
		ep_read_point_fn *fn, void *ctx, struct ep_err *err)
{
	int rc, code = 0;
	while (!code && (rc = sqlite3_step(c->points)) == SQLITE_ROW) {
		struct ep_head_point p;
		if (ep_head_get_point(c->points, series, &p)) {
			code = fn(ctx, &p, err);
			continue;
		}
		r->damaged++;
		ep_head_set_aside(h, p.blob, "", 0, "its row has a wrong checksum");
	}
	if (code || rc == SQLITE_DONE)
		return code;
	if (ep_sql_code(c->db, rc) != -EBADMSG)
		return ep_sql_fail(c->db, rc, h->name, err);
	ep_log_warn("store: part of series %u of %s can't be read and is skipped", series, h->name);
	atomic_store(&h->damaged, true);
	r->damaged++;
	return 0;
}

static int walk_head(struct ep_read *r, const struct ep_read_series *s, ep_read_point_fn *fn,
		     void *ctx, struct ep_err *err)
{
	struct ep_head_conn *c = NULL;
	EP_TRY(conn_of(r, s->source, &c, err));
	sqlite3_bind_int64(c->points, 1, s->id);
	sqlite3_bind_int64(c->points, 2, (sqlite3_int64)r->from_ns);
	sqlite3_bind_int64(c->points, 3, (sqlite3_int64)r->until_ns);
	int rc = walk(r, r->sources[s->source].h, c, s->id, fn, ctx, err);
	(void)sqlite3_reset(c->points); /* errors were reported by walk() */
	(void)sqlite3_reset(c->blob);   /* so that no read transaction stays open */
	return rc;
}

/* --- segments --------------------------------------------------------------------------------- */

static int skip_block(struct ep_read *r, struct ep_segment *g, uint32_t number, int which,
		      const char *why)
{
	ep_segment_set_aside(g, number, which, why);
	r->damaged += g->x.blocks[number].n_points;
	return 0;
}

/* 1: the block is open, its points are read; 0: it is damaged. */
static int open_block(struct ep_read *r, struct source *from, uint32_t number, struct ep_err *err)
{
	struct ep_err fault = {0};
	if (from->open == number + 1)
		return 1;
	from->open = 0;
	if (ep_segment_is_bad(from->g, number, EP_SEGMENT_SUMS))
		return skip_block(r, from->g, number, EP_SEGMENT_SUMS, "");
	if (!from->block.z && ep_block_init(&from->block) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for a query");
	int rc = ep_segment_block(from->g, number, &from->block, &fault);
	if (!rc)
		rc = ep_block_read_points(&from->block, &fault);
	if (rc == -EBADMSG)
		return skip_block(r, from->g, number, EP_SEGMENT_SUMS, fault.text);
	if (rc < 0)
		return ep_fail(err, rc, 0, "%s", fault.text);
	from->open = number + 1;
	return 1;
}

struct ep_head_point ep_read_block_point(const struct ep_read_block *k, uint32_t i)
{
	const struct ep_block *b = k->block;
	size_t cell = (size_t)i * b->n_cols + k->col;
	return (struct ep_head_point){
		.series = k->series->id,
		.col = k->col,
		.time_ns = b->points[i].time_ns,
		.duration_ns = b->points[i].duration_ns,
		.blob = (uint64_t)k->number << 32 | i,
		.total = b->totals[cell],
		.samples = b->samples[cell],
		.ledger = b->points[i].ledger,
	};
}

/* A callback may open another block: this one is opened again then. */
static int walk_points(struct ep_read *r, struct ep_read_block *k, ep_read_point_fn *fn, void *ctx,
		       struct ep_err *err)
{
	struct source *from = &r->sources[k->series->source];
	for (uint32_t i = 0; i < from->g->x.blocks[k->number].n_points; i++) {
		int rc = open_block(r, from, k->number, err);
		if (rc <= 0)
			return rc;
		struct ep_head_point p = ep_read_block_point(k, i);
		if (p.time_ns < r->from_ns || p.time_ns > r->until_ns)
			continue;
		rc = fn(ctx, &p, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* Its profiles lie by time. */
static void find_range(const struct ep_read *r, struct ep_read_block *k)
{
	const struct ep_block *b = k->block;
	k->first = 0;
	k->end = b->n_points;
	while (k->first < k->end && b->points[k->first].time_ns < r->from_ns)
		k->first++;
	while (k->end > k->first && b->points[k->end - 1].time_ns > r->until_ns)
		k->end--;
}

static int walk_block(struct ep_read *r, struct ep_read_block *k, ep_read_block_fn *block_fn,
		      ep_read_point_fn *fn, void *ctx, struct ep_err *err)
{
	struct source *from = &r->sources[k->series->source];
	const struct ep_segment_block *v = &from->g->x.blocks[k->number];
	if (v->max_ns < r->from_ns || v->min_ns > r->until_ns)
		return 0;
	int rc = open_block(r, from, k->number, err);
	if (rc <= 0)
		return rc;
	k->block = &from->block;
	find_range(r, k);
	if (block_fn && k->first < k->end) {
		rc = block_fn(ctx, k, err);
		if (rc)
			return rc < 0 ? rc : 0;
	}
	return walk_points(r, k, fn, ctx, err);
}

static int walk_segment(struct ep_read *r, const struct ep_read_series *s,
			ep_read_block_fn *block_fn, ep_read_point_fn *fn, void *ctx,
			struct ep_err *err)
{
	const struct ep_segment_index *x = &r->sources[s->source].g->x;
	const struct ep_segment_series *own = &x->series[s->id];
	for (uint32_t u = own->first_use; u < own->first_use + own->n_uses; u++) {
		const struct ep_segment_group *g = &x->groups[x->uses[u].group];
		for (uint32_t i = g->first_block; i < g->first_block + g->n_blocks; i++) {
			struct ep_read_block k = {.series = s, .number = i, .col = x->uses[u].col};
			int rc = walk_block(r, &k, block_fn, fn, ctx, err);
			if (rc)
				return rc;
		}
	}
	return 0;
}

int ep_read_walk(struct ep_read *r, const struct ep_read_series *s, ep_read_block_fn *block_fn,
		 ep_read_point_fn *fn, void *ctx, struct ep_err *err)
{
	return r->sources[s->source].g ? walk_segment(r, s, block_fn, fn, ctx, err)
				       : walk_head(r, s, fn, ctx, err);
}

int ep_read_points(struct ep_read *r, const struct ep_read_series *s, ep_read_point_fn *fn,
		   void *ctx, struct ep_err *err)
{
	return ep_read_walk(r, s, NULL, fn, ctx, err);
}

static int check_ids(const struct ep_blob *b, const struct ep_dict *d, struct ep_err *fault)
{
	uint32_t n_sets = ep_vec_n(&d->sets), n_stacks = ep_vec_n(&d->stacks);
	bool ok = true;
	for (uint32_t i = 0; i < b->n_sets; i++)
		ok &= b->sets[i].id < n_sets;
	for (uint32_t i = 0; i < b->n_rows; i++)
		ok &= b->stacks[i] < n_stacks;
	return ok ? 0 : ep_fail(fault, -EBADMSG, 0, "an id is not in its dictionary");
}

static int check_sums(struct ep_read *r, const struct ep_read_block *k, bool whole, int rc,
		      struct ep_blob *to, struct ep_err *fault, struct ep_err *err)
{
	struct source *from = &r->sources[k->series->source];
	const struct ep_dict *d = NULL;
	EP_TRY(ep_read_dict(r, k->series, &d, err));
	to->meta = from->block.points[0].meta;
	if (!rc)
		rc = check_ids(to, d, fault);
	if (rc == -EBADMSG && whole)
		return skip_block(r, from->g, k->number, EP_SEGMENT_SUMS, fault->text);
	if (rc == -EBADMSG)
		ep_segment_set_aside(from->g, k->number, EP_SEGMENT_MINUTES, fault->text);
	if (rc == -EBADMSG || rc == -ENOENT) {
		r->damaged += k->end - k->first;
		return 0;
	}
	return rc < 0 ? ep_fail(err, rc, 0, "%s", fault->text) : 1;
}

int ep_read_block_sum(struct ep_read *r, const struct ep_read_block *k,
		      struct ep_block_filter *filter, struct ep_blob *to, struct ep_err *err)
{
	struct source *from = &r->sources[k->series->source];
	struct ep_err fault = {0};
	bool whole = !k->first && k->end == from->block.n_points;
	if (!whole && ep_segment_is_bad(from->g, k->number, EP_SEGMENT_MINUTES)) {
		r->damaged += k->end - k->first;
		return 0;
	}
	int rc = ep_block_sum(&from->block, k->col, filter, k->first, k->end, to, &fault);
	return check_sums(r, k, whole, rc, to, &fault, err);
}

int ep_read_block_sum_pairs(struct ep_read *r, const struct ep_read_block *k, struct ep_blob *to,
			    struct ep_err *err)
{
	struct ep_err fault = {0};
	int rc = ep_block_sum_pairs(&r->sources[k->series->source].block, k->col, to, &fault);
	return check_sums(r, k, true, rc, to, &fault, err);
}

int ep_read_block_sets(struct ep_read *r, const struct ep_read_block *k, struct ep_err *err)
{
	struct source *from = &r->sources[k->series->source];
	const struct ep_dict *d = NULL;
	struct ep_err fault = {0};
	EP_TRY(ep_read_dict(r, k->series, &d, err));
	int rc = ep_block_read_point_sets(&from->block, k->col, &fault);
	if (rc == -EBADMSG || rc == -ENOENT)
		return 0;
	EP_TRY(rc < 0 ? ep_fail(err, rc, 0, "%s", fault.text) : 0);
	for (uint32_t i = 0; i < from->block.sets_from[from->block.n_points]; i++)
		if (from->block.point_sets[i] >= ep_vec_n(&d->sets))
			return 0;
	return 1;
}

/* The point's block is open again. */
static int reopen(struct ep_read *r, const struct ep_read_series *s, const struct ep_head_point *p,
		  struct ep_err *err)
{
	struct source *from = &r->sources[s->source];
	uint32_t number = (uint32_t)(p->blob >> 32);
	if (ep_segment_is_bad(from->g, number, EP_SEGMENT_MINUTES)) {
		r->damaged++;
		return 0;
	}
	return open_block(r, from, number, err);
}

/* Minutes that can't be read cost their profiles; the block's sums stay. */
static int skip_minutes(struct ep_read *r, struct source *from, uint64_t blob, int rc,
			const struct ep_err *fault, struct ep_err *err)
{
	if (rc != -EBADMSG && rc != -ENOENT)
		return ep_fail(err, rc, 0, "%s", fault->text);
	if (rc == -EBADMSG)
		ep_segment_set_aside(from->g, (uint32_t)(blob >> 32), EP_SEGMENT_MINUTES, fault->text);
	r->damaged++;
	return 0;
}

/* The blob's sums stand in the point's column, as they do in a head. */
static int point_sets(struct ep_block *b, const struct ep_head_point *p, const struct ep_dict *d,
		      struct ep_blob *to, struct ep_err *fault)
{
	uint32_t i = (uint32_t)p->blob;
	EP_TRY(ep_block_read_point_sets(b, p->col, fault));
	uint32_t first = b->sets_from[i], n = b->sets_from[i + 1] - first;
	if (ep_blob_room(to, n, b->n_cols, 0) < 0)
		return ep_fail(fault, -ENOMEM, 0, "no memory for a query");
	memset(to->set_sums, 0, (size_t)n * b->n_cols * sizeof(*to->set_sums));
	for (uint32_t k = 0; k < n; k++) {
		to->sets[k] = (struct ep_blob_set){b->point_sets[first + k], 0, 0};
		to->set_sums[(size_t)k * b->n_cols + p->col] = b->point_sums[first + k];
	}
	to->meta = b->points[i].meta;
	if (to->meta >= ep_vec_n(&d->metas))
		return ep_fail(fault, -EBADMSG, 0, "a profile's head is not in the dictionary");
	return check_ids(to, d, fault);
}

static int segment_blob(struct ep_read *r, const struct ep_read_series *s,
			const struct ep_head_point *p, struct ep_blob *to, struct ep_err *err)
{
	struct source *from = &r->sources[s->source];
	const struct ep_dict *d = NULL;
	struct ep_err fault = {0};
	EP_TRY(ep_read_dict(r, s, &d, err));
	int rc = reopen(r, s, p, err);
	if (rc <= 0)
		return rc;
	rc = point_sets(&from->block, p, d, to, &fault);
	return rc < 0 ? skip_minutes(r, from, p->blob, rc, &fault, err) : 1;
}

/* Rows lie by set, as the sets of the blob do. */
static int point_rows(struct ep_block *b, const struct ep_head_point *p, const struct ep_dict *d,
		      struct ep_blob *to, struct ep_err *fault)
{
	uint32_t i = (uint32_t)p->blob, at = 0;
	EP_TRY(ep_block_read_rows(b, p->col, fault));
	uint32_t first = b->rows_from[i], n = b->rows_from[i + 1] - first;
	if (ep_blob_room(to, to->n_sets, to->n_cols, n) < 0)
		return ep_fail(fault, -ENOMEM, 0, "no memory for a query");
	for (uint32_t k = 0; k < to->n_sets; k++) {
		to->sets[k].first_row = at;
		while (at < n && b->row_sets[first + at] == to->sets[k].id)
			at++;
		to->sets[k].n_rows = at - to->sets[k].first_row;
	}
	if (at != n)
		return ep_fail(fault, -EBADMSG, 0, "a profile's rows do not fit its label sets");
	memcpy(to->stacks, b->row_stacks + first, (size_t)n * sizeof(*to->stacks));
	memcpy(to->values, b->row_values + first, (size_t)n * sizeof(*to->values));
	return check_ids(to, d, fault);
}

static int segment_rows(struct ep_read *r, const struct ep_read_series *s,
			const struct ep_head_point *p, struct ep_blob *to, struct ep_err *err)
{
	struct source *from = &r->sources[s->source];
	const struct ep_dict *d = NULL;
	struct ep_err fault = {0};
	EP_TRY(ep_read_dict(r, s, &d, err));
	int rc = reopen(r, s, p, err);
	if (rc <= 0)
		return rc;
	rc = point_rows(&from->block, p, d, to, &fault);
	return rc < 0 ? skip_minutes(r, from, p->blob, rc, &fault, err) : 1;
}

/* --- blobs ------------------------------------------------------------------------------------ */

/* Damage costs this record and no more. */
static int skip_blob(struct ep_read *r, struct ep_head *h, const struct ep_head_point *p,
		     struct ep_slice bytes, const struct ep_err *why)
{
	r->damaged++;
	ep_head_set_aside(h, p->blob, bytes.p, bytes.n, why->text);
	return 0;
}

static int check_blob(struct ep_blob *b, struct ep_slice bytes, const struct ep_dict *d,
		     const struct ep_head_point *p, struct ep_err *fault)
{
	EP_TRY(ep_blob_open(b, bytes.p, bytes.n, fault));
	if (p->col >= b->n_cols || b->meta >= ep_vec_n(&d->metas))
		return ep_fail(fault, -EBADMSG, 0, "it does not fit its row");
	uint32_t n = ep_vec_n(&d->sets);
	for (uint32_t i = 0; i < b->n_sets; i++)
		if (b->sets[i].id >= n)
			return ep_fail(fault, -EBADMSG, 0, "label set %u is not in the dictionary",
				       b->sets[i].id);
	return 0;
}

int ep_read_blob(struct ep_read *r, const struct ep_read_series *s, const struct ep_head_point *p,
		 struct ep_blob *b, struct ep_err *err)
{
	struct ep_head *h = r->sources[s->source].h;
	struct ep_head_conn *c = NULL;
	const struct ep_dict *d = NULL;
	if (!h)
		return segment_blob(r, s, p, b, err);
	EP_TRY(conn_of(r, s->source, &c, err));
	EP_TRY(ep_read_dict(r, s, &d, err));
	if (ep_head_is_bad(h, p->blob)) {
		r->damaged++;
		return 0;
	}
	(void)sqlite3_reset(c->blob); /* the last one's error was reported then */
	sqlite3_bind_int64(c->blob, 1, (sqlite3_int64)p->blob);
	int rc = sqlite3_step(c->blob);
	struct ep_err fault = {0};
	if (rc == SQLITE_DONE || ep_sql_code(c->db, rc) == -EBADMSG) {
		(void)ep_fail(&fault, -EBADMSG, 0, "its bytes can't be read"); /* for the log */
		return skip_blob(r, h, p, (struct ep_slice){NULL, 0}, &fault);
	}
	if (rc != SQLITE_ROW)
		return ep_sql_fail(c->db, rc, h->name, err);
	struct ep_slice bytes = {sqlite3_column_blob(c->blob, 0),
				 (size_t)sqlite3_column_bytes(c->blob, 0)};
	int code = check_blob(b, bytes, d, p, &fault);
	if (code == -ENOMEM)
		return ep_fail(err, code, 0, "%s", fault.text);
	return code < 0 ? skip_blob(r, h, p, bytes, &fault) : 1;
}

static int read_rows(struct ep_blob *b, const struct ep_dict *d, uint32_t col, struct ep_err *fault)
{
	EP_TRY(ep_blob_read_stacks(b, fault));
	EP_TRY(ep_blob_read_values(b, col, fault));
	uint32_t n = ep_vec_n(&d->stacks);
	for (uint32_t i = 0; i < b->n_rows; i++)
		if (b->stacks[i] >= n)
			return ep_fail(fault, -EBADMSG, 0, "stack %u is not in the dictionary",
				       b->stacks[i]);
	return 0;
}

int ep_read_rows(struct ep_read *r, const struct ep_read_series *s, const struct ep_head_point *p,
		 struct ep_blob *b, struct ep_err *err)
{
	const struct ep_dict *d = NULL;
	struct ep_err fault = {0};
	if (r->sources[s->source].g)
		return segment_rows(r, s, p, b, err);
	EP_TRY(ep_read_dict(r, s, &d, err));
	int rc = read_rows(b, d, p->col, &fault);
	if (rc == -ENOMEM)
		return ep_fail(err, rc, 0, "%s", fault.text);
	return rc < 0 ? skip_blob(r, r->sources[s->source].h, p, b->bytes, &fault) : 1;
}
