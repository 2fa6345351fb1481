#include "inproc/tasks.h"

#include "../test.h"

#include "inproc/labels.h"
#include "inproc/peek.h"
#include "everprof.h"
#include "safe/sys.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static _Atomic uint32_t its_tid;
static int nothing[2];

static void *wait_in_read(void *set)
{
	char c;
	pthread_setname_np(pthread_self(), "a name of 15 by");
	everprof_labels_attach(set);
	atomic_store(&its_tid, (uint32_t)ep_sys6(SYS_gettid, 0, 0, 0, 0, 0, 0));
	return read(nothing[0], &c, 1) == 1 ? &its_tid : NULL;
}

/* Until it waits in read(). */
static struct ep_tasks_at until_it_waits(int dir, uint32_t tid)
{
	struct ep_tasks_at at = {0};
	while (ep_tasks_look(dir, tid, &at, NULL) != EP_TASKS_BLOCKED || at.call != SYS_read)
		usleep(1000);
	return at;
}

static void find_it(uint32_t tid, void *arg)
{
	*(int *)arg += tid == its_tid;
}

TEST(tasks_tell_where_a_thread_waits_and_under_which_labels)
{
	pthread_t t;
	char name[EP_TASKS_NAME];
	int n_found = 0, dir = ep_tasks_open();
	const everprof_labels *set = everprof_labels_derive(NULL, "who", "the other thread");
	assert_int_equal(pipe(nothing), 0);
	its_tid = 0;
	pthread_create(&t, NULL, wait_in_read, (void *)(uintptr_t)set);
	while (!its_tid)
		usleep(1000);
	struct ep_tasks_at at = until_it_waits(dir, its_tid), again;
	assert_string_equal(ep_tasks_call_name(at.call), "read");
	assert_true(at.sp && at.pc);
	uint64_t cpu = ep_tasks_cpu_ns(its_tid);
	int fd;
	assert_int_equal(ep_tasks_look(dir, its_tid, &again, &fd), EP_TASKS_BLOCKED);
	assert_int_equal(ep_tasks_look_again(fd, &again), EP_TASKS_BLOCKED);
	close(fd);
	assert_memory_equal(&at, &again, sizeof(at));
	ep_tasks_name(dir, its_tid, name);
	assert_string_equal(name, "a name of 15 by");
	assert_ptr_equal(ep_peek_labels(its_tid), set);
	assert_int_equal(ep_tasks_each(find_it, &n_found), 0);
	assert_int_equal(n_found, 1);
	assert_true(cpu > 0 && ep_tasks_cpu_ns(its_tid) == cpu); /* all that woke it up */
	void *woken;
	assert_int_equal(write(nothing[1], "x", 1), 1);
	pthread_join(t, &woken);
	assert_ptr_equal(woken, &its_tid);
	close(dir);
	close(nothing[0]);
	close(nothing[1]);
}

TEST(tasks_that_are_no_more_are_gone)
{
	struct ep_tasks_at at;
	char name[EP_TASKS_NAME];
	int dir = ep_tasks_open();
	uint32_t nobody = 1; /* of another process */
	assert_int_equal(ep_tasks_look(dir, nobody, &at, NULL), EP_TASKS_GONE);
	ep_tasks_name(dir, nobody, name);
	assert_string_equal(name, "");
	close(dir);
}

TEST(tasks_read_ends_where_memory_ends)
{
	char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static char to[2 * 4096];
	memset(p, 7, 3 * 4096);
	munmap(p + 2 * 4096, 4096);
	uint64_t at = (uint64_t)(uintptr_t)p + 1000;
	assert_int_equal(ep_tasks_read(at, to, sizeof(to)), 2 * 4096 - 1000);
	assert_int_equal(to[0], 7);
	assert_int_equal(ep_tasks_read((uint64_t)(uintptr_t)p + 2 * 4096, to, 8), 0);
	assert_int_equal(ep_tasks_read(at, to, 100), 100);
	uint64_t word = 0, nowhere = (uint64_t)(uintptr_t)p + 2 * 4096;
	assert_int_equal(ep_tasks_read_with(at, &word, at, to, sizeof(to)), 2 * 4096 - 1000);
	assert_true(word == 0x0707070707070707ull);
	assert_int_equal(ep_tasks_read_with(nowhere, &word, at, to, 8), 0);
	munmap(p, 2 * 4096);
}

TEST(labels_that_we_never_made_are_not_believed)
{
	const everprof_labels *set = everprof_labels_derive(NULL, "who", "known");
	struct everprof_labels fake = *set;
	assert_ptr_equal(ep_labels_known(set, set->hash), set);
	assert_null(ep_labels_known(&fake, fake.hash));
	assert_null(ep_labels_known(set, set->hash + 1));
	assert_null(ep_labels_known((const void *)8, 0));
}
