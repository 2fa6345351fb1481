/*
 * threads.c - threads in known places: waiting in a mutex, a condition, read, nanosleep,
 * poll; and running.  Each has a name and a label.
 *
 * threads [N]: N more that wait in pause().  Prints the address of /debug/pprof, then ends
 * with standard input and prints "early N late M": calls that were cut short, and sleeps
 * that were.
 */
#define _GNU_SOURCE
#include <everprof.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER, of_cond = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static atomic_int ready, stop, n_early;
static int nothing[2];
static volatile unsigned long sum;

#define KEEP __attribute__((noinline))

/* Called through, so that no stack is one frame deep; not a tail call. */
static KEEP void deeper(void (*wait)(void))
{
	wait();
	sum++;
}

static KEEP void wait_in_mutex(void)
{
	pthread_mutex_lock(&held);
	pthread_mutex_unlock(&held);
}

static KEEP void wait_in_cond(void)
{
	pthread_mutex_lock(&of_cond);
	while (!stop)
		pthread_cond_wait(&never, &of_cond);
	pthread_mutex_unlock(&of_cond);
}

static KEEP void wait_in_read(void)
{
	char c;
	while (read(nothing[0], &c, 1) < 0)
		n_early++;
	sum++;
}

static KEEP void wait_in_nanosleep(void)
{
	while (!stop) {
		struct timespec t = {3600, 0};
		if (nanosleep(&t, NULL) < 0 && !stop)
			n_early++;
	}
}

static KEEP void wait_in_poll(void)
{
	struct pollfd p = {nothing[0], POLLIN, 0};
	while (poll(&p, 1, 3600 * 1000) < 0)
		n_early++;
	sum++;
}

static KEEP void run_on(void)
{
	while (!stop)
		for (int i = 0; i < 1000; i++)
			sum += (unsigned long)i;
}

/* Between running and waiting all the time: where a signal would hit a wait. */
static KEEP void come_and_go(void)
{
	struct pollfd p = {nothing[0], 0, 0};
	for (; !stop; sum++) {
		struct timespec t = {0, 20000};
		if (nanosleep(&t, NULL) < 0)
			n_early++;
		if (ppoll(&p, 1, &t, NULL) < 0)
			n_early++;
	}
}

static KEEP void wait_in_pause(void)
{
	while (!stop)
		pause();
}

static const struct {
	const char *name;
	void (*wait)(void);
} known[] = {{"in-mutex", wait_in_mutex}, {"in-cond", wait_in_cond},
	     {"in-read", wait_in_read},	  {"in-nanosleep", wait_in_nanosleep},
	     {"in-poll", wait_in_poll},	  {"runs \"hot\"", run_on},
	     {"comes-and-goes", come_and_go}};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };

static void *work(void *arg)
{
	int i = (int)(long)arg;
	pthread_setname_np(pthread_self(), known[i].name);
	EVERPROF_LABELS("job", known[i].name) {
		ready++;
		deeper(known[i].wait);
	}
	return NULL;
}

static void *idle(void *arg)
{
	ready++;
	deeper(wait_in_pause);
	return arg;
}

static KEEP void start_threads(int n_idle)
{
	pthread_t t;
	for (long i = 0; i < KNOWN; i++)
		if (pthread_create(&t, NULL, work, (void *)i))
			_exit(1);
	for (int i = 0; i < n_idle; i++)
		if (pthread_create(&t, NULL, idle, NULL))
			_exit(1);
	while (ready < KNOWN + n_idle)
		usleep(1000);
	usleep(50000); /* from "ready" into the wait */
}

int main(int argc, char **argv)
{
	if (everprof_start(NULL) < 0 || pipe(nothing) < 0)
		return 1;
	pthread_mutex_lock(&held);
	start_threads(argc > 1 ? atoi(argv[1]) : 0);
	printf("%s\n", everprof_http_address());
	fflush(stdout);
	while (getchar() != EOF)
		;
	printf("early %d\n", (int)n_early);
	fflush(stdout);
	everprof_stop();
	_exit(0); /* most of them wait for ever */
}
