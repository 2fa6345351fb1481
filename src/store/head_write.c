/*
 * head_write.c - making a head and adding profiles to it.
 *
 * One transaction holds many profiles and whatever their services' dictionaries
 * and the series gained.  It is on disk when it has committed: WAL with
 * synchronous=FULL.  A transaction that fails leaves the tables in memory ahead of
 * the file; the next one writes what is missing, since `stored` did not move.
 */
#include "codec/crc32c.h"
#include "codec/zstd.h"
#include "store/bytes.h"
#include "store/head.h"
#include "store/sql.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	PAGE_BYTES = 8192,
	CHECKPOINT_PAGES = 2000, /* 16 MB of log */
	WRITES_PER_LOOK = 64,	 /* at the memory: a walk over the services */
};
static const int64_t max_pages = (1ll << 30) / PAGE_BYTES;
static const size_t max_memory = 512u << 20;

static const char schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE services(id INTEGER PRIMARY KEY, name BLOB NOT NULL);"
	"CREATE TABLE chunks(service INTEGER NOT NULL, seq INTEGER NOT NULL, data BLOB NOT NULL);"
	"CREATE UNIQUE INDEX chunks_by_service ON chunks(service, seq);"
	"CREATE TABLE series(id INTEGER PRIMARY KEY, service INTEGER NOT NULL, data BLOB NOT NULL);"
	"CREATE TABLE blobs(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
	"CREATE TABLE points(series INTEGER NOT NULL, time INTEGER NOT NULL, blob INTEGER NOT NULL,"
	" col INTEGER NOT NULL, duration INTEGER NOT NULL, total INTEGER NOT NULL,"
	" samples INTEGER NOT NULL, asked INTEGER NOT NULL, taken INTEGER NOT NULL,"
	" lost INTEGER NOT NULL, truncated INTEGER NOT NULL, crc INTEGER NOT NULL,"
	" PRIMARY KEY(series, time, blob)) WITHOUT ROWID;"
	"PRAGMA user_version=1;"
	"PRAGMA application_id=1162891848;" /* EP_HEAD_APPLICATION_ID */
	"COMMIT;";

static int make_schema(struct ep_head *h, struct ep_err *err)
{
	int64_t version = 0, id = 0, tables = 0;
	sqlite3 *db = h->w.db;
	EP_TRY(ep_sql_int(db, "PRAGMA user_version", &version, err));
	EP_TRY(ep_sql_int(db, "PRAGMA application_id", &id, err));
	EP_TRY(ep_sql_int(db, "SELECT count(*) FROM sqlite_schema", &tables, err));
	if (version > EP_HEAD_VERSION)
		return ep_fail(err, -ENOTSUP, 0, "%s has version %d, this everprof knows %d",
			       h->name, (int)version, EP_HEAD_VERSION);
	if (version && id != EP_HEAD_APPLICATION_ID)
		return ep_fail(err, -EBADMSG, 0, "%s is not a head", h->name);
	if (version)
		return 0;
	if (tables)
		return ep_fail(err, -EBADMSG, 0, "%s is a database of somebody else", h->name);
	EP_TRY(ep_sql_exec(db, schema, err));
	/* The file itself must carry its version from the start. */
	return ep_sql_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", err);
}

bool ep_head_has_tables(const char *path)
{
	sqlite3 *db = NULL;
	int64_t tables = 0;
	int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK) /* what its log holds counts */
		rc = ep_sql_int(db, "SELECT count(*) FROM sqlite_schema", &tables, NULL);
	(void)sqlite3_close(db); /* only read */
	return rc != SQLITE_OK || tables; /* one that cannot be read may hold something */
}

int ep_head_sync_entry(const char *path, struct ep_err *err)
{
	char dir[4096];
	size_t n = strlen(path);
	while (n && path[n - 1] == '/') /* a folder may be written so */
		n--;
	while (n && path[n - 1] != '/')
		n--;
	snprintf(dir, sizeof(dir), "%.*s", (int)n, path);
	int fd = open(n ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0) {
		int code = -errno;
		if (fd >= 0)
			(void)close(fd); /* the sync is what counts */
		return ep_fail(err, code == -ENOSPC ? code : -EIO, 0, "%s can't be synced", dir);
	}
	(void)close(fd); /* only read */
	return 0;
}

