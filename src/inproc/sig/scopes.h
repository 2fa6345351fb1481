/*
 * scopes.h - how often a label set was put in force, and how long it was: exact counts
 * for less than it takes to read a clock.
 *
 * A thread that enters scopes owns a block of counters, one for each set, so counting is
 * an addition to memory nobody else writes.  Threads past the last block share one, with
 * atomic additions.  Blocks outlive their owners and are added up by whoever reads.
 *
 * Reading the clock costs ten times as much as counting.  So scopes of a set whose mean
 * is long are all timed; of short ones (under some half a microsecond) one in
 * EP_SCOPES_STRATUM, chosen at random in each run of as many, counts for all of them:
 * docs/decisions/0307-scopes.md.
 *
 * Signal-safe.  The first scope of a thread asks the kernel for a block's memory.
 */
#ifndef EP_INPROC_SIG_SCOPES_H
#define EP_INPROC_SIG_SCOPES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	EP_SCOPES_BLOCKS = 128,
	EP_SCOPES_SETS = 16384,
	EP_SCOPES_STRATUM = 32, /* a power of two */
};

struct ep_scopes_count {
	_Atomic uint64_t n, ticks;
	_Atomic uint32_t left; /* to pass over before one is timed */
	_Atomic uint32_t at;   /* the timed one's place in its stratum */
};

/* A scope that is open. */
struct ep_scopes_span {
	uint64_t since; /* ticks; 0: it is not timed */
	uint32_t set, weight;
};

/* This thread's block; NULL: it has none. */
extern __thread struct ep_scopes_count *ep_scopes_mine
	__attribute__((tls_model("initial-exec")));

/* One instruction, so that a signal handler that enters scopes too loses nothing. */
#if defined(__x86_64__)
static inline void ep_scopes_add(_Atomic uint64_t *to, uint64_t n)
{
	__asm__("addq %1, %0" : "+m"(*(uint64_t *)to) : "er"(n) : "cc");
}
#else
static inline void ep_scopes_add(_Atomic uint64_t *to, uint64_t n)
{
	atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}
#endif

/* A clock of constant rate; ep_scopes_*_ticks() are in it. */
#if defined(__x86_64__)
static inline uint64_t ep_scopes_now(void)
{
	return __builtin_ia32_rdtsc();
}
#else
uint64_t ep_scopes_now(void);
#endif

/* What the inline functions leave over. */
void ep_scopes_enter_rare(uint32_t set, struct ep_scopes_span *ret_span);
void ep_scopes_time(struct ep_scopes_count *c, uint32_t set, struct ep_scopes_span *ret_span);
void ep_scopes_leave_timed(const struct ep_scopes_span *span);

/* A scope of this set begins that needs no more than counting: true, and it is counted.
 * Else nothing happened. */
static inline bool ep_scopes_count(uint32_t set)
{
	struct ep_scopes_count *c = ep_scopes_mine;
	if (__builtin_expect(!c, 0))
		return false;
	c += set;
	uint32_t left = atomic_load_explicit(&c->left, memory_order_relaxed);
	if (__builtin_expect(left == 0, 0))
		return false;
	ep_scopes_add(&c->n, 1);
	atomic_store_explicit(&c->left, left - 1, memory_order_relaxed);
	return true;
}

/* A scope of this set begins; set < EP_SCOPES_SETS. */
static inline void ep_scopes_enter(uint32_t set, struct ep_scopes_span *ret_span)
{
	struct ep_scopes_count *c = ep_scopes_mine;
	ret_span->since = 0;
	if (__builtin_expect(!c, 0)) {
		ep_scopes_enter_rare(set, ret_span);
		return;
	}
	c += set;
	ep_scopes_add(&c->n, 1);
	uint32_t left = atomic_load_explicit(&c->left, memory_order_relaxed);
	if (__builtin_expect(left != 0, 1))
		atomic_store_explicit(&c->left, left - 1, memory_order_relaxed);
	else
		ep_scopes_time(c, set, ret_span);
}

/* It ends; on any thread. */
static inline void ep_scopes_leave(const struct ep_scopes_span *span)
{
	if (__builtin_expect(span->since != 0, 0))
		ep_scopes_leave_timed(span);
}

/* Nothing is counted until it is on, and from then on everything. */
void ep_scopes_start(void);
/* Take blocks from threads that are no more.  One thread at a time. */
void ep_scopes_tick(void);
/* All that was counted for a set.  Any thread. */
void ep_scopes_total(uint32_t set, uint64_t *ret_n, uint64_t *ret_ticks);
/* In the child of a fork: blocks of other threads are free. */
void ep_scopes_child(void);

#endif
