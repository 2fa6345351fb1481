/*
 * sigtime.c - times the SIGPROF handler of any profiler, where it runs.
 *
 * Preloaded, so that the profiler's sigaction() comes here and a wrapper takes the
 * handler's place.  Prints one line at the end.
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
static uint32_t ns[MOST];

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void wrapper(int signo, siginfo_t *info, void *context)
{
	uint64_t t = now(); /* twice, so that the clock's own page is warm */
	t = now();
	wrapped.sa_sigaction(signo, info, context);
	uint64_t took = now() - t;
	uint32_t i = atomic_fetch_add(&n_seen, 1);
	if (i < MOST)
		ns[i] = (uint32_t)took;
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
	printf("handler_ns median=%u p90=%u p99=%u p99.9=%u first=%u n=%u\n", ns[n / 2],
	       ns[n * 9ull / 10], ns[n * 99ull / 100], ns[n * 999ull / 1000], first, n);
}
