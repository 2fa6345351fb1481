/*
 * guest.c - a program that says what it sees of itself.  guest SECONDS
 *
 * Threads that wait in every call that a signal could break off, while others use the CPU.
 * Prints a line for each thing; with a profiler in it the lines must be the same.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds;
static int sockets[2];
static int slow_pipe[2];
static atomic_int n_interrupted, n_calls;

static double now(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void count(long rc)
{
	n_calls++;
	if (rc < 0 && errno == EINTR)
		n_interrupted++;
}

/* A thread that waits all the time, and a little of CPU time in between. */
static void *waits(void *unused)
{
	char c;
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event;
	double end = now(CLOCK_MONOTONIC) + seconds;
	(void)unused;
	while (now(CLOCK_MONOTONIC) < end) {
		struct timespec ms = {0, 5000000};
		struct timeval tv = {0, 5000};
		struct pollfd p = {sockets[0], POLLIN, 0};
		count(nanosleep(&ms, NULL));
		count(poll(&p, 1, 5));
		count(select(0, NULL, NULL, NULL, &tv));
		count(epoll_wait(ep, &event, 1, 5));
		count(recv(sockets[0], &c, 1, 0)); /* with a time-out */
		count(read(slow_pipe[0], &c, 1));
		for (volatile int i = 0; i < 3000000; i++)
			;
	}
	close(ep);
	return NULL;
}

static void *works(void *unused)
{
	double end = now(CLOCK_MONOTONIC) + seconds + 0.1;
	(void)unused;
	while (now(CLOCK_MONOTONIC) < end) {
		free(malloc(100000));
		if (write(slow_pipe[1], "x", 1) != 1)
			abort();
		struct timespec ms = {0, 1000000};
		nanosleep(&ms, NULL);
		for (volatile int i = 0; i < 1000000; i++)
			;
	}
	return NULL;
}

/*
 * Those that stay open, and the lowest number that is given: a profiler's thread may have
 * one for the moment between open() and its move up (docs/decisions/0309), but keeps none.
 */
static void show_descriptors(const char *when)
{
	bool open_always[10];
	int next = INT_MAX;
	memset(open_always, true, sizeof(open_always));
	for (int look = 0; look < 20; look++) {
		for (int fd = 0; fd < 10; fd++)
			open_always[fd] &= fcntl(fd, F_GETFD) >= 0;
		int fd = open("/dev/null", O_RDONLY);
		next = fd < next ? fd : next;
		close(fd);
		nanosleep(&(struct timespec){0, 5000000}, NULL);
	}
	printf("descriptors %s:", when);
	for (int fd = 0; fd < 10; fd++)
		if (open_always[fd])
			printf(" %d", fd);
	printf("; next %d\n", next);
}

/* Where a moment's number of somebody else's does not matter. */
static void move_up(int pair[2])
{
	for (int i = 0; i < 2; i++) {
		int low = pair[i];
		pair[i] = fcntl(low, F_DUPFD_CLOEXEC, 20);
		close(low);
	}
}

static void show_signals(void)
{
	sigset_t mask, pending;
	printf("blocked:");
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	for (int s = 1; s < 32; s++)
		if (sigismember(&mask, s))
			printf(" %d", s);
	printf("\nhandlers:");
	for (int s = 1; s < 32; s++) {
		struct sigaction a;
		if (sigaction(s, NULL, &a) == 0 && a.sa_handler != SIG_DFL)
			printf(" %d", s);
	}
	sigpending(&pending);
	printf("\npending: %d\n", sigismember(&pending, SIGPROF));
}

static void show_children(void)
{
	int status;
	pid_t p = fork();
	if (p == 0)
		_exit(41);
	pid_t q = waitpid(-1, &status, 0);
	printf("child %d: %d\n", q == p, WEXITSTATUS(status));
	p = fork();
	if (p == 0)
		raise(SIGKILL);
	waitpid(p, &status, 0);
	printf("killed by %d\n", WTERMSIG(status));
	q = waitpid(-1, &status, 0);
	printf("no more: %d %s\n", q, strerror(errno));
}

static void show_errno(void)
{
	errno = E2BIG;
	free(malloc(1 << 20));
	void *p = calloc(1000, 1000);
	p = realloc(p, 2000000);
	free(p);
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	printf("errno %d\n", errno == E2BIG);
	volatile size_t huge = SIZE_MAX / 2;
	p = malloc(huge);
	printf("too much: %d %d\n", p == NULL, errno == ENOMEM);
}

int main(int argc, char **argv)
{
	pthread_t t[4];
	struct timeval tv = {0, 5000};
	seconds = argc > 1 ? atof(argv[1]) : 1;
	show_descriptors("first");
	show_signals();
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) || pipe(slow_pipe))
		return 1;
	move_up(sockets);
	move_up(slow_pipe);
	setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	for (int i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, i < 2 ? waits : works, NULL))
			return 1;
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	printf("calls %d, broken off: %d\n", n_calls > 0, n_interrupted);
	show_errno();
	show_children();
	show_descriptors("last");
	show_signals();
	return 42;
}
