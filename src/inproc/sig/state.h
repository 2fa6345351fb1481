/*
 * state.h - what the signal handler reads and writes, and nothing else.
 *
 * Everything here is reserved and filled in outside of handlers (inproc/threads.c,
 * inproc/code.c); the handler finds it ready or drops the sample and counts it.
 */
#ifndef EP_INPROC_SIG_STATE_H
#define EP_INPROC_SIG_STATE_H

#include "inproc/sig/guarded.h"
#include "unwind/memo.h"
#include "unwind/modules.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	EP_SIG_MAX_THREADS = 4096, /* sampled at once; more are counted, not sampled */
	EP_SIG_MAX_FRAMES = 512,
};

/* The code map of a moment, with its number.  Immutable once published. */
struct ep_sig_map {
	uint32_t number;
	struct ep_modules *modules;
};

/*
 * A thread that is sampled: a page.  Slots are reused, their memory is never returned: a
 * handler may look at one at any time.
 */
struct ep_sig_thread {
	uint32_t slot; /* its index */
	_Atomic uint32_t tid; /* 0: the slot is free */
	_Atomic int timer;    /* the kernel's id of its timer; -1: none */
	/* hits.h: a perf event on its CPU time, beside the timer; -1: none.  What follows is
	 * the handler's while it is there. */
	_Atomic int hit_fd;
	uint64_t hit_since_ns, hit_step_ns; /* of its CPU clock; from there to the next strike */
	uint64_t hit_user_ns, hit_kernel_ns; /* used, and in no sample yet */
	uint64_t hit_rest_ns; /* before hit_since_ns; whose it is, the next strike tells */
	uint64_t hit_dice;
	/* Its own stack; 0, 0 while unknown: then reads are guarded. */
	_Atomic uint64_t stack_lo, stack_hi;
	/* Where its stack is, as a handler saw it, for code.c to find the bounds:
	 * they are those of the mapping that holds both. */
	_Atomic uint64_t seen_sp, seen_control;
	/* The map in use by a handler right now: not to be freed. */
	_Atomic(const struct ep_sig_map *) hazard;
	/* Weights, written by the handler only. */
	_Atomic uint64_t n_taken, n_lost, n_truncated;
	/* For the account at its end: see ep_cpu_settle(). */
	uint64_t start_routine;
	uint64_t taken_before; /* n_taken + n_lost when it joined */
	uint64_t cpu_before_ns;
	uint64_t cpu_joined_ns; /* of its clock when it joined */
	struct ep_memo memo; /* the handler's */
	struct ep_guarded guarded;
};
_Static_assert(sizeof(struct ep_sig_thread) <= 4096, "what a thread costs");

/* A slot that was never used is NULL; once set, it stays. */
extern struct ep_sig_thread *_Atomic ep_sig_threads[EP_SIG_MAX_THREADS];
/* The current code map; NULL before the first one. */
extern _Atomic(const struct ep_sig_map *) ep_sig_map;
/* The drain thread sleeps on it (futex).  A handler that meets unknown code makes it
 * EP_SIG_LOOK: a library was opened, most likely. */
extern _Atomic uint32_t ep_sig_wake;
enum { EP_SIG_SLEEP, EP_SIG_LOOK, EP_SIG_STOP };
/* CPU time a sample stands for. */
extern uint64_t ep_sig_period_ns;
/* SIGPROFs that were none of ours. */
extern _Atomic uint64_t ep_sig_n_foreign;

/*
 * The labels in force on this thread.  Initial-exec: its place is fixed when the
 * library is loaded, so a handler's read never allocates.
 */
extern __thread const void *_Atomic ep_sig_labels
	__attribute__((tls_model("initial-exec")));

/* This thread's own stack, known since its start; 0: unknown. */
extern __thread uint64_t ep_sig_stack_lo __attribute__((tls_model("initial-exec")));
extern __thread uint64_t ep_sig_stack_hi __attribute__((tls_model("initial-exec")));

/* sigev_value of our timers: a mark in the high bits, the slot in the low ones. */
#define EP_SIG_VALUE_MARK 0x45500000
#define EP_SIG_VALUE_MASK 0x7fff0000

#endif
