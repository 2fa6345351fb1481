/*
 * cpu.c - what sampling costs a CPU-bound program.
 *
 * Threads walk down a chain of calls and work at its end; every phase the timers of
 * libeverprof go off or on, inside one run, since differences between runs on a
 * shared machine are larger than what is measured.  Each "on" phase is compared
 * with the mean of the "off" phases around it, by CPU time an operation.
 *
 *     steady=SECONDS         no switching; the handler is timed by sigtime.so, and the
 *                            CPU time of the library's own thread is taken
 *     phases=N [phase_ms=100] [threads=2]   switched each phase
 *     null=1                 nothing is switched: what the method measures of nothing
 *     plain=1                without libeverprof (for a profiler that is preloaded)
 *     delivery=1             what the kernel's part of a signal costs
 */
#include "everprof.h"
#include "inproc/tasks.h"
#include "inproc/threads.h"
#include "chain.h"
#include "load.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_PHASES = 4096, MAX_THREADS = 16 };

static _Atomic int phase;
static _Atomic bool done;
static double cost[MAX_THREADS][MAX_PHASES]; /* CPU ns an operation */
static _Atomic uint64_t sink;

NOINLINE static uint64_t leaf(uint64_t x, void *arg)
{
	uint64_t h = x | 1;
	(void)arg;
	for (int i = 0; i < 400; i++)
		(void)random_of(&h);
	return h;
}

static void *work(void *arg)
{
	size_t id = (size_t)arg;
	uint64_t n = 0, acc = 0, seed = (id + 1) * 0x9e3779b97f4a7c15ull, t0 = now_of(CLOCK_THREAD_CPUTIME_ID);
	int mine = atomic_load(&phase);
	while (!atomic_load_explicit(&done, memory_order_relaxed)) {
		acc += descend(random_of(&seed), NULL);
		n++;
		int p = atomic_load_explicit(&phase, memory_order_relaxed);
		if (p == mine)
			continue;
		uint64_t t = now_of(CLOCK_THREAD_CPUTIME_ID);
		if (n > 1000)
			cost[id][mine] = (double)(t - t0) / (double)n;
		mine = p;
		n = 0;
		t0 = now_of(CLOCK_THREAD_CPUTIME_ID);
	}
	atomic_fetch_add(&sink, acc);
	return NULL;
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
	struct estimate e = estimate_of(ratio, n);
	printf("RESULT pairs=%zu median_pct=%.4f mean_pct=%.4f error_pct=%.4f\n", n,
	       (e.median - 1) * 100, (e.mean - 1) * 100, 100 * e.error);
}

/* Pushing or not is a matter of the environment. */
static int start(void)
{
	everprof_config config = {.name = "bench-library"};
	return everprof_start(&config);
}

static void wait_ms(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void toggle(long phases, long ms, bool null)
{
	for (int p = 0; p < phases; p++) {
		if (!null && p % 2)
			ep_threads_resume();
		else
			ep_threads_pause();
		atomic_store(&phase, p);
		wait_ms(ms);
	}
	ep_threads_stop();
	atomic_store(&phase, (int)phases);
	wait_ms(20);
}

/* ---- the library's own thread -------------------------------------------------- */

static void add_own(uint32_t tid, void *arg)
{
	char path[64], name[32] = "";
	snprintf(path, sizeof(path), "/proc/self/task/%u/comm", tid);
	FILE *f = fopen(path, "r");
	if (f && fgets(name, sizeof(name), f) && !strcmp(name, "everprof\n"))
		*(uint64_t *)arg += ep_tasks_cpu_ns(tid);
	if (f)
		fclose(f);
}

static uint64_t own_cpu_ns(void)
{
	uint64_t ns = 0;
	(void)ep_tasks_each(add_own, &ns);
	return ns;
}

static void run_steady(long seconds)
{
	uint64_t own = own_cpu_ns(), all = now_of(CLOCK_PROCESS_CPUTIME_ID);
	wait_ms(seconds * 1000);
	own = own_cpu_ns() - own;
	all = now_of(CLOCK_PROCESS_CPUTIME_ID) - all;
	printf("RESULT cpu_s=%.3f own_ms=%.3f own_pct=%.4f\n", (double)all / 1e9,
	       (double)own / 1e6, 100 * (double)own / (double)all);
}

/* ---- the kernel's part --------------------------------------------------------- */

static _Atomic int n_signals;

static void nothing(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)info, (void)context;
	n_signals++;
}

static double ns_a_call(bool signals)
{
	enum { TIMES = 20000 };
	long pid = getpid(), tid = syscall(SYS_gettid);
	uint64_t from = now_of(CLOCK_THREAD_CPUTIME_ID);
	for (int i = 0; i < TIMES; i++)
		(void)syscall(SYS_tgkill, pid, tid, signals ? SIGUSR1 : 0);
	return (double)(now_of(CLOCK_THREAD_CPUTIME_ID) - from) / TIMES;
}

/* A signal to oneself, less the same call that sends none. */
static int measure_delivery(void)
{
	double v[21];
	struct sigaction sa = {.sa_sigaction = nothing, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigaction(SIGUSR1, &sa, NULL);
	for (int i = 0; i < 21; i++)
		v[i] = ns_a_call(true) - ns_a_call(false);
	printf("RESULT delivery_ns=%.0f\n", estimate_of(v, 21).median);
	return 0;
}

/* ---- all --------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
	if (option(argc, argv, "delivery", 0))
		return measure_delivery();
	long phases = option(argc, argv, "phases", 0), n = option(argc, argv, "threads", 2);
	long steady = option(argc, argv, "steady", 0);
	pthread_t t[MAX_THREADS];
	if (phases >= MAX_PHASES || n < 1 || n > MAX_THREADS)
		return 2;
	if (!option(argc, argv, "plain", 0) && start() < 0)
		return 1;
	for (size_t i = 0; i < (size_t)n; i++)
		pthread_create(&t[i], NULL, work, (void *)i);
	wait_ms(1000); /* the unwind tables are made now */
	if (phases)
		toggle(phases, option(argc, argv, "phase_ms", 100), option(argc, argv, "null", 0));
	if (steady)
		run_steady(steady);
	atomic_store(&done, true);
	for (long i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	report((int)phases, (int)n);
	fflush(stdout);
	(void)everprof_stop();
	return 0;
}

