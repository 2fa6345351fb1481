/*
 * threads.c - the stacks of 1,000 threads at once.
 *
 * Threads wait 27 frames deep, in a condition variable or, one in eight, in a sleep.
 *
 *     form=first|again|ran|interrupt   the profile "threads" for the first time; once more;
 *                 after all have run meanwhile; with a signal to each
 *     form=floor  a signal to each, whose handler follows the frame pointers: the least
 *                 that whoever wakes threads for it can do
 *     [n=1000] [turns=11]
 *
 * Prints what the look takes and, for a whole profile with names, what writing it takes.
 * With sigtime.so preloaded that says how long a thread was held by a signal.
 */
#include "chain.h"
#include "everprof.h"
#include "inproc/drain.h"
#include "inproc/registry.h"
#include "load.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { MAX_THREADS = 20000, MAX_TURNS = 101 };

static long n;
static pid_t tids[MAX_THREADS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static uint64_t round_number;
static _Atomic long n_waiting;

NOINLINE static uint64_t leaf(uint64_t x, void *arg)
{
	uint64_t seen = 0;
	(void)arg;
	pthread_mutex_lock(&mutex);
	for (;;) {
		n_waiting++;
		while (seen == round_number)
			pthread_cond_wait(&changed, &mutex);
		seen = round_number;
	}
	return x;
}

static _Atomic long n_answers;
static __thread uint64_t stack[64];

static void answer(int signo, siginfo_t *info, void *context)
{
	const greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	uint64_t bp = (uint64_t)regs[REG_RBP], lo = (uint64_t)regs[REG_RSP];
	(void)signo, (void)info;
	stack[0] = (uint64_t)regs[REG_RIP];
	for (int k = 1; k < 64 && bp >= lo && bp < lo + 100000 && bp % 8 == 0; k++) {
		const uint64_t *frame = (const uint64_t *)bp;
		stack[k] = frame[1];
		if (!frame[1] || frame[0] <= bp)
			break;
		bp = frame[0];
	}
	atomic_fetch_add_explicit(&n_answers, 1, memory_order_release);
}

static void *run(void *arg)
{
	tids[(size_t)arg] = (pid_t)syscall(SYS_gettid);
	(void)descend((uint64_t)arg * 2654435761u, NULL);
	return NULL;
}

/* All of them run for a moment, and wait again. */
static void wake_all(void)
{
	pthread_mutex_lock(&mutex);
	n_waiting = 0;
	round_number++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
	while (n_waiting < n)
		usleep(1000);
	usleep(50000);
}

static int look(enum ep_kind_form form, uint32_t *ret_rows)
{
	const struct ep_kind *k = ep_registry_find("threads");
	struct ep_batch b;
	ep_drain_lock();
	bool ok = k && k->take(k, form, &b);
	if (ok) {
		*ret_rows = (uint32_t)b.ledger.taken;
		ep_batch_fini(&b);
	}
	ep_drain_unlock();
	return ok ? 0 : -1;
}

static void ask_all(void)
{
	pid_t pid = getpid();
	n_answers = 0;
	for (long i = 0; i < n; i++)
		(void)syscall(SYS_tgkill, pid, tids[i], SIGURG);
	while (atomic_load_explicit(&n_answers, memory_order_acquire) < n)
		sched_yield();
}

int main(int argc, char **argv)
{
	const char *form = word(argc, argv, "form", "first");
	long turns = option(argc, argv, "turns", 11);
	double cpu[MAX_TURNS], wall[MAX_TURNS], written[MAX_TURNS];
	uint32_t rows = 0;
	int null = open("/dev/null", O_WRONLY);
	bool is_floor = !strcmp(form, "floor"), is_first = !strcmp(form, "first");
	everprof_config config = {.http = "127.0.0.1:0", .types = "threads"};
	pthread_attr_t attr;
	n = option(argc, argv, "n", 1000);
	turns = is_first ? 1 : turns < MAX_TURNS ? turns : MAX_TURNS;
	if (n > MAX_THREADS || (!is_floor && everprof_start(&config) < 0))
		return 1;
	sigaction(SIGURG,
		  &(struct sigaction){.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_RESTART},
		  NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 << 10);
	for (long i = 0; i < n; i++) {
		pthread_t t;
		if (pthread_create(&t, &attr, run, (void *)i))
			return 1;
	}
	wake_all();
	for (long i = 0; i < turns; i++) {
		if (!strcmp(form, "ran"))
			wake_all();
		uint64_t c = now_of(CLOCK_PROCESS_CPUTIME_ID), w = now_of(CLOCK_MONOTONIC);
		if (is_floor)
			ask_all();
		else if (look(strcmp(form, "interrupt") ? EP_KIND_TOTAL : EP_KIND_INTERRUPT, &rows))
			return 1;
		cpu[i] = (double)(now_of(CLOCK_PROCESS_CPUTIME_ID) - c) / 1e6;
		wall[i] = (double)(now_of(CLOCK_MONOTONIC) - w) / 1e6;
		w = now_of(CLOCK_MONOTONIC);
		if (!is_floor)
			(void)everprof_profile_write(everprof_profile_lookup("threads"), null, 0);
		written[i] = (double)(now_of(CLOCK_MONOTONIC) - w) / 1e6;
	}
	struct estimate e = estimate_of(wall, (size_t)turns);
	printf("RESULT ms=%.3f most_ms=%.3f cpu_ms=%.3f write_ms=%.3f stacks=%u\n", e.median,
	       wall[turns - 1], estimate_of(cpu, (size_t)turns).median,
	       estimate_of(written, (size_t)turns).median, rows);
	return 0;
}