static int prepare(struct ep_head_writer *w, struct ep_err *err)
{
	sqlite3 *db = w->db;
	EP_TRY(ep_sql_prepare(db, "BEGIN IMMEDIATE", &w->begin, err));
	EP_TRY(ep_sql_prepare(db, "COMMIT", &w->commit, err));
	EP_TRY(ep_sql_prepare(db, "ROLLBACK", &w->rollback, err));
	EP_TRY(ep_sql_prepare(db, "INSERT INTO chunks(service, seq, data) VALUES(?1,?2,?3)",
			      &w->chunk, err));
	EP_TRY(ep_sql_prepare(db, "INSERT INTO services(id, name) VALUES(?1,?2)", &w->service, err));
	EP_TRY(ep_sql_prepare(db, "INSERT INTO series(id, service, data) VALUES(?1,?2,?3)",
			      &w->series, err));
	EP_TRY(ep_sql_prepare(db, "INSERT INTO blobs(data) VALUES(?1)", &w->blob, err));
	return ep_sql_prepare(db, "INSERT INTO points VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
			      &w->point, err);
}

static int begin(struct ep_head *h, struct ep_err *err)
{
	int rc = sqlite3_open_v2(h->path, &h->w.db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
				 NULL);
	if (rc != SQLITE_OK)
		return ep_sql_fail(h->w.db, rc, h->name, err);
	char pragmas[256];
	snprintf(pragmas, sizeof(pragmas),
		 "PRAGMA page_size=%d; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		 "PRAGMA busy_timeout=5000; PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY;"
		 "PRAGMA wal_autocheckpoint=%d; PRAGMA cell_size_check=1",
		 PAGE_BYTES, CHECKPOINT_PAGES);
	EP_TRY(ep_sql_exec(h->w.db, pragmas, err));
	EP_TRY(make_schema(h, err));
	EP_TRY(ep_head_sync_entry(h->path, err));
	return prepare(&h->w, err);
}

int ep_head_begin(struct ep_head *h, struct ep_err *err)
{
	int rc = begin(h, err);
	if (!rc)
		rc = ep_head_load(h, err);
	if (!rc && atomic_load(&h->damaged))
		rc = ep_fail(err, -EBADMSG, 0, "%s is damaged", h->name);
	if (rc < 0) {
		ep_head_end(h);
		return rc;
	}
	h->w.n_series_stored = ep_vec_n(&h->series);
	h->w.n_services_stored = ep_vec_n(&h->services);
	h->max_pages = max_pages;
	h->max_memory = max_memory;
	return 0;
}

void ep_head_end(struct ep_head *h)
{
	struct ep_head_writer *w = &h->w;
	sqlite3_stmt *all[] = {w->begin,   w->commit, w->rollback, w->chunk,
			       w->service, w->series, w->blob,	   w->point};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		(void)sqlite3_finalize(all[i]); /* their errors were reported when they ran */
	/* While readers keep connections, closing alone would leave the log.  If one of them
	 * is at work it stays, too, and is folded in by the next open. */
	if (w->db)
		(void)ep_sql_exec(w->db, "PRAGMA busy_timeout=0; PRAGMA wal_checkpoint(TRUNCATE)",
				  NULL);
	(void)sqlite3_close(w->db); /* nothing is unfinished */
	memset(w, 0, sizeof(*w));
}

/* --- a transaction ------------------------------------------------------------------------ */

static int put_services(struct ep_head *h, uint32_t n, struct ep_err *err)
{
	sqlite3_stmt *s = h->w.service;
	for (uint32_t i = h->w.n_services_stored; i < n; i++) {
		struct ep_slice name = ep_vec_get(&h->services, struct ep_head_service, i)->name;
		sqlite3_bind_int64(s, 1, i);
		sqlite3_bind_blob64(s, 2, name.n ? name.p : "", name.n, SQLITE_STATIC);
		EP_TRY(ep_sql_run(h->w.db, s, "storing a service", err));
	}
	return 0;
}

