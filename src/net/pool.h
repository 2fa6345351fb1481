/*
 * pool.h - a few threads that run jobs which may block (disk, much CPU).
 */
#ifndef EP_NET_POOL_H
#define EP_NET_POOL_H

#include "base/mem.h"

struct ep_pool;

struct ep_job {
	struct ep_job *next;
	void (*run)(struct ep_job *job); /* on a thread of the pool; may free the job */
};

/* 0, -ENOMEM, -EAGAIN.  Threads block all signals but SIGPROF. */
int ep_pool_new(unsigned n_threads, struct ep_pool **ret_p);
/* Runs what is queued, then joins the threads. */
void ep_pool_free(struct ep_pool *p);
EP_DEFINE_AUTO(ep_pool);
/* Any thread.  The queue has no bound of its own: callers bound their requests. */
void ep_pool_submit(struct ep_pool *p, struct ep_job *job);

#endif
