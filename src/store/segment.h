/*
 * segment.h - sealed profiles: a file of sums by stack and one of their minutes.
 *
 * A segment is made once from a head, checked, given its name, and never changed.
 * It holds its series, its services' dictionary records, and blocks (block.h).  The
 * file of minutes may go before it.  Layout: docs/formats/segment.md.
 *
 * Threads: reading from any number; the tables are loaded under the store's load_lock.
 */
#ifndef EP_STORE_SEGMENT_H
#define EP_STORE_SEGMENT_H

#include "store/block.h"
#include "store/dict.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

#define EP_SEGMENT_VERSION 1
#define EP_SEGMENT_SUFFIX ".segment"
#define EP_MINUTES_SUFFIX ".minutes"

/* --- the index ---------------------------------------------------------------------------- */

struct ep_segment_record {
	uint64_t at, len; /* a dictionary record in its envelope */
};

struct ep_segment_service {
	struct ep_slice name;
	uint32_t first_record, n_records; /* in the order they were written */
	struct ep_dict_mark mark; /* what they add up to; lines and labels are not counted */
};

struct ep_segment_series {
	struct ep_kv *labels; /* sorted by key */
	uint32_t n_labels, service;
	uint32_t first_use, n_uses; /* in the index's uses */
	uint64_t min_ns, max_ns;
};

/* A source: the series its columns are. */
struct ep_segment_group {
	uint32_t first_col, n_cols;	/* in the index's cols */
	uint32_t first_block, n_blocks; /* by time */
};

struct ep_segment_use {
	uint32_t group, col;
};

struct ep_segment_block {
	uint32_t group, n_points;
	uint64_t min_ns, max_ns; /* times of its profiles */
	uint64_t at, head_len, sums_len, minutes_at, minutes_len;
};

/* What a segment says of itself; made by its writer, or read. */
struct ep_segment_index {
	struct ep_arena *arena;
	struct ep_slice epoch; /* those of one epoch share ids */
	struct ep_segment_service *services;
	struct ep_segment_record *records;
	struct ep_segment_series *series;
	struct ep_segment_group *groups;
	uint32_t *cols; /* series */
	struct ep_segment_block *blocks; /* by group */
	struct ep_segment_use *uses;
	uint32_t n_services, n_records, n_series, n_groups, n_cols, n_blocks;
};

int ep_segment_index_encode(const struct ep_segment_index *x, struct ep_buf *out);
/*
 * in       limit, minutes_limit: no block or record reaches beyond
 * out      all tables, in an arena that ep_segment_index_fini() frees
 * errors   -EBADMSG, -ENOMEM
 */
int ep_segment_index_decode(const void *p, size_t n, uint64_t limit, uint64_t minutes_limit,
			    struct ep_segment_index *ret_x, struct ep_err *err);
void ep_segment_index_fini(struct ep_segment_index *x);

/* --- the file's two ends -------------------------------------------------------------------- */

enum { EP_SEGMENT_END_BYTES = 80, EP_SEGMENT_ID_BYTES = 16, EP_MINUTES_BEGIN = 24 };

/* At the beginning and at the end; each points to an index of its own. */
struct ep_segment_end {
	uint32_t version;
	uint8_t id[EP_SEGMENT_ID_BYTES]; /* the same in the file of minutes */
	uint64_t index_at, index_len, index_raw_len, minutes_len, min_ns, max_ns;
};

void ep_segment_end_encode(const struct ep_segment_end *e, uint8_t out[EP_SEGMENT_END_BYTES]);
/* -EBADMSG; -ENOTSUP a newer version */
int ep_segment_end_decode(const uint8_t p[EP_SEGMENT_END_BYTES], struct ep_segment_end *ret_e,
			  struct ep_err *err);

/* --- reading -------------------------------------------------------------------------------- */

struct ep_segment {
	char *path, *minutes_path, *name;
	const char *quarantine; /* folder; the store's */
	int fd, minutes_fd;	/* minutes_fd -1: they are gone */
	uint64_t bytes, minutes_bytes;
	struct ep_segment_end ends[2];
	bool has_end[2];
	uint64_t min_ns, max_ns;
	/* Under the store's lock. */
	uint32_t refs;
	uint64_t last_used_ns;

	pthread_mutex_t lock; /* the set-aside blocks */
	_Atomic bool loaded;
	_Atomic int failed;
	struct ep_segment_index x;
	struct ep_dict *_Atomic *dicts; /* by service */
	uint8_t *bad; /* by block: 1 sums, 2 minutes */
};

/*
 * ep_segment_open - the file, not yet its tables.
 * errors   -EBADMSG (neither end can be read), -ENOTSUP (a newer version), -EIO, -ENOMEM
 */
int ep_segment_open(const char *dir, const char *name, const char *quarantine,
		    struct ep_segment **ret_g, struct ep_err *err);
void ep_segment_close(struct ep_segment *g);
/* One thread at a time.  -EBADMSG stays in g->failed. */
int ep_segment_load(struct ep_segment *g, struct ep_err *err);
/* Forget what was loaded; nobody uses it. */
void ep_segment_unload(struct ep_segment *g);
size_t ep_segment_memory(const struct ep_segment *g);
int ep_segment_dict(struct ep_segment *g, uint32_t service, struct ep_dict **ret_d,
		    struct ep_err *err);
/* Open a block of it. */
int ep_segment_block(struct ep_segment *g, uint32_t number, struct ep_block *b,
		     struct ep_err *err);
/* Every byte of it. */
int ep_segment_verify(struct ep_segment *g, struct ep_err *err);

enum { EP_SEGMENT_SUMS = 1, EP_SEGMENT_MINUTES = 2 };
bool ep_segment_is_bad(struct ep_segment *g, uint32_t block, int which);
/* Name it once, keep a copy, skip it from now on. */
void ep_segment_set_aside(struct ep_segment *g, uint32_t block, int which, const char *why);

/* --- writing -------------------------------------------------------------------------------- */

struct ep_segment_writer;

/*
 * ep_segment_writer_open - begin DIR/NAME.segment and its minutes, under other names.
 * in       x   series, services and epoch are filled in by the caller before
 *              ep_segment_writer_finish(); blocks, groups and records by the calls below
 * errors of all: -ENOSPC, -EIO, -EACCES, -ENOMEM
 * threads  one at a time
 */
int ep_segment_writer_open(const char *dir, const char *name, struct ep_segment_writer **ret_w,
			   struct ep_err *err);
struct ep_segment_index *ep_segment_writer_index(struct ep_segment_writer *w);
/* A dictionary record of the service that is added last. */
int ep_segment_writer_record(struct ep_segment_writer *w, struct ep_slice envelope,
			     struct ep_err *err);
/* The group of these series; blocks come group by group. */
int ep_segment_writer_block(struct ep_segment_writer *w, const uint32_t *series,
			    const struct ep_block_in *in, struct ep_err *err);
/*
 * ep_segment_writer_finish - index, sync, read all of it again, name it, sync the folder.
 * After it the segment is there under its name, or it is not.
 */
int ep_segment_writer_finish(struct ep_segment_writer *w, struct ep_err *err);
/* Whatever was not finished is removed. */
void ep_segment_writer_close(struct ep_segment_writer *w);

#endif
