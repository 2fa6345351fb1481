/* lock_answers.c - what locks answer in their corners; prints "WHAT result" a line. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <time.h>

static void say(const char *what, int rc)
{
	printf("%s %d %d\n", what, rc, errno);
	errno = 0;
}

static pthread_mutex_t robust;

static void *die_holding(void *arg)
{
	pthread_mutex_lock(&robust);
	return arg;
}

int main(void)
{
	pthread_mutexattr_t a;
	pthread_mutex_t m;
	pthread_rwlock_t rw;
	pthread_cond_t c = PTHREAD_COND_INITIALIZER;
	pthread_t t;
	sem_t s;
	mtx_t x;
	struct timespec past = {1, 0}, bad = {1, -1};

	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&m, &a);
	say("lock", pthread_mutex_lock(&m));
	say("lock again", pthread_mutex_lock(&m));
	say("timed, mine", pthread_mutex_timedlock(&m, &past));
	say("unlock", pthread_mutex_unlock(&m));
	say("unlock again", pthread_mutex_unlock(&m));

	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&m, &a);
	say("recursive", pthread_mutex_lock(&m));
	say("recursive twice", pthread_mutex_lock(&m));
	say("recursive out", pthread_mutex_unlock(&m));
	say("recursive out twice", pthread_mutex_unlock(&m));
	say("recursive out thrice", pthread_mutex_unlock(&m));

	pthread_mutexattr_init(&a);
	pthread_mutex_init(&m, &a);
	pthread_mutex_lock(&m);
	say("timed out", pthread_mutex_timedlock(&m, &past));
	say("clock timed out", pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &past));
	say("bad time", pthread_mutex_timedlock(&m, &bad));
	say("bad clock", pthread_mutex_clocklock(&m, 77, &past));
	say("cond timed out", pthread_cond_timedwait(&c, &m, &past));
	say("cond clock timed out", pthread_cond_clockwait(&c, &m, CLOCK_MONOTONIC, &past));

	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &a);
	if (pthread_create(&t, NULL, die_holding, NULL))
		return 1;
	say("join", pthread_join(t, NULL));
	say("owner died", pthread_mutex_lock(&robust));
	say("consistent", pthread_mutex_consistent(&robust));
	say("robust out", pthread_mutex_unlock(&robust));

	pthread_rwlock_init(&rw, NULL);
	say("write", pthread_rwlock_wrlock(&rw));
	say("read, mine", pthread_rwlock_timedrdlock(&rw, &past));
	say("write, mine", pthread_rwlock_wrlock(&rw));
	say("write out", pthread_rwlock_unlock(&rw));

	sem_init(&s, 0, 1);
	say("sem", sem_wait(&s));
	say("sem timed out", sem_timedwait(&s, &past));
	say("sem clock timed out", sem_clockwait(&s, CLOCK_MONOTONIC, &past));

	mtx_init(&x, mtx_timed);
	say("mtx", mtx_lock(&x));
	say("mtx timed out", mtx_timedlock(&x, &past));
	say("mtx out", mtx_unlock(&x));
	return 0;
}
