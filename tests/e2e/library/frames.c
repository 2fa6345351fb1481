/*
 * frames.c - threads that wait in read() below functions with frames of all kinds: large
 * ones, of variable size, with arguments on the stack, with old frames in what they have not
 * written yet, recursive, called by a pointer, and in a library's callback.
 *
 * Prints the address of /debug/pprof, and ends with standard input.
 */
#define _GNU_SOURCE
#include <everprof.h>

#include <alloca.h>
#include <pthread.h>
#include <search.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KEEP __attribute__((noinline))

static int nothing[2];
static atomic_int ready;
static volatile unsigned long sum;

static KEEP void wait_here(void)
{
	char c;
	ready++;
	if (read(nothing[0], &c, 1) < 0)
		_exit(1);
	sum++;
}

static KEEP void large(void)
{
	volatile char room[40000];
	room[0] = room[39999] = 1;
	wait_here();
	sum += (unsigned long)room[0];
}

static KEEP void of_any_size(int n)
{
	volatile char room[n];
	char *more = alloca((size_t)n);
	memset(more, 1, (size_t)n);
	room[n - 1] = 1;
	wait_here();
	sum += (unsigned long)room[n - 1] + (unsigned long)more[0];
}

static void any_size(void)
{
	of_any_size(atoi("1234"));
	sum++;
}

static KEEP long with_nine(long a, long b, long c, long d, long e, long f, long g, long h, long i)
{
	wait_here();
	return a + b + c + d + e + f + g + h + i;
}

static KEEP void nine(void)
{
	sum += (unsigned long)with_nine(1, 2, 3, 4, 5, 6, 7, 8, 9);
}

static KEEP void dig(int depth, void (*end)(void))
{
	volatile char room[200];
	room[0] = 1;
	if (depth)
		dig(depth - 1, end);
	else
		end();
	sum += (unsigned long)room[0];
}

static void nothing_at_all(void)
{
	sum++;
}

/* Its frame lies over those of calls that have returned. */
static KEEP void over_old_frames(void)
{
	volatile char room[3000];
	wait_here();
	sum += (unsigned long)room[2999];
}

static KEEP void old_frames(void)
{
	dig(8, nothing_at_all);
	over_old_frames();
	sum++;
}

static KEEP void recursion(void)
{
	dig(5, wait_here);
}

static int compare(const void *a, const void *b)
{
	(void)a;
	(void)b;
	if (ready < 100) {
		ready += 100;
		wait_here();
	}
	return 0;
}

static KEEP void callback(void)
{
	int two[2] = {2, 1};
	qsort(two, 2, sizeof(two[0]), compare);
	sum++;
}

static KEEP void sleeps(void)
{
	struct timespec t = {3600, 0};
	ready++;
	while (nothing[0])
		sum += (unsigned long)nanosleep(&t, NULL);
}

static const struct {
	const char *name;
	void (*run)(void);
} all[] = {{"large", large},	     {"any-size", any_size}, {"nine", nine},
	   {"old-frames", old_frames}, {"recursion", recursion}, {"sleeps", sleeps},
	   {"callback", callback}};
enum { N = sizeof(all) / sizeof(all[0]) };

static void *work(void *arg)
{
	long i = (long)arg;
	pthread_setname_np(pthread_self(), all[i].name);
	all[i].run();
	return NULL;
}

int main(void)
{
	pthread_t t;
	if (everprof_start(NULL) < 0 || pipe(nothing) < 0)
		return 1;
	for (long i = 0; i < N; i++)
		if (pthread_create(&t, NULL, work, (void *)i))
			return 1;
	while (ready < N + 100)
		usleep(1000);
	usleep(50000);
	printf("%s\n", everprof_http_address());
	fflush(stdout);
	while (getchar() != EOF)
		;
	printf("early 0\n");
	fflush(stdout);
	everprof_stop();
	_exit(0);
}
