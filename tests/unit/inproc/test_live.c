#include "inproc/sig/live.h"

#include "../test.h"

#include <pthread.h>
#include <stdlib.h>

static struct ep_live *fresh(int n_tables)
{
	struct ep_live *l = calloc(1, sizeof(*l));
	for (int i = 0; i < n_tables; i++)
		l->tables[i] = calloc(1, ep_live_bytes(i));
	return l;
}

static void done(struct ep_live *l)
{
	for (int i = 0; i < EP_LIVE_TABLES; i++)
		free(l->tables[i]);
	free(l);
}

static const void *object(uint64_t i)
{
	return (const void *)(uintptr_t)(0x7f0000000000 + i * 4112); /* no page alike */
}

TEST(live_objects_are_found_once_and_then_gone)
{
	struct ep_live *l = fresh(1);
	struct ep_live_object o;
	assert_true(ep_live_add(l, object(1), 500, 7, 99));
	assert_true(ep_live_maybe(object(1)));
	assert_false(ep_live_take(l, object(2), &o));
	assert_true(ep_live_take(l, object(1), &o));
	assert_int_equal(o.size, 500);
	assert_int_equal(o.site, 7);
	assert_int_equal(o.born_s, 99);
	assert_false(ep_live_maybe(object(1)));
	assert_false(ep_live_take(l, object(1), &o));
	done(l);
}

TEST(live_is_left_alone_by_a_free_of_nothing)
{
	struct ep_live *l = fresh(1);
	struct ep_live_object o;
	assert_true(ep_live_add(l, object(1), 500, 7, 99));
	/* Its key is that of a slot that was never used. */
	assert_false(ep_live_take(l, NULL, &o));
	assert_true(ep_live_take(l, object(1), &o));
	done(l);
}

TEST(live_goes_on_in_larger_tables_and_counts_what_has_no_room)
{
	struct ep_live *l = fresh(2);
	struct ep_live_object o;
	enum { N = 30000 }; /* 4,096 + 16,384 slots */
	static bool there[N];
	uint64_t n = 0;
	for (uint32_t i = 0; i < N; i++)
		n += there[i] = ep_live_add(l, object(i), i, i, 0);
	assert_int_equal(l->n_used, 2);
	assert_true(n > 18000 && n < 4096 + 16384 + 1);
	assert_int_equal(l->n_dropped, N - n);
	for (uint32_t i = 0; i < N; i++) {
		assert_int_equal(ep_live_take(l, object(i), &o), there[i]);
		assert_true(!there[i] || o.site == i);
	}
	for (uint32_t i = 0; i < 1000; i++) /* slots are used again */
		assert_true(ep_live_add(l, object(i), i, i, 0));
	for (uint32_t i = 0; i < 1000; i++)
		assert_true(ep_live_take(l, object(i), &o));
	done(l);
}

enum { THREADS = 4, ROUNDS = 20000, HELD = 64 };

struct job {
	struct ep_live *live;
	uint64_t base;
	uint64_t wrong;
};

static void *add_and_take(void *arg)
{
	struct job *j = arg;
	struct ep_live_object o;
	for (uint64_t r = 0; r < ROUNDS; r++) {
		const void *p = object(j->base + r % HELD);
		if (r >= HELD) {
			bool found = ep_live_take(j->live, p, &o);
			j->wrong += !found || o.site != (uint32_t)(r - HELD) || o.size != j->base;
		}
		j->wrong += !ep_live_add(j->live, p, j->base, (uint32_t)r, 1);
	}
	return NULL;
}

TEST(live_keeps_threads_apart_while_a_reader_walks) /* and under TSan without a race */
{
	struct ep_live *l = fresh(2);
	pthread_t t[THREADS];
	struct job jobs[THREADS];
	for (int i = 0; i < THREADS; i++) {
		jobs[i] = (struct job){l, 1000000ull * (uint64_t)(i + 1), 0};
		assert_int_equal(pthread_create(&t[i], NULL, add_and_take, &jobs[i]), 0);
	}
	for (int walk = 0; walk < 20; walk++)
		for (uint32_t i = 0; i < 1u << EP_LIVE_FIRST_SHIFT; i++) {
			struct ep_live_object o;
			if (ep_live_read(&l->tables[0][i], &o))
				assert_int_equal(o.size % 1000000, 0);
		}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], NULL);
		assert_int_equal(jobs[i].wrong, 0);
	}
	done(l);
}
