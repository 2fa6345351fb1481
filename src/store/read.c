/* read.c - see read.h. */
#include "store/read.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/inside.h"
#include "store/sql.h"

#include <string.h>

/* What heads that are only read may keep in memory between queries. */
static const size_t max_idle_bytes = 256u << 20;

struct view_head {
	struct ep_head *h;
	struct ep_head_conn *c; /* taken on first use */
};

struct ep_read {
	struct ep_store *s;
	uint64_t from_ns, until_ns;
	struct view_head *heads;
	uint32_t n_heads;
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
	r->heads = ep_zalloc(sizeof(*r->heads) * ((size_t)s->n_heads + 1));
	if (!r->heads)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n_heads; i++) {
		if (!may_hold(s->heads[i], r->from_ns, r->until_ns))
			continue;
		s->heads[i]->refs++;
		s->heads[i]->last_used_ns = ep_clock_mono_ns();
		r->heads[r->n_heads++].h = s->heads[i];
	}
	return 0;
}

static int add_series(struct ep_read *r, uint32_t head, uint32_t id)
{
	const struct ep_head_series *from = ep_head_series_at(r->heads[head].h, id);
	uint64_t min = atomic_load(&((struct ep_head_series *)from)->min_ns);
	uint64_t max = atomic_load(&((struct ep_head_series *)from)->max_ns);
	if (min > max || max < r->from_ns || min > r->until_ns)
		return 0;
	if (r->n_series == r->cap_series) {
		size_t cap = r->cap_series ? r->cap_series * 2 : 64;
		struct ep_read_series *v = ep_realloc(r->series, cap * sizeof(*v));
		if (!v)
			return -ENOMEM;
		r->series = v;
		r->cap_series = cap;
	}
	r->series[r->n_series++] = (struct ep_read_series){
		.labels = from->labels,
		.n_labels = from->n_labels,
		.head = head,
		.id = id,
		.service = from->service,
		.min_ns = min,
		.max_ns = max,
	};
	return 0;
}

/* A head that can't be read is named by its loader and left out. */
static int list_series(struct ep_read *r, uint32_t head, struct ep_err *err)
{
	struct ep_head *h = r->heads[head].h;
	struct ep_err fault = {0};
	pthread_mutex_lock(&r->s->load_lock);
	int rc = ep_head_load(h, &fault);
	pthread_mutex_unlock(&r->s->load_lock);
	if (rc == -EBADMSG || rc == -ENOTSUP) {
		r->damaged++;
		return 0;
	}
	if (rc < 0)
		return ep_fail(err, rc, 0, "%s", fault.text);
	for (uint32_t i = 0; i < ep_vec_n(&h->series); i++)
		if (add_series(r, head, i) < 0)
			return ep_fail(err, -ENOMEM, 0, "no memory for the series of a query");
	return 0;
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
	for (uint32_t i = 0; i < r->n_heads; i++)
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

static void unpin(struct ep_read *r)
{
	struct ep_store *s = r->s;
	size_t idle = 0;
	pthread_mutex_lock(&s->lock);
	for (uint32_t i = 0; i < r->n_heads; i++)
		r->heads[i].h->refs--;
	for (struct ep_head *h; (h = least_used(s, &idle)) && idle > max_idle_bytes;)
		ep_head_unload(h);
	pthread_mutex_unlock(&s->lock);
}

void ep_read_close(struct ep_read *r)
{
	if (!r)
		return;
	for (uint32_t i = 0; i < r->n_heads; i++)
		if (r->heads[i].c)
			ep_head_put_conn(r->heads[i].h, r->heads[i].c);
	if (r->s)
		unpin(r);
	ep_free(r->heads);
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
	EP_TRY(ep_head_dict(r->heads[s->head].h, s->service, &d, err));
	*ret_d = d;
	return 0;
}

static int conn_of(struct ep_read *r, uint32_t head, struct ep_head_conn **ret_c,
		   struct ep_err *err)
{
	struct view_head *v = &r->heads[head];
	if (!v->c)
		EP_TRY(ep_head_get_conn(v->h, &v->c, err));
	*ret_c = v->c;
	return 0;
}

static bool get_point(sqlite3_stmt *q, uint32_t series, struct ep_head_point *p)
{
	uint64_t v[11];
	for (int i = 0; i < 11; i++)
		v[i] = (uint64_t)sqlite3_column_int64(q, i);
	*p = (struct ep_head_point){
		.series = series,
		.time_ns = v[0],
		.blob = v[1],
		.col = (uint32_t)v[2],
		.duration_ns = v[3],
		.total = (int64_t)v[4],
		.samples = v[5],
		.ledger = {.asked = v[6], .taken = v[7], .lost = v[8], .truncated = v[9]},
	};
	return ep_head_point_crc(p) == (uint32_t)v[10] && p->total >= 0;
}

static int walk(struct ep_read *r, struct ep_head *h, struct ep_head_conn *c, uint32_t series,
		ep_read_point_fn *fn, void *ctx, struct ep_err *err)
{
	int rc, code = 0;
	while (!code && (rc = sqlite3_step(c->points)) == SQLITE_ROW) {
		struct ep_head_point p;
		if (get_point(c->points, series, &p)) {
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

int ep_read_points(struct ep_read *r, const struct ep_read_series *s, ep_read_point_fn *fn,
		   void *ctx, struct ep_err *err)
{
	struct ep_head_conn *c = NULL;
	EP_TRY(conn_of(r, s->head, &c, err));
	sqlite3_bind_int64(c->points, 1, s->id);
	sqlite3_bind_int64(c->points, 2, (sqlite3_int64)r->from_ns);
	sqlite3_bind_int64(c->points, 3, (sqlite3_int64)r->until_ns);
	int rc = walk(r, r->heads[s->head].h, c, s->id, fn, ctx, err);
	(void)sqlite3_reset(c->points); /* errors were reported by walk() */
	(void)sqlite3_reset(c->blob);   /* so that no read transaction stays open */
	return rc;
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

static int open_blob(struct ep_blob *b, struct ep_slice bytes, const struct ep_dict *d,
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
	struct ep_head *h = r->heads[s->head].h;
	struct ep_head_conn *c = NULL;
	const struct ep_dict *d = NULL;
	EP_TRY(conn_of(r, s->head, &c, err));
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
	int code = open_blob(b, bytes, d, p, &fault);
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
	EP_TRY(ep_read_dict(r, s, &d, err));
	int rc = read_rows(b, d, p->col, &fault);
	if (rc == -ENOMEM)
		return ep_fail(err, rc, 0, "%s", fault.text);
	return rc < 0 ? skip_blob(r, r->heads[s->head].h, p, b->bytes, &fault) : 1;
}
