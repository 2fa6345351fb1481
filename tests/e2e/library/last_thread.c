/*
 * last_thread.c - processes that end with their last thread.  last_thread KIND
 *
 *   main    main() leaves by pthread_exit(), a thread goes on for a while
 *   raw     main() leaves by the system call, as a sandbox that allows few has to
 *   forked  a thread forks, and in the child returns: that was the last one there
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void at_end(void)
{
	puts("the end");
}

static void *goes_on(void *unused)
{
	(void)unused;
	usleep(300000);
	puts("last thread");
	return NULL;
}

static void *forks(void *unused)
{
	(void)unused;
	pid_t p = fork();
	if (p == 0) {
		puts("child");
		return NULL;
	}
	int status;
	if (p < 0 || waitpid(p, &status, 0) != p)
		abort();
	printf("child ended with %d\n", status);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t;
	int is_main = argc > 1 && !strcmp(argv[1], "main");
	if (argc > 1 && !strcmp(argv[1], "raw")) {
		usleep(300000);
		syscall(SYS_exit, 5);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	atexit(at_end);
	if (pthread_create(&t, NULL, is_main ? goes_on : forks, NULL))
		return 1;
	if (is_main)
		pthread_exit(NULL);
	pthread_join(t, NULL);
	return 0;
}
