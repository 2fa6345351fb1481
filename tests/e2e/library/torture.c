/*
 * torture.c - the things programs do that break profilers.  torture KIND SECONDS
 *
 *   churn      threads that are born and die
 *   fork       children that work and leave by _exit
 *   dlopen     a library opened and closed under load (argv[3]: its path)
 *   coroutine  stacks made by hand, and a small alternate signal stack
 *   reset      a program that sets all signals to default
 *   blocks     a thread that never lets SIGPROF in, half of the CPU time
 *   takes      a program that wants SIGPROF for itself later on
 *   had        one that had it before
 *
 * Prints "done" and leaves with 0 when nothing broke.
 */
#include <everprof.h>

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static double seconds;

static double now(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

__attribute__((noinline)) void burn(double cpu)
{
	double end = now(CLOCK_THREAD_CPUTIME_ID) + cpu;
	while (now(CLOCK_THREAD_CPUTIME_ID) < end)
		for (volatile int i = 0; i < 2000; i++)
			;
}

static void *short_life(void *arg)
{
	burn(*(double *)arg);
	return NULL;
}

static void churn(void)
{
	double life = 0.0007, end = now(CLOCK_MONOTONIC) + seconds;
	while (now(CLOCK_MONOTONIC) < end) {
		pthread_t t[8];
		for (int i = 0; i < 8; i++)
			if (pthread_create(&t[i], NULL, short_life, &life))
				abort();
		for (int i = 0; i < 8; i++)
			pthread_join(t[i], NULL);
	}
}

static void fork_many(void)
{
	double end = now(CLOCK_MONOTONIC) + seconds;
	char *big = malloc(64 << 20);
	memset(big, 1, 64 << 20);
	while (now(CLOCK_MONOTONIC) < end) {
		int status;
		pid_t p = fork();
		if (p == 0) {
			burn(0.02);
			_exit(big[5] == 1 ? 0 : 1);
		}
		burn(0.01);
		if (p < 0 || waitpid(p, &status, 0) != p || status)
			abort();
	}
	free(big);
}

static void open_and_close(const char *path)
{
	double end = now(CLOCK_MONOTONIC) + seconds;
	while (now(CLOCK_MONOTONIC) < end) {
		void *h = dlopen(path, RTLD_NOW);
		void (*work)(double) = h ? (void (*)(double))dlsym(h, "library_work") : NULL;
		if (!work)
			abort();
		work(0.03);
		dlclose(h);
	}
}

static ucontext_t main_context, co_context;

static void co_main(void)
{
	for (;;) {
		burn(0.005);
		swapcontext(&co_context, &main_context);
	}
}

static void on_usr1(int signo)
{
	(void)signo;
	burn(0.012); /* a sample on the alternate stack */
}

static void coroutine(void)
{
	static char alternate[8192];
	stack_t ss = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
	struct sigaction sa = {.sa_handler = on_usr1, .sa_flags = SA_ONSTACK};
	sigaltstack(&ss, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	/* The stack ends where memory ends, so a read too far is a crash. */
	size_t n = 64 << 10;
	char *stack = mmap(NULL, n + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	munmap(stack + n, 4096);
	getcontext(&co_context);
	co_context.uc_stack = (stack_t){.ss_sp = stack, .ss_size = n};
	makecontext(&co_context, co_main, 0);
	double end = now(CLOCK_MONOTONIC) + seconds;
	while (now(CLOCK_MONOTONIC) < end) {
		swapcontext(&main_context, &co_context);
		raise(SIGUSR1);
	}
}

static void reset(void)
{
	for (int i = 1; i < 32; i++)
		signal(i, SIG_DFL);
	burn(seconds);
	struct sigaction now_is;
	if (sigaction(SIGPROF, NULL, &now_is) < 0 || now_is.sa_handler != SIG_DFL)
		abort();
}

static void blocks(void)
{
	pthread_t t;
	sigset_t prof;
	double cpu = seconds / 2;
	sigemptyset(&prof);
	sigaddset(&prof, SIGPROF);
	if (pthread_create(&t, NULL, short_life, &cpu))
		abort();
	pthread_sigmask(SIG_BLOCK, &prof, NULL);
	burn(seconds / 2);
	pthread_join(t, NULL);
}

static volatile sig_atomic_t n_prof;

static void on_prof(int signo)
{
	(void)signo;
	n_prof++;
}

static void takes(void)
{
	burn(seconds / 2);
	if (signal(SIGPROF, on_prof) != SIG_DFL)
		abort();
	burn(seconds / 2);
	if (n_prof != 0) /* none of our timers' signals */
		abort();
	raise(SIGPROF);
	if (n_prof != 1)
		abort();
}

/* It had a handler before everprof_start(). */
void *kept;

static void had(void)
{
	burn(seconds);
	kept = malloc(16 << 20);
	if (n_prof != 0 || everprof_cpu_start(1) != -EBUSY)
		abort();
	raise(SIGPROF);
	if (n_prof != 1)
		abort();
}

int main(int argc, char **argv)
{
	seconds = argc > 2 ? atof(argv[2]) : 1;
	bool has_own = argc > 1 && !strcmp(argv[1], "had");
	if (has_own)
		signal(SIGPROF, on_prof);
	if (argc < 2 || everprof_start(NULL) != (has_own ? -EBUSY : 0))
		return 2;
	if (has_own)
		had();
	if (!strcmp(argv[1], "churn"))
		churn();
	else if (!strcmp(argv[1], "fork"))
		fork_many();
	else if (!strcmp(argv[1], "dlopen"))
		open_and_close(argv[3]);
	else if (!strcmp(argv[1], "coroutine"))
		coroutine();
	else if (!strcmp(argv[1], "reset"))
		reset();
	else if (!strcmp(argv[1], "blocks"))
		blocks();
	else if (!strcmp(argv[1], "takes"))
		takes();
	else if (!has_own)
		return 2;
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	printf("done %ld\n", t.tv_sec * 1000000000l + t.tv_nsec);
	return 0;
}
