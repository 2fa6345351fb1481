/*
 * custom.c - custom profiles: a thing added and removed with others live, by one thread and
 * by two, and a profile of 100,000 things written.
 *
 * 27 frames deep.  The floor of two threads is what they reach at work that shares nothing:
 * two CPUs of a virtual machine may be one.
 */
#include "chain.h"
#include "everprof.h"
#include "load.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

enum { TURNS = 15, PAIRS = 100000, MOST = 100000 };

static everprof_profile *profile;
static const char keys[MOST], mine[2];
static volatile uint64_t sink;

struct job {
	int which; /* -1: work that shares nothing */
	pthread_barrier_t *start;
	double ns, cpu_ns;
};

NOINLINE static uint64_t leaf(uint64_t x, void *arg)
{
	struct job *j = arg;
	uint64_t r = x | 1, from = now_of(CLOCK_MONOTONIC), cpu = now_of(CLOCK_THREAD_CPUTIME_ID);
	for (long i = 0; i < PAIRS; i++) {
		if (j->which < 0) {
			for (int k = 0; k < 60; k++)
				(void)random_of(&r);
			continue;
		}
		(void)everprof_profile_add(profile, &mine[j->which], 0);
		(void)everprof_profile_remove(profile, &mine[j->which]);
	}
	j->ns = (double)(now_of(CLOCK_MONOTONIC) - from) / PAIRS;
	j->cpu_ns = (double)(now_of(CLOCK_THREAD_CPUTIME_ID) - cpu) / PAIRS;
	return r;
}

static void *run(void *arg)
{
	struct job *j = arg;
	if (j->start)
		pthread_barrier_wait(j->start);
	sink += descend(7, j);
	return NULL;
}

static struct job alone(int which)
{
	struct job j = {.which = which};
	(void)run(&j);
	return j;
}

static double together(int which)
{
	pthread_barrier_t start;
	pthread_t t[2];
	struct job j[2] = {{.which = which, .start = &start},
			   {.which = which < 0 ? -1 : 1 - which, .start = &start}};
	pthread_barrier_init(&start, NULL, 2);
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, run, &j[i]);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	return (j[0].ns + j[1].ns) / 2;
}

static void measure(long live)
{
	double one[TURNS], scale[TURNS], floor[TURNS];
	static long n_live;
	for (; n_live < live; n_live++)
		(void)everprof_profile_add(profile, &keys[n_live], 0);
	for (int i = 0; i < TURNS; i++) {
		struct job j = alone(0);
		one[i] = j.cpu_ns;
		scale[i] = 2 * j.ns / together(0);
		floor[i] = 2 * alone(-1).ns / together(-1);
	}
	struct estimate e = estimate_of(one, TURNS), s = estimate_of(scale, TURNS); /* sorted now */
	printf("RESULT live=%ld ns=%.1f least_ns=%.1f two=%.3f floor_two=%.3f\n", live, e.median,
	       one[0], s.median, estimate_of(floor, TURNS).median);
}

static void write_all(void)
{
	double cpu[TURNS], wall[TURNS];
	int fd = open("/dev/null", O_WRONLY);
	for (int i = 0; i < TURNS; i++) {
		uint64_t c = now_of(CLOCK_PROCESS_CPUTIME_ID), w = now_of(CLOCK_MONOTONIC);
		if (everprof_profile_write(profile, fd, 0) < 0)
			exit(1);
		cpu[i] = (double)(now_of(CLOCK_PROCESS_CPUTIME_ID) - c) / 1e6;
		wall[i] = (double)(now_of(CLOCK_MONOTONIC) - w) / 1e6;
	}
	printf("RESULT things=%zu write_cpu_ms=%.3f write_ms=%.3f\n",
	       everprof_profile_count(profile), estimate_of(cpu, TURNS).median,
	       estimate_of(wall, TURNS).median);
}

int main(void)
{
	profile = everprof_profile_new("bench_things");
	if (!profile)
		return 1;
	measure(0);
	measure(1000);
	measure(100000);
	write_all();
	return 0;
}
