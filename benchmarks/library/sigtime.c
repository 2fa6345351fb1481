/*
 * sigtime.c - times the SIGPROF handler of any profiler, where it runs.
 *
 * Preloaded, so that the profiler's sigaction() comes here and a wrapper takes the
 * handler's place.  Prints one line at the end.  Reading the clock takes some of what is
 * measured: a second reading before each handler says how much, and its median is taken off.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST = 1 << 18 };

static struct sigaction wrapped;
static _Atomic uint32_t n_seen;
static uint32_t ns[MOST], clock_ns[MOST];

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void wrapper(int signo, siginfo_t *info, void *context)
{
	uint64_t before = now(); /* the first one warms the clock's own page */
	before = now();
	uint64_t t = now();
	wrapped.sa_sigaction(signo, info, context);
	uint64_t took = now() - t;
	uint32_t i = atomic_fetch_add(&n_seen, 1);
	if (i >= MOST)
		return;
	ns[i] = (uint32_t)took;
	clock_ns[i] = (uint32_t)(t - before);
}

__attribute__((visibility("default"))) int
sigaction(int signo, const struct sigaction *restrict act, struct sigaction *restrict old)
{
	int (*real)(int, const struct sigaction *, struct sigaction *) =
		(int (*)(int, const struct sigaction *, struct sigaction *))dlsym(
			RTLD_NEXT, "sigaction");
	if (signo != SIGPROF || !act || act->sa_handler == SIG_IGN ||
	    act->sa_handler == SIG_DFL || !(act->sa_flags & SA_SIGINFO))
		return real(signo, act, old);
	struct sigaction ours = *act;
	wrapped = *act;
	ours.sa_sigaction = wrapper;
	return real(signo, &ours, old);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

__attribute__((destructor)) static void report(void)
{
	uint32_t n = atomic_load(&n_seen), first = ns[0];
	n = n < MOST ? n : MOST;
	if (!n)
		return;
	qsort(ns, n, sizeof(ns[0]), compare);
	qsort(clock_ns, n, sizeof(clock_ns[0]), compare);
	uint32_t clock = clock_ns[n / 2];
	double sum = 0;
	for (uint32_t k = 0; k < n; k++)
		sum += ns[k];
#define NET(v) ((v) > clock ? (v) - clock : 0)
	printf("RESULT handler median=%u p90=%u p99=%u p999=%u first=%u most=%u mean=%.0f "
	       "clock=%u n=%u\n",
	       NET(ns[n / 2]), NET(ns[n * 9ull / 10]), NET(ns[n * 99ull / 100]),
	       NET(ns[n * 999ull / 1000]), NET(first), NET(ns[n - 1]), sum / n - clock, clock, n);
}
