/*
 * torture_life.c - before main, after exit, and at the ends of threads.
 * torture_life KIND SECONDS
 *
 *   churn  threads of a moment, detached and joined, on stacks of all sizes, that
 *          allocate, lock and free in the destructors of their keys
 *   early  (always) constructors and destructors, atexit and on_exit work too
 *   exit   leaves by exit() on a thread other than the first, while others work
 */
#include "torture.h"

#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

static double seconds;
static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t keys[4];
static sem_t slots;
static atomic_int n_destroyed;
static char *from_before_main;

static void *short_thread(void *unused)
{
	(void)unused;
	allocate(10);
	pthread_mutex_lock(&shared);
	pthread_mutex_unlock(&shared);
	return NULL;
}

static void a_thread(void)
{
	pthread_t t;
	CHECK(!pthread_create(&t, NULL, short_thread, NULL));
	CHECK(!pthread_join(t, NULL));
}

__attribute__((constructor(101))) static void first_of_all(void)
{
	from_before_main = malloc(3 << 20);
	memset(from_before_main, 1, 3 << 20);
	allocate(500);
	a_thread();
}

__attribute__((constructor)) static void before_main(void)
{
	allocate(500);
	a_thread();
}

__attribute__((destructor(101))) static void last_of_all(void)
{
	allocate(500);
	free(from_before_main);
	a_thread();
}

static void at_end(void)
{
	allocate(500);
	a_thread();
}

static void on_end(int code, void *unused)
{
	(void)unused;
	CHECK(code == 0);
	at_end();
}

/* Destructors run again while keys are set again. */
static void destroy(void *p)
{
	unsigned round = *(unsigned *)p;
	free(p);
	allocate(10);
	pthread_mutex_lock(&shared);
	n_destroyed++;
	pthread_mutex_unlock(&shared);
	if (round > 1) {
		unsigned *again = malloc(600000);
		*again = round - 1;
		pthread_setspecific(keys[round % 4], again);
	}
}

static void *short_life(void *detached)
{
	for (int i = 0; i < 4; i++) {
		unsigned *p = malloc(sizeof(*p));
		*p = PTHREAD_DESTRUCTOR_ITERATIONS - 1;
		pthread_setspecific(keys[i], p);
	}
	allocate(5);
	if (detached)
		sem_post(&slots); /* and the destructors come after */
	if (n_destroyed % 3 == 0)
		pthread_exit(NULL);
	return NULL;
}

static void churn(void)
{
	enum { SOME = 16 };
	pthread_attr_t attr;
	double end = end_after(seconds);
	long n = 0;
	sem_init(&slots, 0, 64);
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_key_create(&keys[i], destroy));
	pthread_attr_init(&attr);
	while (before(end)) {
		pthread_t t[SOME];
		pthread_attr_setstacksize(&attr, (size_t)(n % 4 ? 64 << 10 : 1 << 20));
		for (int i = 0; i < SOME; i++)
			CHECK(!pthread_create(&t[i], i % 2 ? &attr : NULL, short_life, NULL));
		for (int i = 0; i < SOME; i++)
			CHECK(!pthread_join(t[i], NULL));
		sem_wait(&slots);
		CHECK(!pthread_create(&t[0], &attr, short_life, &slots));
		pthread_detach(t[0]);
		n += SOME + 1;
	}
	fprintf(stdout, "%ld threads, ", n);
}

static void *forever(void *unused)
{
	(void)unused;
	for (;;) {
		allocate(10);
		burn(0.0005);
	}
	return NULL;
}

static void *leaves(void *unused)
{
	(void)unused;
	double end = end_after(seconds); /* of the clock: the others take the CPU */
	while (before(end))
		burn(0.0005);
	puts("done");
	exit(0);
}

static void exit_elsewhere(void)
{
	pthread_t t;
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_create(&t, NULL, forever, NULL));
	CHECK(!pthread_create(&t, NULL, leaves, NULL));
	forever(NULL);
}

int main(int argc, char **argv)
{
	CHECK(argc > 2);
	seconds = atof(argv[2]);
	atexit(at_end);
	on_exit(on_end, NULL);
	start_library();
	atexit(at_end);
	if (!strcmp(argv[1], "churn"))
		churn();
	else if (!strcmp(argv[1], "exit"))
		exit_elsewhere();
	else if (!strcmp(argv[1], "early"))
		burn(seconds);
	else
		return 2;
	puts("done");
	return 0;
}
