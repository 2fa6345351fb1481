/*
 * head.c - life of a head: its tables in memory, its readers' connections, and
 * what was set aside.  Writing is in head_write.c, loading in head_load.c.
 */
#include "store/head.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/sql.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void init_tables(struct ep_head *h)
{
	ep_vec_init(&h->series, sizeof(struct ep_head_series));
	ep_vec_init(&h->services, sizeof(struct ep_head_service));
	memset(&h->ix_series, 0, sizeof(h->ix_series));
	memset(&h->ix_services, 0, sizeof(h->ix_services));
}

static char *join(const char *dir, const char *name)
{
	size_t n = strlen(dir) + strlen(name) + 2;
	char *s = ep_alloc(n);
	if (s)
		snprintf(s, n, "%s/%s", dir, name);
	return s;
}

int ep_head_new(const char *dir, const char *name, const char *quarantine,
		struct ep_head **ret_h)
{
	struct ep_head *h = ep_zalloc(sizeof(*h));
	if (!h)
		return -ENOMEM;
	pthread_mutex_init(&h->lock, NULL);
	init_tables(h);
	h->path = join(dir, name);
	h->name = ep_strdup(name);
	h->quarantine = ep_strdup(quarantine);
	h->arena = ep_arena_new(0);
	if (!h->path || !h->name || !h->quarantine || !h->arena) {
		ep_head_free(h);
		return -ENOMEM;
	}
	*ret_h = h;
	return 0;
}

static void close_conn(struct ep_head_conn *c)
{
	(void)sqlite3_finalize(c->points); /* their errors were reported when they ran */
	(void)sqlite3_finalize(c->blob);
	(void)sqlite3_finalize(c->chunks);
	(void)sqlite3_close(c->db);
	ep_free(c);
}

static void close_pool(struct ep_head *h)
{
	while (h->pool) {
		struct ep_head_conn *c = h->pool;
		h->pool = c->next;
		close_conn(c);
	}
}

static void free_tables(struct ep_head *h)
{
	for (uint32_t i = 0; i < ep_vec_n(&h->services); i++)
		ep_dict_free(ep_vec_get(&h->services, struct ep_head_service, i)->dict);
	ep_vec_fini(&h->series);
	ep_vec_fini(&h->services);
	ep_index_fini(&h->ix_series);
	ep_index_fini(&h->ix_services);
	ep_arena_free(h->arena);
	h->arena = NULL;
}

void ep_head_unload(struct ep_head *h)
{
	pthread_mutex_lock(&h->lock);
	struct ep_arena *fresh = h->w.db ? NULL : ep_arena_new(0);
	if (fresh) {
		close_pool(h);
		free_tables(h);
		init_tables(h);
		h->arena = fresh;
		h->loaded = false;
	}
	pthread_mutex_unlock(&h->lock);
}

void ep_head_free(struct ep_head *h)
{
	if (!h)
		return;
	ep_head_end(h);
	close_pool(h);
	free_tables(h);
	pthread_mutex_destroy(&h->lock);
	ep_free(h->bad);
	ep_free(h->path);
	ep_free(h->name);
	ep_free(h->quarantine);
	ep_free(h);
}

size_t ep_head_bytes(struct ep_head *h)
{
	pthread_mutex_lock(&h->lock);
	size_t bytes = ep_arena_used(h->arena) + ep_vec_bytes(&h->series);
	for (uint32_t i = 0; i < ep_vec_n(&h->services); i++) {
		struct ep_dict *d = ep_vec_get(&h->services, struct ep_head_service, i)->dict;
		if (!d)
			continue;
		pthread_mutex_lock(&d->lock);
		bytes += ep_dict_bytes(d);
		pthread_mutex_unlock(&d->lock);
	}
	pthread_mutex_unlock(&h->lock);
	return bytes;
}

/* --- services and series ----------------------------------------------------------- */

