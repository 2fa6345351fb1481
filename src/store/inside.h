/*
 * inside.h - the store's own state, for the files of this room.
 */
#ifndef EP_STORE_INSIDE_H
#define EP_STORE_INSIDE_H

#include "store/head.h"
#include "store/segment.h"
#include "store/store.h"

#include <pthread.h>
#include <stdbool.h>

struct ep_zstd;

/* A profile on its way to the disk; lives on its caller's stack. */
struct ep_job {
	struct ep_head *head;
	struct ep_head_write w;
	struct ep_job *next;
	bool done;
	int rc;
	struct ep_err err;
};

struct ep_store {
	char *dir, *heads_dir, *segments_dir, *quarantine;
	int lock_fd; /* held while open: one process a store */

	pthread_mutex_t lock;      /* all below */
	pthread_cond_t work, done; /* for the writer; for its callers */
	struct ep_head **heads;    /* by name: oldest first */
	uint32_t n_heads;
	struct ep_head *active;    /* NULL: the next append picks one */
	struct ep_job *first, *last;
	bool stopping;
	struct ep_store_stats stats;
	struct ep_segment **segments; /* by name */
	uint32_t n_segments, lost_segments;
	struct ep_head *retired; /* sealed; gone when nobody reads them any more */
	pthread_cond_t seal_work;
	bool sealing;
	int seal_failed; /* why the last one was not sealed */
	_Atomic bool stop_sealing;
	pthread_t sealer;
	bool sealer_runs;

	pthread_mutex_t load_lock; /* loading the tables of a head or segment */
	pthread_t writer;
	bool writer_runs;
};

enum { EP_STORE_STEM = 13 }; /* YYYYMMDD-NNNN: what a head and its segment share */

/* After a restart, may new profiles go to this head? */
bool ep_store_may_resume(const struct ep_head *h);
void ep_store_remove_head(const char *path);
/* Takes it over; under the lock, or at the start. */
int ep_store_add_segment(struct ep_store *s, struct ep_segment *g);
int ep_store_open_segments(struct ep_store *s, struct ep_err *err);
void ep_store_close_segments(struct ep_store *s);
int ep_store_start_sealer(struct ep_store *s, struct ep_err *err);
void ep_store_stop_sealer(struct ep_store *s);

/* The head new profiles go to, with a reference and a pending profile. */
int ep_store_take_head(struct ep_store *s, struct ep_head **ret_h, struct ep_err *err);
/* The pending profile is done, one way or the other. */
void ep_store_drop_head(struct ep_store *s, struct ep_head *h);
/* Hand a profile to the writer and wait until it is on disk. */
int ep_store_write(struct ep_store *s, struct ep_job *job, struct ep_err *err);
int ep_store_start_writer(struct ep_store *s, struct ep_err *err);
void ep_store_stop_writer(struct ep_store *s);

#endif
