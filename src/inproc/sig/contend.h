/*
 * contend.h - who waited for a lock, and who made them wait.
 *
 * Two profiles of one event.  The waiter's stack is charged with the time it waited
 * (block).  The stack that lets go of the lock is charged with the time others waited
 * while it held it (mutex), as in Go: for each lock with waiters the table keeps how much
 * waiting has come together since the last unlock, and whoever unlocks takes it.
 *
 * Events are sampled by their length: one of d nanoseconds is recorded with probability
 * min(1, d / rate), and then counts max(1, rate / d) times, so that both sums are unbiased
 * and short waits cost little.
 *
 * Nothing here waits or allocates: a place in the table that is busy too long is passed
 * over and counted.  Times are the caller's, of CLOCK_MONOTONIC.
 */
#ifndef EP_INPROC_SIG_CONTEND_H
#define EP_INPROC_SIG_CONTEND_H

#include "inproc/sig/sites.h"

#include <stdbool.h>

enum {
	EP_CONTEND_BUCKETS = 1024,
	EP_CONTEND_LOCKS = 4, /* with waiters at once, of one hash */
	EP_CONTEND_SHIFT = 16, /* counts are in 1/65536 */
};

/* Of a site. */
enum ep_contend_value { EP_CONTEND_COUNT, EP_CONTEND_DELAY };

/* Sampled waits of one profile. */
struct ep_contend_account {
	_Atomic uint64_t taken, lost, truncated;
};

struct ep_contend {
	_Atomic bool on;
	uint64_t rate_ns; /* set once, before `on` */
	struct ep_sites mutex, block;
	struct ep_contend_account of_mutex, of_block;
};
extern struct ep_contend ep_contend;

/* This thread is the library's: its waits, and whom it makes wait, are not the program's. */
extern __thread bool ep_contend_ours __attribute__((tls_model("initial-exec")));

/* Waiters by the hash of their lock.  0: nobody waits for any of them. */
extern _Atomic uint16_t ep_contend_waiters[EP_CONTEND_BUCKETS];

static inline uint32_t ep_contend_hash(const void *lock)
{
	uint64_t a = (uintptr_t)lock;
	return (uint32_t)(a >> 3 ^ a >> 13) & (EP_CONTEND_BUCKETS - 1);
}

/* May somebody wait for this lock?  The whole cost of an unlock that nobody waits for. */
static inline bool ep_contend_maybe(const void *lock)
{
	return __builtin_expect(atomic_load_explicit(&ep_contend_waiters[ep_contend_hash(lock)],
						     memory_order_relaxed) != 0,
				0);
}

/* The calling thread is about to wait for a lock; if that could be noted (true), it says
 * later that it has it, or gave up. */
bool ep_contend_wait_begins(const void *lock, uint64_t now_ns);
void ep_contend_wait_ends(const void *lock, uint64_t now_ns);

/*
 * The calling thread lets go of a lock that ep_contend_maybe() spoke of: what others have
 * waited for it since the last unlock, before; and, if it did let go, who made them,
 * after.  What a waiter needs to wake up is nobody's fault.
 */
uint64_t ep_contend_release(const void *lock, uint64_t now_ns);
void ep_contend_charge(uint64_t waited_ns, const void *return_address);

/* The calling thread has waited, for anything. */
void ep_contend_blocked(uint64_t delay_ns, const void *return_address);

/* In the child of a fork: nobody waits. */
void ep_contend_child(void);

#endif
