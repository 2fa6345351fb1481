/* Rings that many write to: nothing is lost that has room, nothing is torn. */
#include "test.h"

#include "inproc/ringpool.h"
#include "inproc/sig/rings.h"

#include <pthread.h>

enum { WRITERS = 4, RECORDS = 20000 };

/* n_words (the ring's), writer, then words that all say the same. */
struct record {
	uint32_t n_words, writer;
	uint64_t words[9];
};

static _Atomic uint32_t n_writing;
static uint64_t n_full[WRITERS];

static void *write_records(void *arg)
{
	uint32_t writer = (uint32_t)(uintptr_t)arg;
	for (uint64_t i = 0; i < RECORDS; i++) {
		struct ep_rings_one *r;
		struct record *w = ep_rings_reserve(writer, sizeof(*w) / 8, &r);
		if (!w) {
			n_full[writer]++;
			continue;
		}
		w->writer = writer;
		for (int k = 0; k < 9; k++)
			w->words[k] = i * WRITERS + writer;
		ep_rings_commit(r, sizeof(*w) / 8);
	}
	atomic_fetch_sub(&n_writing, 1);
	return NULL;
}

static uint64_t read_records(void)
{
	uint64_t n = 0;
	for (uint32_t i = 0; i < atomic_load(&ep_rings.n); i++)
		for (const struct record *w; (w = ep_ring_peek(&ep_rings.one[i].ring)); n++) {
			assert_int_equal(w->n_words, sizeof(*w) / 8);
			for (int k = 0; k < 9; k++)
				assert_int_equal(w->words[k], w->words[0]);
			assert_int_equal(w->words[0] % WRITERS, w->writer);
			ep_ring_drop(&ep_rings.one[i].ring);
		}
	return n;
}

TEST(rings_take_what_many_write_at_once)
{
	pthread_t t[WRITERS];
	uint64_t n = 0, full = 0;
	assert_true(ep_ringpool_make());
	ep_ringpool_child(); /* as if nothing had been written before */
	atomic_store(&n_writing, WRITERS);
	for (uintptr_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, write_records, (void *)i), 0);
	while (atomic_load(&n_writing))
		n += read_records();
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(t[i], NULL);
		full += n_full[i];
	}
	n += read_records();
	assert_int_equal(n + full, (uint64_t)WRITERS * RECORDS);
	assert_true(n > 0);
}

TEST(rings_of_others_take_what_does_not_fit_into_ones_own)
{
	struct ep_rings_one *r;
	assert_true(ep_ringpool_make());
	ep_ringpool_child();
	uint32_t n_rings = atomic_load(&ep_rings.n), n_words = ep_rings.one[0].ring.n_words, n = 0;
	for (void *w; (w = ep_rings_reserve(1, 512, &r)) != NULL; n++)
		ep_rings_commit(r, 512);
	assert_int_equal(n, n_rings * (n_words / 512));
	ep_ringpool_child();
	assert_non_null(ep_rings_reserve(1, 512, &r));
	ep_rings_release(r);
}

TEST(rings_that_a_handler_left_behind_are_its_own_again)
{
	struct ep_rings_one *left, *other, *again;
	assert_true(ep_ringpool_make());
	ep_ringpool_child();
	assert_non_null(ep_rings_reserve(2, 8, &left)); /* and a longjmp out of the handler */
	assert_non_null(ep_rings_reserve(2 + atomic_load(&ep_rings.n), 8, &other));
	assert_ptr_not_equal(left, other);
	assert_non_null(ep_rings_reserve(2, 8, &again));
	assert_ptr_equal(left, again);
	ep_rings_release(again);
	ep_rings_release(other);
}
