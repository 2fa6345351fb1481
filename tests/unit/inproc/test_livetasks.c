#include "inproc/livetasks.h"

#include "../test.h"
#include "everprof.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

enum { RING = 256, TURNS = 20000 };

/* Tasks on their way from those who begin to those who end. */
static everprof_task *_Atomic ring[RING];
static _Atomic int n_ended_twice, n_ended;

static void *begin_tasks(void *unused)
{
	(void)unused;
	for (int i = 0; i < TURNS; i++) {
		everprof_task *t = everprof_task_begin(i & 1 ? "odd" : "even");
		t = atomic_exchange(&ring[(unsigned)i * 7 % RING], t);
		if (t)
			n_ended += everprof_task_end(t) == 0;
	}
	return NULL;
}

/* The same task to two threads at once: one ends it. */
static void *end_tasks(void *unused)
{
	(void)unused;
	for (int i = 0; i < TURNS * 2; i++) {
		everprof_task *t = atomic_load(&ring[(unsigned)i % RING]);
		int rc = everprof_task_end(t);
		if (rc == -ENOENT)
			n_ended_twice++;
		else if (t)
			n_ended++;
	}
	return NULL;
}

TEST(livetasks_end_once_whoever_ends_them)
{
	pthread_t t[4];
	everprof_task *first = everprof_task_begin("first"); /* the profile is there from now on */
	everprof_profile *tasks = everprof_profile_lookup("tasks");
	assert_non_null(first);
	assert_int_equal(everprof_profile_count(tasks), 1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, i & 1 ? end_tasks : begin_tasks, NULL),
				 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < RING; i++)
		n_ended += ring[i] && everprof_task_end(ring[i]) == 0;
	assert_int_equal(n_ended, 2 * TURNS);
	assert_int_equal(everprof_profile_count(tasks), 1);
	assert_int_equal(everprof_task_end(first), 0);
	assert_int_equal(everprof_task_end(first), -ENOENT);
	assert_true(ep_livetasks_n_strangers() > (unsigned)n_ended_twice);
	assert_int_equal(everprof_profile_count(tasks), 0);
}