static bool copy(struct ep_head *h, struct ep_slice s, struct ep_slice *ret)
{
	char *p = ep_arena_copy(h->arena, s.n ? s.p : "", s.n);
	*ret = (struct ep_slice){p, s.n};
	return p;
}

static int find_service(struct ep_head *h, struct ep_slice name, uint32_t *ret_id)
{
	uint64_t hash = ep_hash64(name.n ? name.p : "", name.n);
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&h->ix_services, hash, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&h->ix_services, &it))
		if (ep_slice_eq(ep_vec_get(&h->services, struct ep_head_service, id)->name, name)) {
			*ret_id = id;
			return 0;
		}
	struct ep_head_service *s = ep_vec_next(&h->services);
	if (!s || !copy(h, name, &s->name))
		return -ENOMEM;
	EP_TRY(ep_index_add(&h->ix_services, hash, ep_vec_n(&h->services)));
	*ret_id = ep_vec_publish(&h->services);
	return 0;
}

int ep_head_service(struct ep_head *h, struct ep_slice name, uint32_t *ret_id)
{
	pthread_mutex_lock(&h->lock);
	int rc = find_service(h, name, ret_id);
	pthread_mutex_unlock(&h->lock);
	return rc;
}

static uint64_t hash_labels(const struct ep_kv *v, uint32_t n)
{
	uint64_t hash = n;
	for (uint32_t i = 0; i < n; i++) {
		hash = ep_hash_mix(hash, ep_hash64(v[i].key.n ? v[i].key.p : "", v[i].key.n));
		hash = ep_hash_mix(hash, ep_hash64(v[i].value.n ? v[i].value.p : "", v[i].value.n));
	}
	return hash;
}

static bool same_labels(const struct ep_head_series *s, const struct ep_kv *v, uint32_t n)
{
	if (s->n_labels != n)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!ep_slice_eq(s->labels[i].key, v[i].key) ||
		    !ep_slice_eq(s->labels[i].value, v[i].value))
			return false;
	return true;
}

static int find_series(struct ep_head *h, const struct ep_kv *v, uint32_t n, uint32_t service,
		       uint32_t *ret_id)
{
	uint64_t hash = hash_labels(v, n);
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&h->ix_series, hash, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&h->ix_series, &it))
		if (same_labels(ep_head_series_at(h, id), v, n)) {
			*ret_id = id;
			return 0;
		}
	struct ep_head_series *s = ep_vec_next(&h->series);
	struct ep_kv *labels = ep_arena_array(h->arena, struct ep_kv, (size_t)n + 1);
	if (!s || !labels)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		if (!copy(h, v[i].key, &labels[i].key) || !copy(h, v[i].value, &labels[i].value))
			return -ENOMEM;
	s->labels = labels;
	s->n_labels = n;
	s->service = service;
	atomic_store(&s->min_ns, UINT64_MAX);
	atomic_store(&s->max_ns, 0);
	EP_TRY(ep_index_add(&h->ix_series, hash, ep_vec_n(&h->series)));
	*ret_id = ep_vec_publish(&h->series);
	return 0;
}

int ep_head_series(struct ep_head *h, const struct ep_kv *sorted, uint32_t n, uint32_t service,
		   uint32_t *ret_id)
{
	pthread_mutex_lock(&h->lock);
	int rc = find_series(h, sorted, n, service, ret_id);
	pthread_mutex_unlock(&h->lock);
	return rc;
}

/* --- readers' connections ------------------------------------------------------------ */

