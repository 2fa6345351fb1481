#include "inproc/sig/sites.h"

#include "../test.h"

#include <pthread.h>
#include <stdlib.h>

enum { SLOTS = 1024, FRAMES = 8192 };

static struct ep_sites *fresh(void)
{
	struct ep_sites *s = calloc(1, sizeof(*s));
	ep_sites_init(s, calloc(1, ep_sites_bytes(SLOTS, FRAMES)), SLOTS, FRAMES);
	return s;
}

static void done(struct ep_sites *s)
{
	free(s->slots);
	free(s);
}

TEST(sites_are_told_apart_by_stack_and_by_labels)
{
	struct ep_sites *s = fresh();
	const uint64_t a[] = {1, 2, 3}, b[] = {1, 2, 4};
	int label;
	uint32_t first = ep_sites_find_or_add(s, a, 3, false, NULL);
	assert_int_equal(ep_sites_find_or_add(s, a, 3, false, NULL), first);
	assert_int_not_equal(ep_sites_find_or_add(s, b, 3, false, NULL), first);
	assert_int_not_equal(ep_sites_find_or_add(s, a, 2, false, NULL), first);
	assert_int_not_equal(ep_sites_find_or_add(s, a, 3, false, &label), first);
	const struct ep_site *site = ep_sites_at(s, first);
	assert_int_equal(site->n_frames, 3);
	assert_memory_equal(s->frames + site->first_frame, a, sizeof(a));
	done(s);
}

TEST(sites_that_find_no_room_are_counted)
{
	struct ep_sites *s = fresh();
	uint64_t frames[64] = {0}, dropped = 0;
	for (uint32_t i = 0; i < 2 * SLOTS; i++) {
		frames[0] = i;
		dropped += ep_sites_find_or_add(s, frames, 64, false, NULL) == EP_SITES_NONE;
	}
	assert_int_equal(2 * SLOTS - dropped, FRAMES / 64); /* all the frames there are */
	assert_int_equal(s->n_dropped, dropped);
	frames[0] = 0;
	assert_int_not_equal(ep_sites_find_or_add(s, frames, 64, false, NULL), EP_SITES_NONE);
	done(s);
}

TEST(sites_without_memory_drop_all)
{
	struct ep_sites s = {0};
	uint64_t frame = 1;
	assert_int_equal(ep_sites_find_or_add(&s, &frame, 1, false, NULL), EP_SITES_NONE);
	assert_int_equal(s.n_dropped, 1);
}

enum { THREADS = 4, STACKS = 200, ROUNDS = 200 };

static void *count_all(void *arg)
{
	struct ep_sites *s = arg;
	for (int r = 0; r < ROUNDS; r++)
		for (uint64_t i = 0; i < STACKS; i++) {
			uint64_t frames[] = {i, i * 7, 42};
			uint32_t site = ep_sites_find_or_add(s, frames, 3, false, NULL);
			if (site != EP_SITES_NONE)
				ep_sites_count(s, site, 0, 1);
		}
	return NULL;
}

TEST(sites_count_right_when_threads_meet) /* and under TSan without a race */
{
	struct ep_sites *s = fresh();
	pthread_t t[THREADS];
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, count_all, s), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	int64_t per_stack[STACKS] = {0};
	for (uint32_t i = 0; i < SLOTS; i++) {
		const struct ep_site *site = ep_sites_at(s, i);
		if (site) /* a stack made twice is added up */
			per_stack[s->frames[site->first_frame]] += site->values[0];
	}
	assert_int_equal(s->n_dropped, 0);
	for (int i = 0; i < STACKS; i++)
		assert_int_equal(per_stack[i], THREADS * ROUNDS);
	done(s);
}
