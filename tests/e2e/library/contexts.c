/*
 * contexts.c - threads under labels, for a reader outside.
 *
 * Prints the ids of three threads: one under endpoint=/a tenant=x, one that changes
 * between two sets all the time, one under none.  Then obeys its standard input: 'k' puts
 * the first thread under a key that is new, 'f' forks a child under labels of its own and
 * prints its id; the end of it ends both.
 */
#define _GNU_SOURCE
#include <everprof.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef OWN_CONTEXT
__thread void *otel_thread_ctx_v1 __attribute__((visibility("default")));
#endif

static atomic_int stop;
static pthread_barrier_t all_there;

static void *change(void *arg)
{
	const everprof_labels *one = everprof_labels_derive(NULL, "endpoint", "/one", "number", "1");
	const everprof_labels *two = everprof_labels_derive(NULL, "endpoint", "/two", "number", "2");
	*(int *)arg = (int)syscall(SYS_gettid);
	EVERPROF_WITH(one) {
		pthread_barrier_wait(&all_there);
		while (!stop) {
			everprof_labels_attach(two);
			EVERPROF_WITH(one) {
				everprof_labels_current();
			}
			everprof_labels_attach(one);
		}
	}
	return NULL;
}

static void *idle(void *arg)
{
	*(int *)arg = (int)syscall(SYS_gettid);
	pthread_barrier_wait(&all_there);
	while (!stop)
		usleep(10000);
	return NULL;
}

static pid_t make_child(void)
{
	pid_t child = fork();
	if (child)
		return child;
	everprof_labels_attach(everprof_labels_derive(NULL, "child", "yes", "endpoint", "/c"));
	printf("child %d\n", (int)getpid());
	fflush(stdout);
	while (getppid() != 1 && !stop)
		usleep(10000);
	_exit(0);
}

int main(void)
{
	pthread_t a, b;
	int changing = 0, none = 0, c;
	pid_t child = 0;
	if (everprof_start(NULL) < 0)
		return 1;
	pthread_barrier_init(&all_there, NULL, 3);
	pthread_create(&a, NULL, change, &changing);
	pthread_create(&b, NULL, idle, &none);
	pthread_barrier_wait(&all_there);
	EVERPROF_LABELS("endpoint", "/a", "tenant", "x") {
		printf("%d %d %d\n", (int)getpid(), changing, none);
		fflush(stdout);
		while ((c = getchar()) != EOF) {
			if (c == 'k')
				everprof_labels_attach(everprof_labels_derive(
					everprof_labels_current(), "late", "said so"));
			if (c == 'f')
				child = make_child();
		}
	}
	stop = 1;
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	if (child > 0) {
		kill(child, 9);
		waitpid(child, NULL, 0);
	}
	return 0;
}
