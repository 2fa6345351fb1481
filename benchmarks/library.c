/*
 * library.c - what the library costs a CPU-bound program.
 *
 * Threads walk down a chain of calls and work at its end; every phase the timers of
 * libeverprof go off or on, inside one run, since differences between runs on a
 * shared machine are larger than what is measured.  Each "on" phase is compared
 * with the mean of the "off" phases around it, by CPU time an operation.
 *
 *     bench-library [seconds=30]
 *
 * runs all of it, one after the other, each a process of its own:
 *
 *     steady=SECONDS         no switching; the handler is timed by sigtime.so
 *     phases=N [phase_ms=100] [threads=2]   switched each phase
 *     null=1                 nothing is switched: what the method measures of nothing
 *     plain=1                without libeverprof (for a profiler that is preloaded)
 */
#include "everprof.h"
#include "inproc/threads.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_PHASES = 4096, MAX_THREADS = 16, DEPTH = 28 };

static _Atomic int phase;
static _Atomic bool done;
static double cost[MAX_THREADS][MAX_PHASES]; /* CPU ns an operation */
static _Atomic uint64_t sink;

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

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
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
}

static int start(void)
{
	static char out[] = "/tmp/bench-library-XXXXXX";
	int fd = mkstemp(out);
	if (fd < 0)
		return -1;
	close(fd);
	everprof_config config = {.name = "bench-library", .out = out};
	int rc = everprof_start(&config);
	unlink(out); /* it is written under this name again at the end */
	return rc;
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

static int measure(int argc, char **argv)
{
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
	wait_ms(steady * 1000);
	atomic_store(&done, true);
	for (long i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	report((int)phases, (int)n);
	fflush(stdout);
	(void)everprof_stop();
	return 0;
}

/* ---- all of it ------------------------------------------------------------------- */

static char folder[4096];

/* One run; preload: what comes behind sigtime.so, "": nothing, NULL: no sigtime.so. */
static void run(const char *title, const char *program, const char *preload, char *arg,
		char *arg2)
{
	char path[5000], env[9000];
	snprintf(path, sizeof(path), "%s/%s", folder, program);
	snprintf(env, sizeof(env), "%s/sigtime.so:%s", folder, preload ? preload : "");
	printf("%-46s ", title);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		if (preload)
			setenv("LD_PRELOAD", env, 1);
		if (preload && *preload)
			setenv("CPUPROFILE", "/dev/null", 1);
		(void)!freopen("/dev/null", "w", stderr);
		execl(path, path, arg, arg2, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &(int){0}, 0) < 0)
		printf("could not run\n");
}

static int all(long seconds)
{
	static char phases[32], steady[32];
	const char *peer = "/usr/lib/x86_64-linux-gnu/libprofiler.so.0";
	ssize_t n = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
	if (n <= 0)
		return 1;
	*strrchr(folder, '/') = '\0';
	snprintf(phases, sizeof(phases), "phases=%ld", seconds * 10);
	snprintf(steady, sizeof(steady), "steady=%ld", seconds / 4);
	double load[1] = {0};
	(void)getloadavg(load, 1);
	printf("100 Hz, 2 threads, 33 frames; load before: %.1f; clock reads included\n", load[0]);
	for (int round = 0; round < 2; round++) {
		run("everprof, no frame pointers", "bench-library", "", steady, NULL);
		run("everprof, frame pointers", "bench-library-fp", "", steady, NULL);
		if (access(peer, R_OK) == 0) {
			run("gperftools, no frame pointers", "bench-library", peer, steady, "plain=1");
			run("gperftools, frame pointers", "bench-library-fp", peer, steady, "plain=1");
		}
	}
	run("everprof off and on", "bench-library", NULL, phases, NULL);
	run("off and off: the method's own error", "bench-library", NULL, phases, "null=1");
	if (access(peer, R_OK) < 0)
		printf("gperftools beside it: apt-get install libgoogle-perftools4\n");
	return 0;
}

int main(int argc, char **argv)
{
	bool one = option(argc, argv, "phases", 0) || option(argc, argv, "steady", 0);
	return one ? measure(argc, argv) : all(option(argc, argv, "seconds", 30));
}
