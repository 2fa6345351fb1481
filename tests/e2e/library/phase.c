/*
 * phase.c - work in step with the kernel's tick, and work in the kernel.
 *
 * phase SECONDS: four threads work for 1 ms of each 4 ms of the monotonic clock, each at
 * another phase, half of it in first_half() and half in second_half().
 * phase SECONDS kernel: two threads, 3 ms in the kernel (read_on) and 7 ms outside
 * (first_half).
 * phase SECONDS naps: sleeps and polls of 20 us.
 * phase SECONDS refused: as the first, where a sandbox refuses perf_event_open().
 * phase SECONDS closes: one thread works on in first_half(), and all descriptors are closed.
 * phase SECONDS deletes: the same, and all POSIX timers are deleted.
 * phase SECONDS child: the same, and a child of fork() prints how many perf events it has.
 * Prints what first_half() or read_on() used, second_half() or first_half(), by its own
 * measure, then calls cut short.
 */
#define _GNU_SOURCE
#include <everprof.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEEP __attribute__((noinline, noipa))
#define MS 1000000ul

static double seconds;
static int some_file;

struct work {
	int i;
	unsigned long spent[2], n_early;
};

static unsigned long now(clockid_t c)
{
	struct timespec t;
	clock_gettime(c, &t);
	return (unsigned long)t.tv_sec * 1000000000ul + (unsigned long)t.tv_nsec;
}

static __thread volatile unsigned long sink;

#define SPIN(name)                                                                         \
	static KEEP unsigned long name(unsigned long ns)                                   \
	{                                                                                  \
		unsigned long start = now(CLOCK_THREAD_CPUTIME_ID), t;                     \
		do                                                                         \
			for (int i = 0; i < 20000; i++)                                     \
				sink = sink + (unsigned long)i;                            \
		while ((t = now(CLOCK_THREAD_CPUTIME_ID)) - start < ns);                   \
		return t - start;                                                          \
	}
SPIN(first_half)
SPIN(second_half)

static KEEP unsigned long read_on(unsigned long ns)
{
	static char buffer[1 << 16];
	unsigned long start = now(CLOCK_THREAD_CPUTIME_ID), t;
	do
		if (pread(some_file, buffer, sizeof(buffer), 0) < 0)
			_exit(1);
	while ((t = now(CLOCK_THREAD_CPUTIME_ID)) - start < ns);
	return t - start;
}

static void *in_step(void *arg)
{
	struct work *w = arg;
	unsigned long period = 4 * MS, end = now(CLOCK_MONOTONIC) + (unsigned long)(seconds * 1e9);
	unsigned long next = (now(CLOCK_MONOTONIC) / period + 2) * period + (unsigned long)w->i * MS;
	for (; now(CLOCK_MONOTONIC) < end; next += period) {
		struct timespec at = {(time_t)(next / 1000000000u), (long)(next % 1000000000u)};
		w->n_early += clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != 0;
		w->spent[0] += first_half(MS / 2);
		w->spent[1] += second_half(MS / 2);
	}
	return NULL;
}

static void *in_kernel(void *arg)
{
	struct work *w = arg;
	unsigned long end = now(CLOCK_MONOTONIC) + (unsigned long)(seconds * 1e9);
	while (now(CLOCK_MONOTONIC) < end) {
		w->spent[0] += read_on(3 * MS);
		w->spent[1] += first_half(7 * MS);
	}
	return NULL;
}

static void *in_naps(void *arg)
{
	struct work *w = arg;
	unsigned long end = now(CLOCK_MONOTONIC) + (unsigned long)(seconds * 1e9);
	struct timespec nap = {0, 20000};
	while (now(CLOCK_MONOTONIC) < end) {
		w->n_early += nanosleep(&nap, NULL) != 0;
		w->n_early += ppoll(NULL, 0, &nap, NULL) != 0;
		w->spent[0] += first_half(20000);
	}
	return NULL;
}

static void *straight_on(void *arg)
{
	struct work *w = arg;
	unsigned long end = now(CLOCK_MONOTONIC) + (unsigned long)(seconds * 1e9);
	while (now(CLOCK_MONOTONIC) < end)
		w->spent[0] += first_half(MS);
	return NULL;
}

/* As a sandbox does it. */
static void refuse_perf_events(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(2);
}

static int count_perf_events(void)
{
	char path[64], to[64];
	int n = 0;
	for (int fd = 0; fd < 4096; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ssize_t k = readlink(path, to, sizeof(to) - 1);
		n += k > 0 && (to[k] = 0, strstr(to, "perf_event")) ? 1 : 0;
	}
	return n;
}

static void meddle(const char *what)
{
	int status;
	usleep(50000);
	if (*what == 'c' && what[1] == 'l')
		for (int fd = 3; fd < 4096; fd++)
			close(fd);
	if (*what == 'd')
		for (long id = 0; id < 64; id++)
			syscall(SYS_timer_delete, id);
	if (*what != 'c' || what[1] != 'h')
		return;
	int before = count_perf_events();
	pid_t child = fork();
	if (!child) /* the drain thread and its own are sampled anew, the others are not there */
		_exit(before > 1 && count_perf_events() < before ? 0 : 1);
	if (waitpid(child, &status, 0) != child || status)
		_exit(3);
}

int main(int argc, char **argv)
{
	struct work works[4] = {0}, sum = {0};
	pthread_t threads[4];
	const char *what = argc > 2 ? argv[2] : "";
	bool straight = *what == 'c' || *what == 'd';
	int n = *what == 'k' || straight ? 2 : 4;
	seconds = argc > 1 ? atof(argv[1]) : 2;
	some_file = open("/dev/zero", O_RDONLY);
	if (*what == 'r')
		refuse_perf_events();
	if (everprof_start(NULL) < 0 || some_file < 0)
		return 1;
	for (int i = 0; i < n; i++) {
		works[i].i = i;
		if (pthread_create(&threads[i], NULL,
				   straight ? straight_on : *what == 'k' ? in_kernel : *what == 'n' ? in_naps : in_step,
				   &works[i]))
			return 1;
	}
	if (straight)
		meddle(what);
	for (int i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		sum.spent[0] += works[i].spent[0];
		sum.spent[1] += works[i].spent[1];
		sum.n_early += works[i].n_early;
	}
	printf("%lu %lu %lu\n", sum.spent[0], sum.spent[1], sum.n_early);
	return 0;
}
