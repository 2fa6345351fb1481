/*
 * drain.h - the one thread of the library: empties the rings, folds, pushes.
 */
#ifndef EP_INPROC_DRAIN_H
#define EP_INPROC_DRAIN_H

#include "inproc/config.h"

#include <stdbool.h>

/* The thread starts, named "everprof", with all signals blocked.  0 or -EAGAIN,
 * -ENOMEM, -EINVAL (the server's address; said).  Copies the configuration. */
int ep_drain_start(const struct ep_config *c);

/*
 * ep_drain_stop - sampling ends, what is left goes out, EVERPROF_OUT is written.
 *
 * Does its work on the drain thread and waits for it, so it may be called where
 * the caller holds locks of its own, even from a signal handler.  Idempotent.
 * returns  0; -EIO the file could not be written; -ETIMEDOUT the wait was over first
 */
int ep_drain_stop(uint64_t timeout_ns);

/* CPU time a sample stands for.  Any thread, once it was started. */
uint64_t ep_drain_period_ns(void);
/* Does the continuous profiler sample CPU, for the profile of it or of the wall clock? */
bool ep_drain_wants_cpu(void);

/* Map the code and make all tables on the calling thread. */
void ep_drain_know_code(void);

/* Under this lock: code.h, and all that fork must not cut in two. */
void ep_drain_lock(void);
void ep_drain_unlock(void);

/* In the child of a fork: forget what belongs to the parent.  Leaves the lock open. */
void ep_drain_child(void);

#endif
