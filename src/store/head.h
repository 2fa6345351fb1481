/*
 * head.h - one file of profiles: a SQLite database that is whole in itself.
 *
 * New profiles go to the newest head; when the day of arrival or the file's
 * budget is over, the next one begins and this one is only read, until it is
 * dropped whole.  Layout: docs/formats/head.md.
 *
 * Threads: one writer at a time (the store's); any number of readers, each with a
 * connection of its own from the head's pool.  Readers never wait for the writer.
 */
#ifndef EP_STORE_HEAD_H
#define EP_STORE_HEAD_H

#include "base/err.h"
#include "store/dict.h"
#include "store/store.h"
#include "store/vec.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;

#define EP_HEAD_VERSION 1
#define EP_HEAD_APPLICATION_ID 0x45505248 /* "EPRH" */

struct ep_head_series {
	struct ep_kv *labels; /* sorted by key; in the head's arena */
	uint32_t n_labels;
	uint32_t service; /* index of head.services */
	_Atomic uint64_t min_ns, max_ns; /* of stored profiles; min > max: none yet */
};

/* A service's dictionary, loaded when first asked for. */
struct ep_head_service {
	struct ep_slice name;
	struct ep_dict *_Atomic dict;
};

struct ep_head_writer {
	struct sqlite3 *db;
	struct sqlite3_stmt *begin, *commit, *rollback, *chunk, *service, *series, *blob,
		*point;
	uint32_t n_series_stored, n_services_stored, n_writes;
};

/* A reader's connection with its statements. */
struct ep_head_conn {
	struct sqlite3 *db;
	struct sqlite3_stmt *points, *blob, *chunks;
	struct ep_head_conn *next; /* in the pool */
};

struct ep_head {
	char *path, *name;
	char *quarantine; /* folder for what can't be read */
	uint64_t day_ns;  /* when its day of arrival began */
	/* Under the store's lock: who uses it, and profiles on their way into it. */
	uint32_t refs, pending;
	uint64_t last_used_ns;
	bool unsealable; /* something of it is damaged: it stays a head */
	struct ep_head *next_retired;

	pthread_mutex_t lock; /* all below but the writer */
	bool loaded;
	_Atomic int failed; /* negative errno: can't be read, set aside */
	struct ep_arena *arena;
	struct ep_vec series, services;
	struct ep_index ix_series, ix_services;
	struct ep_head_conn *pool;
	uint64_t *bad; /* blobs set aside */
	size_t n_bad, cap_bad;

	struct ep_head_writer w;       /* of the writer thread */
	int64_t max_pages;    /* its budget on disk, */
	size_t max_memory;    /* and of its dictionaries in memory */
	_Atomic bool full;    /* over its budget: the next append begins another head */
	_Atomic bool damaged; /* something of it was lost: read what is left, add nothing,
				 since new ids could take the places of lost ones */
};

int ep_head_new(const char *dir, const char *name, const char *quarantine,
		struct ep_head **ret_h);
/* Closes all connections. */
void ep_head_free(struct ep_head *h);
/* Forget what was loaded to read; the file stays as it is.  No reader holds it. */
void ep_head_unload(struct ep_head *h);
size_t ep_head_bytes(struct ep_head *h);

/*
 * ep_head_begin - open for writing, making the file if needed.
 * errors   -ENOSPC, -EACCES, -EIO, -EBADMSG (not a head, or a damaged one), -ENOTSUP
 */
int ep_head_begin(struct ep_head *h, struct ep_err *err);
/* false: its making was cut short, and nothing was ever stored in it. */
bool ep_head_has_tables(const char *path);
/* A new file's or folder's name in its folder is durable on return. */
int ep_head_sync_entry(const char *path, struct ep_err *err);
/* Close the writer: the log is folded into the file. */
void ep_head_end(struct ep_head *h);

/* Read the series, once.  One thread at a time per head.  What is damaged is left
 * out and named; a head that can't be read at all stays in h->failed. */
int ep_head_load(struct ep_head *h, struct ep_err *err);

/* Find or add.  Any thread. */
int ep_head_service(struct ep_head *h, struct ep_slice name, uint32_t *ret_id);
int ep_head_series(struct ep_head *h, const struct ep_kv *sorted, uint32_t n, uint32_t service,
		   uint32_t *ret_id);
/* The dictionary, loaded if it is not yet. */
int ep_head_dict(struct ep_head *h, uint32_t service, struct ep_dict **ret_d, struct ep_err *err);

static inline struct ep_head_series *ep_head_series_at(const struct ep_head *h, uint32_t id)
{
	return ep_vec_get(&h->series, struct ep_head_series, id);
}

/* One row for each column of a profile. */
struct ep_head_point {
	uint32_t series, col;
	uint64_t time_ns, duration_ns, blob;
	int64_t total;
	uint64_t samples;
	struct ep_ledger ledger;
};

struct ep_head_write {
	uint32_t service;
	struct ep_dict *dict;
	const void *blob;
	size_t n_blob;
	struct ep_head_point *points; /* blob is filled in */
	uint32_t n_points;
};

/*
 * ep_head_write - all of these in one transaction, durable on return.
 * errors   -ENOSPC, -EIO, -ENOMEM, -E2BIG (the head is full then); nothing was
 *          written then
 * threads  the writer's
 */
int ep_head_write(struct ep_head *h, struct ep_head_write *const *v, uint32_t n,
		  struct ep_err *err);

int ep_head_get_conn(struct ep_head *h, struct ep_head_conn **ret_c, struct ep_err *err);
void ep_head_put_conn(struct ep_head *h, struct ep_head_conn *c);

/* The row that conn->points stands at; false: it is damaged. */
bool ep_head_get_point(struct sqlite3_stmt *q, uint32_t series, struct ep_head_point *p);

/* Is this blob known to be unreadable?  And: keep a copy of it aside, and know it. */
bool ep_head_is_bad(struct ep_head *h, uint64_t blob);
void ep_head_recall_bad(struct ep_head *h, uint64_t blob);
void ep_head_set_aside(struct ep_head *h, uint64_t blob, const void *p, size_t n,
		       const char *why);

uint32_t ep_head_point_crc(const struct ep_head_point *p);

#endif