static int open_conn(struct ep_head *h, struct ep_head_conn *c, struct ep_err *err)
{
	int rc = sqlite3_open_v2(h->path, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return ep_sql_fail(c->db, rc, h->name, err);
	EP_TRY(ep_sql_exec(c->db,
			   "PRAGMA query_only=1; PRAGMA busy_timeout=5000; PRAGMA cache_size=-2000;"
			   "PRAGMA cell_size_check=1",
			   err));
	EP_TRY(ep_sql_prepare(c->db,
			      "SELECT time, blob, col, duration, total, samples, asked, taken, lost,"
			      " truncated, crc FROM points WHERE series=?1 AND time>=?2 AND time<=?3",
			      &c->points, err));
	EP_TRY(ep_sql_prepare(c->db, "SELECT data FROM blobs WHERE id=?1", &c->blob, err));
	return ep_sql_prepare(c->db, "SELECT data FROM chunks WHERE service=?1 ORDER BY seq",
			      &c->chunks, err);
}

int ep_head_get_conn(struct ep_head *h, struct ep_head_conn **ret_c, struct ep_err *err)
{
	pthread_mutex_lock(&h->lock);
	struct ep_head_conn *c = h->pool;
	if (c)
		h->pool = c->next;
	pthread_mutex_unlock(&h->lock);
	if (!c) {
		c = ep_zalloc(sizeof(*c));
		if (!c)
			return ep_fail(err, -ENOMEM, 0, "no memory to read %s", h->name);
		int rc = open_conn(h, c, err);
		if (rc < 0) {
			close_conn(c);
			return rc;
		}
	}
	*ret_c = c;
	return 0;
}

/* No statement stays open, so that no read transaction does. */
void ep_head_put_conn(struct ep_head *h, struct ep_head_conn *c)
{
	(void)sqlite3_reset(c->points); /* their errors were reported when they ran */
	(void)sqlite3_reset(c->blob);
	(void)sqlite3_reset(c->chunks);
	pthread_mutex_lock(&h->lock);
	c->next = h->pool;
	h->pool = c;
	pthread_mutex_unlock(&h->lock);
}

bool ep_head_get_point(struct sqlite3_stmt *q, uint32_t series, struct ep_head_point *p)
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

/* --- set aside ------------------------------------------------------------------------ */

bool ep_head_is_bad(struct ep_head *h, uint64_t blob)
{
	pthread_mutex_lock(&h->lock);
	bool bad = false;
	for (size_t i = 0; i < h->n_bad && !bad; i++)
		bad = h->bad[i] == blob;
	pthread_mutex_unlock(&h->lock);
	return bad;
}

static bool remember_bad(struct ep_head *h, uint64_t blob)
{
	for (size_t i = 0; i < h->n_bad; i++)
		if (h->bad[i] == blob)
			return false;
	if (h->n_bad == h->cap_bad) {
		size_t cap = h->cap_bad ? h->cap_bad * 2 : 16;
		uint64_t *v = ep_realloc(h->bad, cap * sizeof(*v));
		if (!v)
			return false;
		h->bad = v;
		h->cap_bad = cap;
	}
	h->bad[h->n_bad++] = blob;
	return true;
}

void ep_head_recall_bad(struct ep_head *h, uint64_t blob)
{
	pthread_mutex_lock(&h->lock);
	(void)remember_bad(h, blob); /* or it is found out again */
	pthread_mutex_unlock(&h->lock);
}

/* The copy is for the curious; the record is skipped whether it can be made or not. */
static void keep_copy(const struct ep_head *h, uint64_t blob, const void *p, size_t n)
{
	char path[4096];
	(void)mkdir(h->quarantine, 0750); /* mostly there already */
	snprintf(path, sizeof(path), "%s/%s.%llu", h->quarantine, h->name, (unsigned long long)blob);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return;
	if (write(fd, p, n) < 0)
		ep_log_warn("store: %s can't be written", path);
	(void)close(fd); /* nothing depends on it */
}

void ep_head_set_aside(struct ep_head *h, uint64_t blob, const void *p, size_t n,
		       const char *why)
{
	pthread_mutex_lock(&h->lock);
	bool first = remember_bad(h, blob);
	pthread_mutex_unlock(&h->lock);
	if (!first)
		return;
	ep_log_warn("store: profile %llu of %s is damaged and skipped: %s", (unsigned long long)blob,
		    h->name, why);
	keep_copy(h, blob, p, n);
}
