/*
 * head_load.c - from a head's file into memory: the series, and a service's
 * dictionary when it is asked for.
 */
#include "base/log.h"
#include "codec/crc32c.h"
#include "store/bytes.h"
#include "store/head.h"
#include "store/sql.h"

#include <stdio.h>
#include <string.h>

enum { MAX_LABELS = 4096, MAX_LOST = 1 << 16 /* numbers in a row without a series */ };

static struct ep_slice column_bytes(sqlite3_stmt *s, int i)
{
	const void *p = sqlite3_column_blob(s, i);
	return (struct ep_slice){p, (size_t)sqlite3_column_bytes(s, i)};
}

/* The bytes before a checksum that fits, or none. */
static bool checked(struct ep_slice b, struct ep_slice *ret)
{
	if (b.n < 4)
		return false;
	*ret = (struct ep_slice){b.p, b.n - 4};
	return ep_crc32c(0, b.p, b.n - 4) == ep_load_u32((const uint8_t *)b.p + b.n - 4);
}

/* --- dictionaries --------------------------------------------------------------------- */

static int read_chunks(struct ep_head *h, struct ep_head_conn *c, uint32_t service,
		       struct ep_dict *d, struct ep_err *err)
{
	sqlite3_bind_int64(c->chunks, 1, service);
	int rc, code = 0;
	while ((rc = sqlite3_step(c->chunks)) == SQLITE_ROW && code != -ENOMEM) {
		struct ep_err fault = {0};
		code = ep_dict_unpack(d, column_bytes(c->chunks, 0), &fault);
		if (code < 0)
			ep_log_warn("store: dictionary record %u of service %u in %s is skipped: %s",
				    d->next_chunk, service, h->name, fault.text);
		if (code < 0)
			atomic_store(&h->damaged, true);
		d->next_chunk++;
	}
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		return ep_sql_fail(c->db, rc, h->name, err);
	return code == -ENOMEM ? ep_fail(err, code, 0, "no memory for a dictionary") : 0;
}

static int load_dict(struct ep_head *h, uint32_t service, struct ep_dict **ret_d,
		     struct ep_err *err)
{
	ep_auto(ep_dict) d = ep_dict_new();
	if (!d)
		return ep_fail(err, -ENOMEM, 0, "no memory for a dictionary");
	struct ep_head_conn *c = NULL;
	EP_TRY(ep_head_get_conn(h, &c, err));
	int rc = read_chunks(h, c, service, d, err);
	ep_head_put_conn(h, c);
	EP_TRY(rc);
	ep_dict_mark(d, &d->stored);
	*ret_d = ep_take(&d);
	return 0;
}

int ep_head_dict(struct ep_head *h, uint32_t service, struct ep_dict **ret_d, struct ep_err *err)
{
	struct ep_head_service *s = ep_vec_get(&h->services, struct ep_head_service, service);
	struct ep_dict *d = atomic_load_explicit(&s->dict, memory_order_acquire);
	if (!d) {
		EP_TRY(load_dict(h, service, &d, err));
		struct ep_dict *other = NULL;
		if (!atomic_compare_exchange_strong(&s->dict, &other, d)) {
			ep_dict_free(d);
			d = other;
		}
	}
	*ret_d = d;
	return 0;
}

/* --- series ---------------------------------------------------------------------------- */

static int parse_labels(struct ep_slice body, struct ep_kv *v, uint32_t *ret_n)
{
	struct ep_cursor c = ep_cursor_of(body.p, body.n);
	uint32_t n = ep_get_below(&c, MAX_LABELS);
	for (uint32_t i = 0; i < n && !c.bad; i++) {
		v[i].key = ep_get_slice(&c);
		v[i].value = ep_get_slice(&c);
	}
	*ret_n = n;
	return c.bad ? -EBADMSG : 0;
}

/* A series that can't be read keeps its number, without profiles: nothing matches it. */
static int fill_lost(struct ep_head *h, uint32_t until)
{
	while (ep_vec_n(&h->series) < until) {
		char number[16];
		snprintf(number, sizeof(number), "%u", ep_vec_n(&h->series));
		struct ep_kv kv = {ep_slice_of("__damaged__"), ep_slice_of(number)};
		uint32_t id = 0;
		EP_TRY(ep_head_series(h, &kv, 1, 0, &id));
	}
	return 0;
}

/* First and last time of each series; where that can't be read, all of time. */
struct bounds {
	sqlite3_stmt *first, *last;
};

static uint64_t bound(sqlite3_stmt *s, uint32_t id, uint64_t none, uint64_t unknown)
{
	sqlite3_bind_int64(s, 1, id);
	int rc = sqlite3_step(s);
	uint64_t v = rc == SQLITE_ROW    ? (uint64_t)sqlite3_column_int64(s, 0)
		     : rc == SQLITE_DONE ? none
					 : unknown;
	(void)sqlite3_reset(s); /* repeats the error above */
	return v;
}

