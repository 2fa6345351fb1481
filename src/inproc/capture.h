/*
 * capture.h - a CPU profile of some seconds, on demand.
 *
 * The continuous profiler holds no slot: a capture gets a copy of the samples that are
 * taken anyway, and neither loses one.  Where nobody samples, a capture turns sampling
 * on for its time.  One at a time of each purpose.
 */
#ifndef EP_INPROC_CAPTURE_H
#define EP_INPROC_CAPTURE_H

#include "inproc/outbox.h"

enum ep_capture {
	EP_CAPTURE_HTTP,
	EP_CAPTURE_API, /* everprof_cpu_start() */
	EP_CAPTURE_WALL, /* what of a wall clock is CPU time */
	EP_CAPTURES
};

/*
 * ep_capture_begin - from now on.
 *
 * errors   -EBUSY   one of this purpose runs, or the program has SIGPROF
 *          -EAGAIN  no timer to be had; -ENOMEM
 * threads  any, not under the drain lock; the engine must run (ep_start_engine())
 */
int ep_capture_begin(enum ep_capture c);

/* Until now.  ret_b goes to ep_batch_fini().  -ENOMEM: it is lost.  Any thread. */
int ep_capture_end(enum ep_capture c, struct ep_batch *ret_b);

/* The continuous profiler samples, or not for now: timers run for either.  Any thread,
 * not under the drain lock. */
void ep_capture_duty(bool on);

/* After a fork, in the child: none runs. */
void ep_capture_child(void);

#endif
