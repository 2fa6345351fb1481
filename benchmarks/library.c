/*
 * library.c - what the library costs a CPU-bound program.
 *
 * Threads walk down a chain of calls and work at its end; every phase the timers of
 * libeverprof go off or on, inside one run, since differences between runs on a
 * shared machine are larger than what is measured.  Each "on" phase is compared
 * with the mean of the "off" phases around it, by CPU time an operation.
 * Also the handler itself, timed in place around each signal.
 *
 *     bench-library [phases=200] [phase_ms=100] [threads=2] [null=1]
 *
 * null=1 switches nothing: what the method measures of nothing.
 */
#include "everprof.h"
#include "inproc/hooks.h"
#include "inproc/sig/cpu.h"
#include "inproc/threads.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_PHASES = 4096, MAX_THREADS = 16, DEPTH = 28, MAX_TIMES = 1 << 16 };

static _Atomic int phase;
static _Atomic bool done;
static double cost[MAX_THREADS][MAX_PHASES]; /* CPU ns an operation */
static _Atomic uint64_t sink;

static uint32_t handler_ns[MAX_TIMES];
static _Atomic uint32_t n_handled;

static uint64_t now(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* The frames of a request: each a little different, none inlined, no tail calls. */
__attribute__((noinline)) static uint64_t descend(uint64_t x, int depth);

__attribute__((noinline)) static uint64_t leaf(uint64_t x)
{
	uint64_t h = x | 1;
	for (int i = 0; i < 400; i++) {
		h ^= h << 13;
		h ^= h >> 7;
		h ^= h << 17;
	}
	return h;
}

static uint64_t descend(uint64_t x, int depth)
{
	volatile uint64_t local[4] = {x, x ^ 1, x ^ 2, x ^ 3};
	uint64_t r = depth ? descend(x * 31 + local[depth & 3], depth - 1) : leaf(x);
	return r + local[(depth + 1) & 3];
}

static void *work(void *arg)
{
	size_t id = (size_t)arg;
	uint64_t n = 0, acc = 0, t0 = now(CLOCK_THREAD_CPUTIME_ID);
	int mine = atomic_load(&phase);
	while (!atomic_load_explicit(&done, memory_order_relaxed)) {
		acc += descend(n++, DEPTH);
		int p = atomic_load_explicit(&phase, memory_order_relaxed);
		if (p == mine)
			continue;
		uint64_t t = now(CLOCK_THREAD_CPUTIME_ID);
		if (n > 1000)
			cost[id][mine] = (double)(t - t0) / (double)n;
		mine = p;
		n = 0;
		t0 = now(CLOCK_THREAD_CPUTIME_ID);
	}
	atomic_fetch_add(&sink, acc);
	return NULL;
}

static void timed_handler(int signo, siginfo_t *info, void *context)
{
	uint64_t t = now(CLOCK_MONOTONIC);
	ep_cpu_handler(signo, info, context);
	uint32_t i = atomic_fetch_add(&n_handled, 1);
	if (i < MAX_TIMES)
		handler_ns[i] = (uint32_t)(now(CLOCK_MONOTONIC) - t);
}

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static int by_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static long option(int argc, char **argv, const char *key, long fallback)
{
	size_t n = strlen(key);
	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], key, n) && argv[i][n] == '=')
			return atol(argv[i] + n + 1);
	return fallback;
}

static void report(int n_phases, int n_threads)
{
	static double ratio[MAX_THREADS * MAX_PHASES];
	size_t n = 0;
	for (int t = 0; t < n_threads; t++)
		for (int p = 1; p + 1 < n_phases; p += 2) { /* odd phases are on */
			const double *c = cost[t];
			if (c[p] > 0 && c[p - 1] > 0 && c[p + 1] > 0)
				ratio[n++] = 2 * c[p] / (c[p - 1] + c[p + 1]);
		}
	if (!n)
		return;
	qsort(ratio, n, sizeof(ratio[0]), by_double);
	double sum = 0, square = 0;
	size_t lo = n / 10, hi = n - n / 10;
	for (size_t i = lo; i < hi; i++)
		sum += ratio[i];
	double mean = sum / (double)(hi - lo);
	for (size_t i = lo; i < hi; i++)
		square += (ratio[i] - mean) * (ratio[i] - mean);
	printf("overhead pairs=%zu median_pct=%.3f trimmed_mean_pct=%.3f standard_error_pct=%.3f\n",
	       n, (ratio[n / 2] - 1) * 100, (mean - 1) * 100,
	       100 * sqrt(square) / (double)(hi - lo));
	uint32_t k = atomic_load(&n_handled);
	k = k < MAX_TIMES ? k : MAX_TIMES;
	if (!k)
		return;
	qsort(handler_ns, k, sizeof(handler_ns[0]), by_u32);
	printf("handler n=%u min_ns=%u p10_ns=%u median_ns=%u p90_ns=%u p99_ns=%u max_ns=%u (with one clock read)\n", k,
	       handler_ns[0], handler_ns[k / 10], handler_ns[k / 2], handler_ns[k * 9 / 10], handler_ns[k * 99 / 100],
	       handler_ns[k - 1]);
}

int main(int argc, char **argv)
{
	long phases = option(argc, argv, "phases", 200), ms = option(argc, argv, "phase_ms", 100);
	long threads = option(argc, argv, "threads", 2), null = option(argc, argv, "null", 0);
	bool timed = option(argc, argv, "timed", 0);
	pthread_t t[MAX_THREADS];
	char out[] = "/tmp/bench-library-XXXXXX";
	if (phases > MAX_PHASES || threads > MAX_THREADS || mkstemp(out) < 0)
		return 2;
	everprof_config config = {.name = "bench-library", .out = out};
	if (everprof_start(&config) < 0)
		return 1;
	if (timed) { /* in place of ours, which it calls */
		struct sigaction act;
		sigset_t none;
		sigemptyset(&none);
		act = (struct sigaction){.sa_sigaction = timed_handler,
					 .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK,
					 .sa_mask = none};
		ep_hooks_set_handler(&act);
	}
	for (size_t i = 0; i < (size_t)threads; i++)
		pthread_create(&t[i], NULL, work, (void *)i);
	sleep(1); /* the unwind tables are made now */
	for (int p = 0; p < phases; p++) {
		if (!null && p % 2)
			ep_threads_resume();
		else
			ep_threads_pause();
		atomic_store(&phase, p);
		nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
	}
	ep_threads_stop();
	atomic_store(&phase, (int)phases);
	usleep(20000);
	atomic_store(&done, true);
	for (long i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	report((int)phases, (int)threads);
	everprof_stop();
	unlink(out);
	return 0;
}