static int put_series(struct ep_head *h, uint32_t n, struct ep_err *err)
{
	sqlite3_stmt *s = h->w.series;
	for (uint32_t i = h->w.n_series_stored; i < n; i++) {
		const struct ep_head_series *from = ep_head_series_at(h, i);
		ep_auto_buf b;
		ep_buf_init(&b, SIZE_MAX / 2);
		ep_put_varint(&b, from->n_labels);
		for (uint32_t k = 0; k < from->n_labels; k++) {
			ep_put_slice(&b, from->labels[k].key);
			ep_put_slice(&b, from->labels[k].value);
		}
		if (!ep_buf_failed(&b))
			ep_put_u32(&b, ep_crc32c(0, b.data, b.len));
		if (ep_buf_failed(&b))
			return ep_fail(err, b.failed, 0, "no memory to store a series");
		sqlite3_bind_int64(s, 1, i);
		sqlite3_bind_int64(s, 2, from->service);
		sqlite3_bind_blob64(s, 3, b.data, b.len, SQLITE_STATIC);
		EP_TRY(ep_sql_run(h->w.db, s, "storing a series", err));
	}
	return 0;
}

/* What the dictionary gained, in its envelope; *ret_to is how far it reaches. */
static int encode_chunk(struct ep_dict *d, struct ep_dict_mark *ret_to, struct ep_buf *out,
			struct ep_err *err)
{
	ep_auto_buf raw;
	ep_buf_init(&raw, SIZE_MAX / 2);
	pthread_mutex_lock(&d->lock);
	ep_dict_mark(d, ret_to);
	bool grew = memcmp(ret_to, &d->stored, sizeof(*ret_to)) != 0;
	if (grew)
		ep_dict_encode(d, &d->stored, ret_to, &raw);
	pthread_mutex_unlock(&d->lock);
	if (!grew)
		return 0;
	ep_auto(ep_zstd) z = ep_zstd_new();
	if (!z || ep_buf_failed(&raw))
		return ep_fail(err, -ENOMEM, 0, "no memory to store a dictionary");
	return ep_dict_pack(&raw, z, out, err);
}

static int put_chunk(struct ep_head *h, uint32_t service, struct ep_dict *d,
		     struct ep_dict_mark *ret_to, struct ep_err *err)
{
	ep_auto_buf b;
	ep_buf_init(&b, SIZE_MAX / 2);
	EP_TRY(encode_chunk(d, ret_to, &b, err));
	if (!b.len)
		return 0;
	sqlite3_stmt *s = h->w.chunk;
	sqlite3_bind_int64(s, 1, service);
	sqlite3_bind_int64(s, 2, d->next_chunk);
	sqlite3_bind_blob64(s, 3, b.data, b.len, SQLITE_STATIC);
	return ep_sql_run(h->w.db, s, "storing a dictionary", err);
}

uint32_t ep_head_point_crc(const struct ep_head_point *p)
{
	uint64_t v[] = {p->series,  p->time_ns, p->blob,	 p->col,	  p->duration_ns, (uint64_t)p->total,
			p->samples, p->ledger.asked, p->ledger.taken, p->ledger.lost,
			p->ledger.truncated};
	uint8_t le[sizeof(v)];
	for (size_t i = 0; i < sizeof(v); i++)
		le[i] = (uint8_t)(v[i / 8] >> (8 * (i % 8)));
	return ep_crc32c(0, le, sizeof(le));
}

static int put_point(struct ep_head *h, const struct ep_head_point *p, struct ep_err *err)
{
	sqlite3_stmt *s = h->w.point;
	uint64_t v[] = {p->series,	 p->time_ns,	  p->blob,	      p->col,
			p->duration_ns,	 (uint64_t)p->total, p->samples,     p->ledger.asked,
			p->ledger.taken, p->ledger.lost,  p->ledger.truncated, ep_head_point_crc(p)};
	for (int i = 0; i < 12; i++)
		sqlite3_bind_int64(s, i + 1, (sqlite3_int64)v[i]);
	return ep_sql_run(h->w.db, s, "storing a profile", err);
}

