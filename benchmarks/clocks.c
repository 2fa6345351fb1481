/*
 * clocks.c - how far off a sampling clock is, and what a sample of it costs.
 *
 * Each work is a thread that does A and then B, and says by its own measure how much CPU
 * time each took; each clock interrupts it about every 10.1 ms of its CPU time.  Shown: the
 * CPU time the samples stand for, of what was used; the share of A in the samples less
 * its share in the CPU time (all threads; the worst one); calls that were cut short.
 *
 * Then what a sample costs (a gap in a loop that does nothing else, delivery by the kernel
 * and a handler without a walk), and what the clock costs each time its thread goes to wait.
 *
 * clocks [SECONDS [WORKS [CLOCKS]]]: of each work under each clock; "014" are the first,
 * second and fifth.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PERIOD_NS = 10100000, MAX_THREADS = 8, MS = 1000000, US = 1000 };

enum clock { TIMER, TIMER_CPU, TIMER_JITTER, PERF, PERF_JITTER, PERF_OWN, N_CLOCKS };
static const char *const clock_names[] = {
	[TIMER] = "timer, overruns",	   [TIMER_CPU] = "timer, CPU clock",
	[TIMER_JITTER] = "timer, jittered", [PERF] = "perf, fixed",
	[PERF_JITTER] = "perf, jittered",  [PERF_OWN] = "perf, a period a thread"};

struct work {
	const char *name;
	long period_ns; /* of wall time; 0: never sleeps */
	long a_ns, b_ns;
	int n_threads; /* at phases of the period */
	bool kernel;   /* A is in the kernel */
};
static const struct work works[] = {
	{"1 ms each 4 ms", 4 * MS, 500 * US, 500 * US, 4, false},
	{"2 ms each 8 ms", 8 * MS, 1 * MS, 1 * MS, 4, false},
	{"10 ms each 100 ms", 100 * MS, 5 * MS, 5 * MS, 4, false},
	{"5 ms each 16.7 ms", 16666667, 2 * MS, 3 * MS, 4, false},
	{"0.1 ms each 1 ms", 1 * MS, 50 * US, 50 * US, 4, false},
	{"2 ms and 2 ms, no sleep", 0, 2 * MS, 2 * MS, 2, false},
	{"5.05 and 5.05 ms, no sleep", 0, 5050 * US, 5050 * US, 2, false},
	{"kernel 3 ms, user 7 ms", 0, 3 * MS, 7 * MS, 2, true},
};

struct thread {
	pthread_t id;
	const struct work *w;
	int i;
	enum clock clock;
	double seconds;
	int timer, fd;
	uint64_t dice, last_cpu_ns;
	volatile int where;
	volatile uint64_t seen_ns[3], n_samples;
	uint64_t spent_ns[3], n_early;
};
static struct thread threads[MAX_THREADS];
static __thread struct thread *me;
static _Atomic int zero_fd = -1;

