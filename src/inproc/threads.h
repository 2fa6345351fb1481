/*
 * threads.h - which threads are sampled, and the timer of each.
 *
 * A thread joins when it is created (hooks.c) or when a look into
 * /proc/self/task finds it; it leaves when it ends.  A slot is free at once for
 * the next thread: what its ring still holds carries the old thread's id.
 */
#ifndef EP_INPROC_THREADS_H
#define EP_INPROC_THREADS_H

#include "inproc/sig/state.h"

#include <stdbool.h>
#include <stdint.h>

/* What strikes when a thread has used a period of CPU time (docs/decisions/0311). */
enum ep_threads_clock {
	EP_THREADS_AUTO,  /* its timer; a perf event too where the timer misses it */
	EP_THREADS_TIMER, /* its timer alone */
	EP_THREADS_PERF,  /* both, where they are allowed */
};
/* Before the start. */
void ep_threads_choose_clock(enum ep_threads_clock c);

/* Sampling on, with this period of CPU time; all running threads join.  lo, hi:
 * the calling thread's own stack; 0, 0: the first thread's, or unknown.
 * -EAGAIN: not even the calling thread got a timer. */
int ep_threads_start(uint64_t period_ns, uint64_t lo, uint64_t hi);
/* All timers off; slots stay.  Idempotent. */
void ep_threads_stop(void);
bool ep_threads_running(void);
/* Nobody can be sampled (SIGPROF is the program's): CPU time from here to the next start or
 * stop counts as unsampled.  A pause holds for it too. */
void ep_threads_count(uint64_t period_ns);
bool ep_threads_counting(void);
/* The same, if sampling is on. */
void ep_threads_give_up(void);
/* Timers off and on again; CPU time meanwhile is not asked for, and not missed.  Threads
 * come and go as ever.  Idempotent; also before the start, which leaves it so. */
void ep_threads_pause(void);
void ep_threads_resume(void);

/* The calling thread joins.  stack_lo, stack_hi: its own stack, or 0, 0.
 * start_routine: what it runs; 0: unknown, then no account is made at its end. */
struct ep_sig_thread *ep_threads_join(uint64_t stack_lo, uint64_t stack_hi,
				      uint64_t start_routine);
/* The calling thread leaves.  CPU time that no timer saw becomes a sample, once the
 * threads that ended left a whole period of it. */
void ep_threads_leave(struct ep_sig_thread *t);
/* This thread is ours and never joins. */
void ep_threads_exclude_me(void);
/* Stack bounds of the first thread, as found in the map of the process. */
void ep_threads_set_main_stack(uint64_t hi);
/* The calling thread's own stack, or 0, 0. */
void ep_threads_my_stack(uint64_t *ret_lo, uint64_t *ret_hi);
/* Tell the calling thread where its own stack ends, if it is the first one. */
void ep_threads_know_main_stack(void);
/* A readable and writable mapping: the stack of those who were seen in it. */
void ep_threads_set_stacks_in(uint64_t start, uint64_t limit);

/* Find threads that nobody told us of; drop slots of threads that are gone.
 * Cheap when the number of threads is what we know. */
void ep_threads_look(bool thorough);

struct ep_threads_totals {
	uint64_t taken, lost, truncated; /* weights, since the process began */
	uint64_t refused;	 /* threads without a slot or a timer */
	/* Weight that the process's CPU time is worth beyond all of these: of threads
	 * that could not be sampled.  Never falls. */
	uint64_t unsampled;
	bool gave_up; /* ep_threads_count() was called */
	int clock_refused; /* why there are no perf events: a negative errno; 0: none was wanted */
};
void ep_threads_totals(struct ep_threads_totals *ret);
/* Used slots have an index below this. */
uint32_t ep_threads_n_slots(void);

void ep_threads_lock(void);   /* before a fork */
void ep_threads_unlock(void); /* after it, in the parent */
void ep_threads_child(void);  /* after it, in the child: nobody is sampled */

#endif
