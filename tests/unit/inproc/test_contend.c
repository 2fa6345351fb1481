/* The table behind the mutex profile, without the hooks: times are given. */
#include "inproc/sig/contend.h"

#include "../test.h"

#include <pthread.h>

static int a, b; /* two locks */

TEST(contend_gives_the_unlocker_what_all_waiters_waited)
{
	assert_false(ep_contend_maybe(&a));
	ep_contend_wait_begins(&a, 1000);
	ep_contend_wait_begins(&a, 1500);
	assert_true(ep_contend_maybe(&a));
	assert_int_equal(ep_contend_release(&b, 2000), 0);
	assert_int_equal(ep_contend_release(&a, 2000), 1000 + 500);
	/* One has got it; the other waits on, for the new holder now. */
	ep_contend_wait_ends(&a, 2100);
	assert_int_equal(ep_contend_release(&a, 3000), 100 + 100 + 900);
	ep_contend_wait_ends(&a, 3000);
	assert_false(ep_contend_maybe(&a));
	assert_int_equal(ep_contend_release(&a, 9000), 0);
}

TEST(contend_bears_clocks_that_differ)
{
	ep_contend_wait_begins(&a, 5000);
	assert_int_equal(ep_contend_release(&a, 4990), 0);
	ep_contend_wait_ends(&a, 4995);
	assert_false(ep_contend_maybe(&a));
}

TEST(contend_counts_locks_it_has_no_place_for)
{
	/* Addresses of one hash. */
	uint64_t before = atomic_load(&ep_contend.of_mutex.lost);
	char *base = (char *)0x100000;
	for (int i = 0; i < EP_CONTEND_LOCKS + 2; i++) {
		char *lock = base + (uint64_t)i * (1ull << 23);
		assert_int_equal(ep_contend_hash(lock), ep_contend_hash(base));
		ep_contend_wait_begins(lock, 10);
	}
	assert_int_equal(atomic_load(&ep_contend.of_mutex.lost) - before, 2);
	for (int i = 0; i < EP_CONTEND_LOCKS + 2; i++)
		ep_contend_wait_ends(base + (uint64_t)i * (1ull << 23), 20);
	assert_false(ep_contend_maybe(base));
}

enum { THREADS = 4, ROUNDS = 20000 };

static void *wait_and_release(void *arg)
{
	uint64_t sum = 0;
	for (uint64_t i = 0; i < ROUNDS; i++) {
		const char *lock = (const char *)0x200000 + i % 3 * 8;
		ep_contend_wait_begins(lock, i);
		sum += ep_contend_release(lock, i + 1);
		ep_contend_wait_ends(lock, i + 1);
	}
	*(uint64_t *)arg = sum;
	return NULL;
}

/* And under TSan without a race.  Where a thread was stopped inside for so long that
 * another's end was missed, the next to come finds that out: nobody waits for ever. */
TEST(contend_is_empty_again_when_threads_have_met)
{
	pthread_t t[THREADS];
	uint64_t sums[THREADS];
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, wait_and_release, &sums[i]), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 3; i++) {
		const char *lock = (const char *)0x200000 + i * 8;
		ep_contend_wait_begins(lock, 2 * ROUNDS);
		ep_contend_wait_ends(lock, 2 * ROUNDS);
		assert_false(ep_contend_maybe(lock));
	}
}
