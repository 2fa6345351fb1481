/*
 * work_wait.c - a lock that one thread holds for a known time while another waits.
 *
 * The waiter's truth is a clock around pthread_mutex_lock(); the holder's is what the
 * other had waited when it let go.  Waits are milliseconds, so the library samples each
 * (one in 10 us of waiting is asked for), and its figure is to be the clock's.
 */
#include "proof/workload.h"

#include "base/clock.h"
#include "proof/spots.h"
#include "proof/truth.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define HOLD_NS (3 * EP_NS_PER_MS)

struct contest {
	pthread_mutex_t lock;
	pthread_barrier_t step;
	_Atomic bool done;
	uint64_t let_go_ns; /* under the lock */
	uint64_t waited_ns, held_ns, n;
};

EP_SPOT(holder) static void hold(struct contest *c)
{
	pthread_mutex_lock(&c->lock);
	pthread_barrier_wait(&c->step);
	nanosleep(&(struct timespec){0, (long)HOLD_NS}, NULL);
	c->let_go_ns = ep_clock_mono_ns();
	pthread_mutex_unlock(&c->lock);
	__asm__ volatile(""); /* no tail call: we are to be on the stack */
}

/* Contended for certain: who came too late, on a loaded machine, does not count. */
EP_SPOT(waiter) static void wait_for(struct contest *c)
{
	if (pthread_mutex_trylock(&c->lock) == 0) {
		pthread_mutex_unlock(&c->lock);
		return;
	}
	uint64_t from = ep_clock_mono_ns();
	pthread_mutex_lock(&c->lock);
	uint64_t until = ep_clock_mono_ns();
	if (c->let_go_ns > from)
		c->held_ns += c->let_go_ns - from;
	pthread_mutex_unlock(&c->lock);
	c->waited_ns += until - from;
	c->n++;
}

static void *other_side(void *arg)
{
	struct contest *c = arg;
	while (!atomic_load(&c->done)) {
		hold(c);
		pthread_barrier_wait(&c->step);
	}
	return NULL;
}

int ep_work_wait(const struct ep_work *w)
{
	struct contest c = {.lock = PTHREAD_MUTEX_INITIALIZER};
	pthread_t t;
	ep_truth_tell_phase(w->truth, "lock");
	uint64_t until = ep_clock_mono_ns() + (uint64_t)(w->seconds * 1e9);
	pthread_barrier_init(&c.step, NULL, 2);
	int rc = pthread_create(&t, NULL, other_side, &c);
	if (rc)
		return -rc;
	for (bool more = true; more;) {
		pthread_barrier_wait(&c.step);
		wait_for(&c);
		more = ep_clock_mono_ns() < until;
		atomic_store(&c.done, !more);
		pthread_barrier_wait(&c.step);
	}
	pthread_join(t, NULL);
	pthread_barrier_destroy(&c.step);
	ep_truth_tell(w->truth, "waited", (int64_t)c.waited_ns);
	ep_truth_tell(w->truth, "held", (int64_t)c.held_ns);
	ep_truth_tell(w->truth, "waits", (int64_t)c.n);
	return 0;
}
