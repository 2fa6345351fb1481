/*
 * hits.h - samples of a thread by a perf event on its CPU time.
 *
 * The event strikes at a random place of each period, to the nanosecond and whatever the
 * kernel's tick does, but in the program's own code only: a signal that is sent while the
 * kernel works for the thread could cut a call short.  What is used in the kernel is put
 * on an account, and the thread's timer, which is delivered on the way out of a call,
 * takes it from there: docs/decisions/0311-which-clock.md.
 *
 * All of it is signal-safe and for the thread's own handler.
 */
#ifndef EP_INPROC_SIG_HITS_H
#define EP_INPROC_SIG_HITS_H

#include "inproc/sig/state.h"

#include <signal.h>

/* The thread whose event sent this signal; NULL: it is of none of ours. */
struct ep_sig_thread *ep_hits_thread(const siginfo_t *info);

/* Periods that a sample of this moment stands for, 0: take none.  The event has struck; */
uint32_t ep_hits_of_event(struct ep_sig_thread *t);
/* the thread's timer has, and it goes on at ip. */
uint32_t ep_hits_of_timer(struct ep_sig_thread *t, uint64_t ip);

/* Where the next strike is, in nanoseconds of the thread's CPU time. */
uint64_t ep_hits_next(struct ep_sig_thread *t);

#endif
