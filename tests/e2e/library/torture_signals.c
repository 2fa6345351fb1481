/*
 * torture_signals.c - signals at any moment.  torture_signals KIND SECONDS
 *
 *   storm     threads that allocate and lock, hit by handlers that allocate too
 *   altstack  handlers on the smallest alternate stacks there are
 */
#include "torture.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { WORKERS = 4 };

static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;
static sem_t turn;
static atomic_int stop;
static atomic_long handled;
static double seconds;

static void on_usr1(int signo)
{
	(void)signo;
	int value;
	if (atomic_fetch_add(&handled, 1) % 2)
		sem_post(&turn);
	else if (sem_trywait(&turn) < 0)
		sem_getvalue(&turn, &value);
	if (pthread_mutex_trylock(&shared) == 0)
		pthread_mutex_unlock(&shared);
}

/* Safe to interrupt: the handler allocates only where this flag says so. */
static __thread volatile sig_atomic_t may_allocate;

static void on_usr2(int signo)
{
	on_usr1(signo);
	if (may_allocate)
		allocate(20);
}

static void block_usr(int how)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(how, &set, NULL);
}

static void *worker(void *unused)
{
	(void)unused;
	while (!atomic_load(&stop)) {
		allocate(50);
		may_allocate = 1; /* out of malloc; in our hooks around the locks */
		for (int i = 0; i < 50; i++) {
			block_usr(SIG_BLOCK); /* the handler would wait for us */
			pthread_mutex_lock(&shared);
			pthread_mutex_unlock(&shared);
			block_usr(SIG_UNBLOCK);
			struct timespec soon = {0};
			sem_timedwait(&turn, &soon);
		}
		may_allocate = 0;
	}
	return NULL;
}

static void storm(void)
{
	pthread_t t[WORKERS];
	struct sigaction sa = {.sa_handler = on_usr2};
	sigaction(SIGUSR2, &sa, NULL);
	sa.sa_handler = on_usr1;
	sigaction(SIGUSR1, &sa, NULL);
	sem_init(&turn, 0, 0);
	for (int i = 0; i < WORKERS; i++)
		CHECK(!pthread_create(&t[i], NULL, worker, NULL));
	double end = end_after(seconds);
	for (unsigned n = 0; before(end); n++) {
		pthread_kill(t[n % WORKERS], n % 3 ? SIGUSR2 : SIGUSR1);
		if (n % 64 == 0)
			usleep(100);
	}
	atomic_store(&stop, 1);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(t[i], NULL);
	CHECK(handled > 0);
}

static void on_alternate(int signo)
{
	(void)signo;
	double end = clock_of(CLOCK_THREAD_CPUTIME_ID) + 0.012; /* a sample is due */
	while (clock_of(CLOCK_THREAD_CPUTIME_ID) < end)
		;
	free(malloc(1 << 20));
}

static void *on_small_stack(void *unused)
{
	(void)unused;
	/* What the kernel asks for, and a page of our own, as MINSIGSTKSZ once said. */
	size_t least = getauxval(AT_MINSIGSTKSZ);
	size_t n = least + 2048 > 4096 ? least + 2048 : 4096;
	char *memory = malloc(n);
	stack_t ss = {.ss_sp = memory, .ss_size = n}, off = {.ss_flags = SS_DISABLE};
	CHECK(sigaltstack(&ss, NULL) == 0);
	double end = end_after(seconds);
	while (before(end)) {
		raise(SIGUSR1);
		burn(0.001);
	}
	sigaltstack(&off, NULL);
	free(memory);
	return NULL;
}

static void altstack(void)
{
	pthread_t t[WORKERS];
	struct sigaction sa = {.sa_handler = on_alternate, .sa_flags = SA_ONSTACK};
	sigaction(SIGUSR1, &sa, NULL);
	CHECK(sigaction(SIGUSR1, NULL, &sa) == 0 && sa.sa_handler == on_alternate);
	CHECK(!sigismember(&sa.sa_mask, SIGPROF)); /* as it was set */
	for (int i = 0; i < WORKERS; i++)
		CHECK(!pthread_create(&t[i], NULL, on_small_stack, NULL));
	for (int i = 0; i < WORKERS; i++)
		pthread_join(t[i], NULL);
}

int main(int argc, char **argv)
{
	CHECK(argc > 2);
	seconds = atof(argv[2]);
	start_library();
	if (!strcmp(argv[1], "storm"))
		storm();
	else if (!strcmp(argv[1], "altstack"))
		altstack();
	else
		return 2;
	puts("done");
	return 0;
}