static int load_row(struct ep_head *h, sqlite3_stmt *s, const struct bounds *bounds,
		    struct ep_kv *labels)
{
	int64_t number = sqlite3_column_int64(s, 0), known = ep_vec_n(&h->series);
	uint32_t id = (uint32_t)number, n = 0;
	uint32_t service = (uint32_t)sqlite3_column_int64(s, 1);
	struct ep_slice body;
	if (number < known || number > known + MAX_LOST) {
		ep_log_warn("store: a series of %s has the number %lld and is skipped", h->name,
			    (long long)number);
		atomic_store(&h->damaged, true);
		return 0;
	}
	EP_TRY(fill_lost(h, id));
	if (ep_vec_n(&h->series) != id || service >= ep_vec_n(&h->services) ||
	    !checked(column_bytes(s, 2), &body) || parse_labels(body, labels, &n) < 0) {
		ep_log_warn("store: series %u of %s is damaged and skipped", id, h->name);
		atomic_store(&h->damaged, true);
		return fill_lost(h, id + 1);
	}
	EP_TRY(ep_head_series(h, labels, n, service, &id));
	struct ep_head_series *to = ep_head_series_at(h, id);
	atomic_store(&to->min_ns, bound(bounds->first, id, UINT64_MAX, 0));
	atomic_store(&to->max_ns, bound(bounds->last, id, 0, UINT64_MAX));
	return 0;
}

static int load_services(struct ep_head *h, sqlite3 *db, struct ep_err *err)
{
	sqlite3_stmt *s = NULL;
	EP_TRY(ep_sql_prepare(db, "SELECT id, name FROM services ORDER BY id", &s, err));
	int rc, code = 0;
	while (!code && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		uint32_t id = 0;
		code = ep_head_service(h, column_bytes(s, 1), &id);
		if (!code && id != (uint32_t)sqlite3_column_int64(s, 0))
			code = ep_fail(err, -EBADMSG, 0, "its services are inconsistent");
	}
	if (!code && rc != SQLITE_DONE)
		code = ep_sql_fail(db, rc, h->name, err);
	(void)sqlite3_finalize(s); /* its error is reported above */
	return code;
}

static int load_series(struct ep_head *h, sqlite3 *db, const struct bounds *bounds,
		       struct ep_err *err)
{
	struct ep_kv *labels ep_auto_mem = ep_alloc(sizeof(*labels) * MAX_LABELS);
	if (!labels)
		return ep_fail(err, -ENOMEM, 0, "no memory to read %s", h->name);
	sqlite3_stmt *s = NULL;
	EP_TRY(ep_sql_prepare(db,
			      "SELECT id, service, data FROM series ORDER BY id", &s, err));
	int rc, code = 0;
	while (!code && (rc = sqlite3_step(s)) == SQLITE_ROW)
		code = load_row(h, s, bounds, labels);
	if (!code && rc != SQLITE_DONE)
		code = ep_sql_fail(db, rc, h->name, err);
	(void)sqlite3_finalize(s); /* its error is reported above */
	return code;
}

static int load_tables(struct ep_head *h, sqlite3 *db, struct ep_err *err)
{
	struct bounds b = {0};
	int rc = ep_sql_prepare(db, "SELECT time FROM points WHERE series=?1 ORDER BY time LIMIT 1",
				&b.first, err);
	if (!rc)
		rc = ep_sql_prepare(db,
				    "SELECT time FROM points WHERE series=?1 ORDER BY time DESC LIMIT 1",
				    &b.last, err);
	if (!rc)
		rc = load_services(h, db, err);
	if (!rc)
		rc = load_series(h, db, &b, err);
	(void)sqlite3_finalize(b.first); /* their errors were handled when they ran */
	(void)sqlite3_finalize(b.last);
	return rc;
}

static int load(struct ep_head *h, struct ep_err *err)
{
	struct ep_head_conn *c = NULL;
	EP_TRY(ep_head_get_conn(h, &c, err));
	int64_t version = 0;
	int rc = ep_sql_int(c->db, "PRAGMA user_version", &version, err);
	if (!rc && version > EP_HEAD_VERSION)
		rc = ep_fail(err, -ENOTSUP, 0, "%s has version %d, this everprof knows %d",
			     h->name, (int)version, EP_HEAD_VERSION);
	if (!rc)
		rc = load_tables(h, c->db, err);
	ep_head_put_conn(h, c);
	return rc;
}

int ep_head_load(struct ep_head *h, struct ep_err *err)
{
	if (h->loaded)
		return 0;
	if (h->failed)
		return h->failed;
	struct ep_err fault = {0};
	int rc = load(h, &fault);
	if (rc == -EBADMSG && ep_vec_n(&h->series)) {
		ep_log_error("store: part of %s can't be read and is left out: %s", h->path,
			     fault.text);
		atomic_store(&h->damaged, true);
		rc = 0;
	} else if (rc == -EBADMSG || rc == -ENOTSUP) {
		ep_log_error("store: %s can't be read and is left out: %s", h->path, fault.text);
		h->failed = rc;
	}
	if (rc < 0)
		return ep_fail(err, rc, 0, "%s", fault.text);
	h->loaded = true;
	return 0;
}