static int put_profile(struct ep_head *h, struct ep_head_write *w, struct ep_err *err)
{
	sqlite3_bind_blob64(h->w.blob, 1, w->blob, w->n_blob, SQLITE_STATIC);
	EP_TRY(ep_sql_run(h->w.db, h->w.blob, "storing a profile", err));
	uint64_t blob = (uint64_t)sqlite3_last_insert_rowid(h->w.db);
	for (uint32_t i = 0; i < w->n_points; i++) {
		w->points[i].blob = blob;
		EP_TRY(put_point(h, &w->points[i], err));
	}
	return 0;
}

/* The dictionaries of one batch, each once, with how far they were written. */
struct growth {
	struct ep_dict *d;
	uint32_t service;
	struct ep_dict_mark to;
};

static uint32_t distinct(struct ep_head_write *const *v, uint32_t n, struct growth *g)
{
	uint32_t n_g = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = 0;
		while (k < n_g && g[k].d != v[i]->dict)
			k++;
		if (k == n_g)
			g[n_g++] = (struct growth){.d = v[i]->dict, .service = v[i]->service};
	}
	return n_g;
}

/* One transaction's worth. */
struct batch {
	struct ep_head_write *const *v;
	struct growth *g;
	uint32_t n, n_g, n_services, n_series;
};

static int put_all(struct ep_head *h, const struct batch *b, struct ep_err *err)
{
	EP_TRY(ep_sql_run(h->w.db, h->w.begin, "storing", err));
	EP_TRY(put_services(h, b->n_services, err));
	EP_TRY(put_series(h, b->n_series, err));
	for (uint32_t i = 0; i < b->n_g; i++)
		EP_TRY(put_chunk(h, b->g[i].service, b->g[i].d, &b->g[i].to, err));
	for (uint32_t i = 0; i < b->n; i++)
		EP_TRY(put_profile(h, b->v[i], err));
	return ep_sql_run(h->w.db, h->w.commit, "storing", err);
}

/* Readers may look for the profiles from now on. */
static void widen(struct ep_head *h, const struct ep_head_write *w)
{
	for (uint32_t i = 0; i < w->n_points; i++) {
		struct ep_head_series *s = ep_head_series_at(h, w->points[i].series);
		if (w->points[i].time_ns < atomic_load(&s->min_ns))
			atomic_store(&s->min_ns, w->points[i].time_ns);
		if (w->points[i].time_ns > atomic_load(&s->max_ns))
			atomic_store(&s->max_ns, w->points[i].time_ns);
	}
}

static void check_budget(struct ep_head *h)
{
	int64_t pages = 0;
	if (!ep_sql_int(h->w.db, "PRAGMA page_count", &pages, NULL) && pages > h->max_pages)
		atomic_store(&h->full, true);
	if (h->w.n_writes++ % WRITES_PER_LOOK == 0 && ep_head_bytes(h) > h->max_memory)
		atomic_store(&h->full, true);
}

int ep_head_write(struct ep_head *h, struct ep_head_write *const *v, uint32_t n,
		  struct ep_err *err)
{
	struct growth *g ep_auto_mem = ep_zalloc(sizeof(*g) * ((size_t)n + 1));
	if (!g)
		return ep_fail(err, -ENOMEM, 0, "no memory to store %u profiles", n);
	/* Counted before: what comes meanwhile belongs to the next transaction.  The series
	 * first, so that none is stored without its service. */
	struct batch b = {.v = v, .g = g, .n = n, .n_g = distinct(v, n, g)};
	b.n_series = ep_vec_n(&h->series);
	b.n_services = ep_vec_n(&h->services);
	int rc = put_all(h, &b, err);
	if (rc < 0) {
		if (!sqlite3_get_autocommit(h->w.db))
			(void)ep_sql_run(h->w.db, h->w.rollback, "rolling back", NULL); /* rc says it */
		if (rc == -E2BIG) /* what it gained stays in memory: it would never fit */
			atomic_store(&h->full, true);
		return rc;
	}
	h->w.n_services_stored = b.n_services;
	h->w.n_series_stored = b.n_series;
	for (uint32_t i = 0; i < b.n_g; i++) {
		if (memcmp(&g[i].to, &g[i].d->stored, sizeof(g[i].to)) != 0)
			g[i].d->next_chunk++;
		g[i].d->stored = g[i].to;
	}
	for (uint32_t i = 0; i < n; i++)
		widen(h, v[i]);
	check_budget(h);
	return 0;
}
