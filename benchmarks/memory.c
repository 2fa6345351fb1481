/*
 * memory.c - programs whose memory is looked at from outside (memory.py), with the
 * library preloaded and without.
 *
 *     bench-memory small | threads N | dlopen N PLUGIN | day SECONDS
 *
 * Each works until it has something to be sampled, says "ready" and waits for a line; a
 * `day` goes on working meanwhile, and says "ready" at its start.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct everprof_labels;
/* There when the library is preloaded. */
__attribute__((weak)) const struct everprof_labels *
everprof_labels_derive_n(const struct everprof_labels *base, unsigned n, ...);
__attribute__((weak)) const struct everprof_labels *
everprof_labels_attach(const struct everprof_labels *set);

static volatile uint64_t sink;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double cpu(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

__attribute__((noinline)) static void spin(double seconds)
{
	double end = cpu() + seconds;
	while (cpu() < end)
		for (int i = 0; i < 10000; i++)
			sink += (uint64_t)i * sink;
}

static void ready(void)
{
	char line[16];
	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(1);
}

/* ---- threads ------------------------------------------------------------------------------ */

static pthread_barrier_t here, leave;

static void *worker(void *unused)
{
	(void)unused;
	spin(0.03); /* a sample or three */
	free(malloc(1000));
	pthread_barrier_wait(&here);
	pthread_barrier_wait(&leave);
	return NULL;
}

static void threads(unsigned n)
{
	pthread_attr_t a;
	pthread_t t;
	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 64 << 10);
	pthread_barrier_init(&here, NULL, n + 1);
	pthread_barrier_init(&leave, NULL, n + 1);
	for (unsigned i = 0; i < n; i++)
		if (pthread_create(&t, &a, worker, NULL) || pthread_detach(t))
			exit(2);
	pthread_barrier_wait(&here);
	sleep(2); /* the drain has seen them */
	ready();
	pthread_barrier_wait(&leave);
}

/* ---- a day -------------------------------------------------------------------------------- */

/* Little of its own, in one arena, so that what grows is seen. */
enum { LIVE = 500, SHAPES = 400 };

static void *live[LIVE];
static double day_ends;

/* As many call paths as a service has: `path` says at each level which way to go. */
__attribute__((noinline)) static void go(unsigned depth, uint32_t path, uint32_t *seed);
#define WAY(name)                                                                          \
	__attribute__((noinline)) static void name(unsigned d, uint32_t p, uint32_t *s)   \
	{                                                                                  \
		go(d - 1, p >> 2, s);                                                      \
		sink++;                                                                    \
	}
WAY(by_a) WAY(by_b) WAY(by_c) WAY(by_d)

static uint32_t draw(uint32_t *seed)
{
	return (*seed = *seed * 1664525 + 1013904223) >> 8;
}

static void churn(uint32_t *seed)
{
	for (int i = 0; i < 50; i++) {
		void **at = &live[draw(seed) % LIVE];
		void *fresh = malloc(16 + draw(seed) % 4000);
		free(__atomic_exchange_n(at, fresh, __ATOMIC_ACQ_REL));
	}
	for (int i = 0; i < 20000; i++)
		sink += (uint64_t)i;
}

static void go(unsigned depth, uint32_t path, uint32_t *seed)
{
	static void (*const ways[])(unsigned, uint32_t, uint32_t *) = {by_a, by_b, by_c, by_d};
	if (depth == 0)
		churn(seed);
	else
		ways[path & 3](depth, path, seed);
}

static void label(uint32_t *seed)
{
	char value[32];
	if (!everprof_labels_derive_n)
		return;
	/* Mostly a few endpoints, sometimes an id of a request. */
	if (draw(seed) % 50)
		snprintf(value, sizeof(value), "/api/%u", draw(seed) % 40);
	else
		snprintf(value, sizeof(value), "/api/id-%u", draw(seed));
	everprof_labels_attach(everprof_labels_derive_n(NULL, 2, "endpoint", value));
}

static void *short_life(void *arg)
{
	uint32_t seed = (uint32_t)(uintptr_t)arg;
	for (int i = 0; i < 5; i++) {
		label(&seed);
		go(8 + draw(&seed) % 8, draw(&seed) % SHAPES * 2654435761u, &seed);
	}
	return NULL;
}

static void *long_life(void *arg)
{
	uint32_t seed = (uint32_t)(uintptr_t)arg;
	while (now() < day_ends) {
		label(&seed);
		go(8 + draw(&seed) % 8, draw(&seed) % SHAPES * 2654435761u, &seed);
	}
	return NULL;
}

static void *births(void *unused)
{
	(void)unused;
	for (uintptr_t i = 0; now() < day_ends; i++) {
		pthread_t t[8];
		for (int k = 0; k < 8; k++)
			if (pthread_create(&t[k], NULL, short_life, (void *)(i * 8 + (uintptr_t)k)))
				exit(3);
		for (int k = 0; k < 8; k++)
			pthread_join(t[k], NULL);
		usleep(20000);
	}
	return NULL;
}

static void day(double seconds)
{
	pthread_t t[3];
	mallopt(M_ARENA_MAX, 1);
	day_ends = now() + seconds;
	puts("ready");
	fflush(stdout);
	for (uintptr_t i = 0; i < 3; i++)
		if (pthread_create(&t[i], NULL, i < 2 ? long_life : births, (void *)(i + 1)))
			exit(4);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "small";
	double n = argc > 2 ? atof(argv[2]) : 0;
	if (!strcmp(what, "small")) {
		spin(1);
		ready();
	} else if (!strcmp(what, "threads")) {
		threads((unsigned)n);
	} else if (!strcmp(what, "dlopen")) {
		for (int i = 0; i < (int)n; i++) {
			void *h = dlopen(argv[3], RTLD_NOW);
			if (!h || dlclose(h))
				return 5;
		}
		spin(0.5);
		ready();
	} else {
		day(n);
	}
	return 0;
}
