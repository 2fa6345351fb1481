/*
 * inside.h - the store's own state, for the files of this room.
 */
#ifndef EP_STORE_INSIDE_H
#define EP_STORE_INSIDE_H

#include "store/head.h"
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
	char *dir, *heads_dir, *quarantine;
	int lock_fd; /* held while open: one process a store */

	pthread_mutex_t lock;      /* all below */
	pthread_cond_t work, done; /* for the writer; for its callers */
	struct ep_head **heads;    /* by name: oldest first */
	uint32_t n_heads;
	struct ep_head *active;    /* NULL: the next append picks one */
	struct ep_job *first, *last;
	bool stopping;
	struct ep_store_stats stats;

	pthread_mutex_t load_lock; /* loading a head's tables */
	pthread_t writer;
	bool writer_runs;
};

/* The head new profiles go to, with a reference and a pending profile. */
int ep_store_take_head(struct ep_store *s, struct ep_head **ret_h, struct ep_err *err);
/* The pending profile is done, one way or the other. */
void ep_store_drop_head(struct ep_store *s, struct ep_head *h);
/* Hand a profile to the writer and wait until it is on disk. */
int ep_store_write(struct ep_store *s, struct ep_job *job, struct ep_err *err);
int ep_store_start_writer(struct ep_store *s, struct ep_err *err);
void ep_store_stop_writer(struct ep_store *s);

#endif
