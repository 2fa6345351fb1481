#include "inproc/sig/scopes.h"

#include "../test.h"

#include <pthread.h>

/* Sets of other tests have small numbers. */
enum { SET = 9000, THREADS = 300, EACH = 2000 };

static uint64_t entered(uint32_t set)
{
	uint64_t n, ticks;
	ep_scopes_total(set, &n, &ticks);
	return n;
}

TEST(scopes_count_nothing_before_the_start_and_all_after_it)
{
	struct ep_scopes_span s;
	ep_scopes_enter(SET, &s);
	ep_scopes_leave(&s);
	assert_int_equal(entered(SET), 0);
	ep_scopes_start();
	for (int i = 0; i < 1000; i++) { /* a thread without a block asks for one again */
		ep_scopes_enter(SET, &s);
		ep_scopes_leave(&s);
	}
	assert_int_equal(entered(SET), 1000);
	assert_non_null(ep_scopes_mine);
}

/* Long or short: what the timed scopes stand for adds up to all of them. */
TEST(scopes_are_stood_for_by_the_timed_ones_each_once)
{
	uint64_t stood_for = 0, n_timed = 0;
	ep_scopes_start();
	const uint64_t n = 160000;
	for (uint64_t i = 0; i < n; i++) {
		struct ep_scopes_span s;
		ep_scopes_enter(SET + 1, &s);
		if (s.since) {
			stood_for += s.weight;
			n_timed++;
		}
		ep_scopes_leave(&s);
		assert_in_range(stood_for + EP_SCOPES_STRATUM, i, i + 3 * EP_SCOPES_STRATUM);
	}
	assert_int_equal(entered(SET + 1), n);
	assert_true(n_timed < n);
}

static void *enter_many(void *go_on)
{
	for (int i = 0; i < EACH; i++) {
		struct ep_scopes_span s;
		ep_scopes_enter(SET + 2 + (uint32_t)i % 3, &s);
		ep_scopes_leave(&s);
	}
	/* Stay, so that there are more threads than blocks. */
	pthread_barrier_wait(go_on);
	return NULL;
}

TEST(scopes_of_more_threads_than_blocks_are_all_counted)
{
	static pthread_t t[THREADS];
	ep_scopes_start();
	for (int round = 1; round <= 3; round++) {
		pthread_barrier_t barrier;
		pthread_barrier_init(&barrier, NULL, THREADS + 1);
		for (int i = 0; i < THREADS; i++)
			assert_int_equal(pthread_create(&t[i], NULL, enter_many, &barrier), 0);
		ep_scopes_tick(); /* while they run */
		pthread_barrier_wait(&barrier);
		for (int i = 0; i < THREADS; i++)
			pthread_join(t[i], NULL);
		ep_scopes_tick();
		pthread_barrier_destroy(&barrier);
		assert_int_equal(entered(SET + 2) + entered(SET + 3) + entered(SET + 4),
				 (uint64_t)round * THREADS * EACH);
	}
}
