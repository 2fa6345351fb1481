#include "safe/ring.h"

#include "../test.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

struct record {
	uint32_t n_words, sum;
	uint64_t body[63];
};

static void put(struct ep_ring *r, uint32_t n_words, uint64_t value)
{
	uint64_t *at = ep_ring_reserve(r, n_words);
	assert_non_null(at);
	for (uint32_t i = 1; i < n_words; i++)
		at[i] = value;
	ep_ring_commit(r, n_words);
}

static void take(struct ep_ring *r, uint32_t n_words, uint64_t value)
{
	const uint64_t *at = ep_ring_peek(r);
	assert_non_null(at);
	assert_int_equal(*(const uint32_t *)at, n_words);
	for (uint32_t i = 1; i < n_words; i++)
		assert_int_equal(at[i], value);
	ep_ring_drop(r);
}

TEST(ring_gives_back_records_in_order_and_whole)
{
	uint64_t words[16];
	struct ep_ring r;
	ep_ring_init(&r, words, 16);
	assert_null(ep_ring_peek(&r));
	put(&r, 3, 7);
	put(&r, 5, 8);
	take(&r, 3, 7);
	take(&r, 5, 8);
	assert_null(ep_ring_peek(&r));
}

TEST(ring_skips_its_end_rather_than_split_a_record)
{
	uint64_t words[16];
	struct ep_ring r;
	ep_ring_init(&r, words, 16);
	for (uint64_t i = 0; i < 100; i++) {
		put(&r, 6, i);
		take(&r, 6, i);
	}
	assert_int_equal(ep_ring_used(&r), 0);
}

TEST(ring_refuses_when_full_and_goes_on_after_a_drop)
{
	uint64_t words[16];
	struct ep_ring r;
	ep_ring_init(&r, words, 16);
	put(&r, 8, 1);
	put(&r, 8, 2);
	assert_null(ep_ring_reserve(&r, 1));
	take(&r, 8, 1);
	put(&r, 8, 3);
	take(&r, 8, 2);
	take(&r, 8, 3);
}

TEST(ring_keeps_an_uncommitted_record_to_itself)
{
	uint64_t words[16];
	struct ep_ring r;
	ep_ring_init(&r, words, 16);
	assert_non_null(ep_ring_reserve(&r, 4));
	assert_null(ep_ring_peek(&r));
	put(&r, 2, 5); /* the reservation before is forgotten */
	take(&r, 2, 5);
}

enum { N_STRESS = 200000 };

static void *write_many(void *arg)
{
	struct ep_ring *r = arg;
	for (uint32_t i = 0; i < N_STRESS;) {
		uint32_t n = 2 + i * 7 % 60;
		struct record *rec = ep_ring_reserve(r, 64);
		if (!rec) {
			sched_yield();
			continue;
		}
		rec->sum = i++;
		for (uint32_t k = 0; k + 1 < n; k++)
			rec->body[k] = rec->sum * 31ull + k;
		ep_ring_commit(r, n);
	}
	return NULL;
}

TEST(ring_holds_under_two_threads)
{
	static uint64_t words[256];
	struct ep_ring r;
	pthread_t t;
	bool good = true;
	ep_ring_init(&r, words, 256);
	assert_int_equal(pthread_create(&t, NULL, write_many, &r), 0);
	for (uint32_t i = 0; i < N_STRESS;) {
		const struct record *rec = ep_ring_peek(&r);
		if (!rec) {
			sched_yield();
			continue;
		}
		uint32_t n = 2 + i * 7 % 60;
		good = good && rec->n_words == n && rec->sum == i;
		for (uint32_t k = 0; k + 1 < n; k++)
			good = good && rec->body[k] == i * 31ull + k;
		ep_ring_drop(&r);
		i++;
	}
	pthread_join(t, NULL);
	assert_true(good);
	assert_null(ep_ring_peek(&r));
}