static uint64_t read_ns(clockid_t c)
{
	struct timespec t;
	clock_gettime(c, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t roll(struct thread *t)
{
	t->dice = t->dice * 6364136223846793005u + 1442695040888963407u;
	return t->dice >> 33;
}

static void arm(struct thread *t, uint64_t first, uint64_t interval)
{
	struct itimerspec s = {{0, (long)interval}, {0, (long)first}};
	syscall(SYS_timer_settime, t->timer, 0, &s, NULL);
}

static void handler(int signo, siginfo_t *info, void *context)
{
	struct thread *t = me;
	int saved = errno;
	(void)signo;
	(void)context;
	if (!t)
		return;
	uint64_t ns = PERIOD_NS;
	if (t->clock == TIMER) {
		ns *= 1 + (uint64_t)info->si_overrun;
	} else {
		uint64_t now = read_ns(CLOCK_THREAD_CPUTIME_ID);
		ns = now - t->last_cpu_ns;
		t->last_cpu_ns = now;
	}
	if (t->clock == TIMER_JITTER)
		arm(t, PERIOD_NS / 2 + roll(t) % PERIOD_NS, 0);
	if (t->clock == PERF_JITTER) {
		uint64_t next = PERIOD_NS / 2 + roll(t) % PERIOD_NS;
		ioctl(t->fd, PERF_EVENT_IOC_PERIOD, &next);
	}
	t->seen_ns[t->where] += ns;
	t->n_samples++;
	errno = saved;
}

static int open_perf(struct thread *t, uint64_t period)
{
	struct perf_event_attr a = {.type = PERF_TYPE_SOFTWARE,
				    .size = sizeof(a),
				    .config = PERF_COUNT_SW_TASK_CLOCK,
				    .sample_period = period,
				    .exclude_kernel = 1,
				    .exclude_hv = 1,
				    .wakeup_events = 1};
	int fd = (int)syscall(SYS_perf_event_open, &a, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	struct f_owner_ex owner = {F_OWNER_TID, (pid_t)syscall(SYS_gettid)};
	if (fd < 0) {
		perror("perf_event_open");
		exit(1);
	}
	if (t->clock == PERF_OWN)
		mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	fcntl(fd, F_SETSIG, SIGPROF);
	fcntl(fd, F_SETOWN_EX, &owner);
	fcntl(fd, F_SETFL, O_ASYNC);
	if (t->clock == PERF_OWN)
		close(fd); /* the mapping keeps the event */
	return fd;
}

static void start_clock(struct thread *t)
{
	me = t;
	if (t->clock == N_CLOCKS)
		return;
	t->last_cpu_ns = read_ns(CLOCK_THREAD_CPUTIME_ID);
	if (t->clock >= PERF) {
		t->fd = open_perf(t, t->clock == PERF_OWN ? PERIOD_NS + roll(t) % (PERIOD_NS / 5) : PERIOD_NS);
		return;
	}
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF};
	ev._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	syscall(SYS_timer_create, CLOCK_THREAD_CPUTIME_ID, &ev, &t->timer);
	arm(t, 1 + roll(t) % PERIOD_NS, t->clock == TIMER_JITTER ? 0 : PERIOD_NS);
}

static void do_it(struct thread *t, int what, uint64_t ns)
{
	static __thread char buffer[4096];
	uint64_t start = read_ns(CLOCK_THREAD_CPUTIME_ID), now;
	t->where = what;
	do
		if (t->w->kernel && what == 1)
			(void)!pread(zero_fd, buffer, sizeof(buffer), 0);
		else
			for (volatile int i = 0; i < 2000; i++)
				;
	while ((now = read_ns(CLOCK_THREAD_CPUTIME_ID)) - start < ns);
	t->spent_ns[what] += now - start;
	t->where = 0;
}

static void *run(void *arg)
{
	struct thread *t = arg;
	const struct work *w = t->w;
	uint64_t end = read_ns(CLOCK_MONOTONIC) + (uint64_t)(t->seconds * 1e9);
	uint64_t period = (uint64_t)w->period_ns;
	uint64_t next = period ? (read_ns(CLOCK_MONOTONIC) / period + 2) * period +
					 period * (uint64_t)t->i / (uint64_t)w->n_threads
			       : 0;
	start_clock(t);
	while (read_ns(CLOCK_MONOTONIC) < end) {
		struct timespec at = {(time_t)(next / 1000000000u), (long)(next % 1000000000u)};
		if (period && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL))
			t->n_early++;
		do_it(t, 1, (uint64_t)w->a_ns);
		do_it(t, 2, (uint64_t)w->b_ns);
		next += period;
	}
	me = NULL;
	return NULL;
}

static void show(const struct work *w, enum clock c)
{
	uint64_t seen[2] = {0}, spent[2] = {0}, n = 0, early = 0;
	double worst = 0, least = 2;
	for (int i = 0; i < w->n_threads; i++) {
		struct thread *t = &threads[i];
		double all_seen = (double)(t->seen_ns[1] + t->seen_ns[2] + t->seen_ns[0]);
		double all_spent = (double)(t->spent_ns[1] + t->spent_ns[2]);
		double off = all_seen ? (double)t->seen_ns[1] / all_seen -
						(double)t->spent_ns[1] / all_spent
				      : 1;
		worst = fabs(off) > fabs(worst) ? off : worst;
		least = all_seen / all_spent < least ? all_seen / all_spent : least;
		seen[0] += t->seen_ns[1];
		seen[1] += t->seen_ns[2] + t->seen_ns[0];
		spent[0] += t->spent_ns[1];
		spent[1] += t->spent_ns[2];
		n += t->n_samples;
		early += t->n_early;
	}
	double all_seen = (double)(seen[0] + seen[1]), all_spent = (double)(spent[0] + spent[1]);
	printf("%-28s %-24s %6lu %9.1f %9.1f %+9.1f %+9.1f %6lu\n", w->name, clock_names[c],
	       (unsigned long)n, 100 * all_seen / all_spent, 100 * least,
	       100 * ((double)seen[0] / all_seen - (double)spent[0] / all_spent), 100 * worst,
	       (unsigned long)early);
	fflush(stdout);
}

static void measure(const struct work *w, enum clock c, double seconds)
{
	for (int i = 0; i < w->n_threads; i++) {
		threads[i] = (struct thread){.w = w, .i = i, .clock = c, .seconds = seconds};
		threads[i].dice = read_ns(CLOCK_MONOTONIC) * 2654435761u + (uint64_t)i;
		pthread_create(&threads[i].id, NULL, run, &threads[i]);
	}
	for (int i = 0; i < w->n_threads; i++)
		pthread_join(threads[i].id, NULL);
	for (int i = 0; i < w->n_threads; i++)
		if (c < PERF)
			syscall(SYS_timer_delete, threads[i].timer);
		else if (c != PERF_OWN)
			close(threads[i].fd);
	show(w, c);
}

/* ---- cost ---------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Medians in nanoseconds of gaps with a sample in them. */
static double cost_of_sample(enum clock c, double seconds)
{
	enum { MOST = 4096 };
	static double gaps[MOST];
	size_t n = 0;
	threads[0] = (struct thread){.clock = c, .dice = 1};
	start_clock(&threads[0]);
	uint64_t end = read_ns(CLOCK_MONOTONIC) + (uint64_t)(seconds * 1e9);
	uint64_t before = 0, at = read_ns(CLOCK_MONOTONIC), last = at, now;
	for (; at < end && n < MOST; at = now) {
		bool struck = threads[0].n_samples != before;
		before += struck;
		now = read_ns(CLOCK_MONOTONIC);
		if (struck) /* before or after the last look at the time */
			gaps[n++] = (double)(now - last);
		last = at;
	}
	me = NULL;
	if (c < PERF)
		syscall(SYS_timer_delete, threads[0].timer);
	else
		close(threads[0].fd);
	qsort(gaps, n, sizeof(*gaps), compare);
	return n ? gaps[n / 2] : 0;
}

static int there[2], back[2];

static void *answer(void *arg)
{
	char c;
	start_clock(arg);
	while (read(there[0], &c, 1) == 1)
		if (write(back[1], &c, 1) != 1)
			break;
	me = NULL;
	return NULL;
}

/* One of two threads on one CPU that wait for each other; clock N_CLOCKS: none. */
static double cost_of_switch(enum clock c)
{
	double best = 1e9;
	char byte = 0;
	cpu_set_t one, all;
	pthread_t id;
	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	if (pipe(there) < 0 || pipe(back) < 0)
		return 0;
	struct thread other = {.clock = c, .dice = 1};
	pthread_create(&id, NULL, answer, &other);
	threads[0] = other;
	start_clock(&threads[0]);
	for (int round = 0; round < 40; round++) {
		uint64_t start = read_ns(CLOCK_MONOTONIC);
		for (int i = 0; i < 2000; i++)
			if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
				return 0;
		double ns = (double)(read_ns(CLOCK_MONOTONIC) - start) / 4000;
		best = ns < best ? ns : best;
	}
	close(there[1]);
	pthread_join(id, NULL);
	if (c < PERF)
		syscall(SYS_timer_delete, threads[0].timer);
	else if (c < N_CLOCKS)
		close(threads[0].fd);
	me = NULL;
	sched_setaffinity(0, sizeof(all), &all);
	return best;
}

static void show_costs(double seconds)
{
	double bare = cost_of_switch(N_CLOCKS);
	printf("\n%-24s %12s %22s\n", "clock", "sample, ns", "a wait costs more, ns");
	for (enum clock c = 0; c < PERF_OWN; c++)
		printf("%-24s %12.0f %+22.0f\n", clock_names[c], cost_of_sample(c, seconds),
		       cost_of_switch(c) - bare);
}

int main(int argc, char **argv)
{
	struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigaction(SIGPROF, &act, NULL);
	zero_fd = open("/proc/self/status", O_RDONLY);
	printf("%-28s %-24s %6s %9s %9s %9s %9s %6s\n", "work", "clock", "n", "CPU %", "least %",
	       "A off", "worst", "early");
	const char *which = argc > 2 ? argv[2] : "01234567", *with = argc > 3 ? argv[3] : "012345";
	for (const char *i = which; *i; i++)
		for (const char *c = with; *c; c++)
			measure(&works[*i - '0'], (enum clock)(*c - '0'), argc > 1 ? atof(argv[1]) : 4);
	show_costs(argc > 1 ? atof(argv[1]) : 4);
	return 0;
}
