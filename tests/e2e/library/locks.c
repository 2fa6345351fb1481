/*
 * locks.c - a program whose waiting is known: each kind of wait, by a clock around it.
 *
 * Prints "FUNCTION waits nanoseconds" a line: what each function waited, and for the two
 * holders what others waited while they held the lock.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>

#define FAR __attribute__((noinline, noclone))
#define N 40

struct waited {
	const char *name;
	uint64_t n, ns;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t cond_mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t sem;
static pthread_barrier_t barrier;
static mtx_t c11;
static int ready;

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void sleep_ms(int ms)
{
	nanosleep(&(struct timespec){0, ms * 1000000L}, NULL);
}

static struct waited of_mutex = {"wait_for_mutex", 0, 0}, of_rwlock = {"wait_for_rwlock", 0, 0},
		     of_cond = {"wait_for_cond", 0, 0}, of_sem = {"wait_for_sem", 0, 0},
		     of_barrier = {"wait_at_barrier", 0, 0}, of_c11 = {"wait_for_c11", 0, 0},
		     of_join = {"wait_for_thread", 0, 0}, by_long = {"hold_long", 0, 0},
		     by_short = {"hold_short", 0, 0};

#define TIMED(w, call)                                                                 \
	do {                                                                           \
		uint64_t t_ = now();                                                   \
		call;                                                                  \
		(w)->ns += now() - t_;                                                 \
		(w)->n++;                                                              \
	} while (0)

static uint64_t let_go_ns; /* under the mutex */

/* What it waited until the other side let go. */
FAR static uint64_t wait_for_mutex(void)
{
	uint64_t from = now();
	TIMED(&of_mutex, pthread_mutex_lock(&mutex));
	uint64_t waited = let_go_ns - from;
	pthread_mutex_unlock(&mutex);
	return waited;
}

FAR static void wait_for_rwlock(void)
{
	TIMED(&of_rwlock, pthread_rwlock_rdlock(&rwlock));
	pthread_rwlock_unlock(&rwlock);
}

FAR static void wait_for_c11(void)
{
	TIMED(&of_c11, mtx_lock(&c11));
	mtx_unlock(&c11);
}

FAR static void wait_for_cond(void)
{
	pthread_mutex_lock(&cond_mutex);
	TIMED(&of_cond, while (!ready) pthread_cond_wait(&cond, &cond_mutex));
	ready = 0;
	pthread_mutex_unlock(&cond_mutex);
}

FAR static void wait_for_sem(void)
{
	TIMED(&of_sem, while (sem_wait(&sem) < 0 && errno == EINTR));
}

FAR static void wait_at_barrier(void)
{
	TIMED(&of_barrier, pthread_barrier_wait(&barrier));
}

/* ---- the other side ---------------------------------------------------------------------- */

static void step(void)
{
	pthread_barrier_wait(&barrier); /* both are here */
}

FAR static void hold_long(void)
{
	pthread_mutex_lock(&mutex);
	step();
	sleep_ms(6);
	let_go_ns = now();
	pthread_mutex_unlock(&mutex);
	__asm__ volatile("");
}

FAR static void hold_short(void)
{
	pthread_mutex_lock(&mutex);
	step();
	sleep_ms(2);
	let_go_ns = now();
	pthread_mutex_unlock(&mutex);
	__asm__ volatile("");
}

static void *other_side(void *arg)
{
	for (int i = 0; i < N; i++) {
		if (i % 2)
			hold_long();
		else
			hold_short();
		step();
		pthread_rwlock_wrlock(&rwlock);
		mtx_lock(&c11);
		step();
		sleep_ms(2);
		pthread_rwlock_unlock(&rwlock);
		sleep_ms(2);
		mtx_unlock(&c11);
		step();
		sleep_ms(1);
		pthread_mutex_lock(&cond_mutex);
		ready = 1;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&cond_mutex);
		sleep_ms(3);
		sem_post(&sem);
		sleep_ms(4);
		step();
	}
	return arg;
}

static void *short_life(void *arg)
{
	sleep_ms(20);
	return arg;
}

FAR static void wait_for_thread(void)
{
	pthread_t t;
	if (pthread_create(&t, NULL, short_life, NULL))
		abort();
	TIMED(&of_join, pthread_join(t, NULL));
}

int main(void)
{
	pthread_t t;
	sem_init(&sem, 0, 0);
	pthread_barrier_init(&barrier, NULL, 2);
	mtx_init(&c11, mtx_plain);
	if (pthread_create(&t, NULL, other_side, NULL))
		return 1;
	for (int i = 0; i < N; i++) {
		struct waited *holder = i % 2 ? &by_long : &by_short;
		step();
		holder->ns += wait_for_mutex();
		holder->n++;
		step();
		step();
		wait_for_rwlock();
		wait_for_c11();
		step();
		wait_for_cond();
		wait_for_sem();
		wait_at_barrier(); /* the other side's last step */
	}
	wait_for_thread();
	pthread_join(t, NULL);
	const struct waited *all[] = {&of_mutex, &of_rwlock, &of_c11, &of_cond, &of_sem,
				      &of_barrier, &of_join, &by_long, &by_short};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		printf("%s %lu %lu\n", all[i]->name, all[i]->n, all[i]->ns);
	return 0;
}
