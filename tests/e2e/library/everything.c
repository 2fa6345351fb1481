/*
 * A little of everything the library profiles, under labels.
 */
#include <everprof.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static volatile unsigned long sink;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *kept[2000];
static int things[100];

static void work(double seconds)
{
	struct timespec t;
	double end;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	end = (double)t.tv_sec + (double)t.tv_nsec * 1e-9 + seconds;
	do {
		for (int i = 0; i < 100000; i++)
			sink += sink * 3 + 1;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	} while ((double)t.tv_sec + (double)t.tv_nsec * 1e-9 < end);
}

static void *holds(void *unused)
{
	struct timespec t = {0, 20000000};
	for (int i = 0; i < 10; i++) {
		pthread_mutex_lock(&lock);
		nanosleep(&t, NULL);
		pthread_mutex_unlock(&lock);
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	}
	return unused;
}

int main(void)
{
	pthread_t a, b;
	if (everprof_start(NULL) < 0)
		return 1;
	everprof_profile *p = everprof_profile_new("things");
	for (int i = 0; i < 100; i++)
		everprof_profile_add(p, &things[i], 0);
	pthread_create(&a, NULL, holds, NULL);
	pthread_create(&b, NULL, holds, NULL);
	EVERPROF_LABELS("endpoint", "checkout")
		work(0.6);
	EVERPROF_LABELS("endpoint", "search") {
		work(0.2);
		for (int i = 0; i < 2000; i++)
			kept[i] = malloc(4096);
	}
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	for (int i = 0; i < 1000; i++)
		free(kept[i]);
	return 0;
}
