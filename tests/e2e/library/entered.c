/*
 * entered.c - label scopes, counted by the program itself.
 *
 * Writes what it knows as lines "SET N NS" to the file it is given; NS is by a clock
 * around the scopes, 0 where it kept none.  "fork": a child enters scopes of its own,
 * and writes its profile beside.
 */
#include <everprof.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 200, EACH = 3000, LONG = 40, SHORT = 300000 };

static FILE *truth;

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void spin(long long ns)
{
	long long end = now() + ns;
	while (now() < end)
		;
}

static void *many(void *unused)
{
	const everprof_labels *set = everprof_labels_derive(NULL, "form", "threads");
	(void)unused;
	for (int i = 0; i < EACH; i++)
		EVERPROF_WITH(set) {}
	return NULL;
}

static void threads(void)
{
	pthread_t t[THREADS];
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, many, NULL))
			abort();
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	fprintf(truth, "form=threads %d 0\n", THREADS * EACH);
}

static void long_ones(void)
{
	long long sum = 0, inner = 0;
	for (int i = 0; i < LONG; i++) {
		long long from = now();
		EVERPROF_LABELS("form", "long")
		{
			spin(2000000);
			long long before = now();
			EVERPROF_LABELS("step", "inner")
				spin(1000000);
			inner += now() - before;
		}
		sum += now() - from;
	}
	fprintf(truth, "form=long %d %lld\n", LONG, sum);
	fprintf(truth, "form=long,step=inner %d %lld\n", LONG, inner);
}

static int leave_early(int i)
{
	EVERPROF_LABELS("form", "early")
	{
		if (i % 3 == 0)
			return 1;
		if (i % 3 == 1)
			break;
	}
	return 0;
}

static void short_ones(void)
{
	for (int i = 0; i < SHORT; i++)
		EVERPROF_LABELS("form", "short") {}
	for (int i = 0; i < 999; i++)
		(void)leave_early(i);
	EVERPROF_WITH(NULL) {}
	fprintf(truth, "form=short %d 0\nform=early 999 0\n", SHORT);
}

static void attached(void)
{
	const everprof_labels *a = everprof_labels_derive(NULL, "form", "a"),
			      *b = everprof_labels_derive(NULL, "form", "b");
	for (int i = 0; i < 500; i++) {
		(void)everprof_labels_attach(a);
		(void)everprof_labels_attach(a); /* in force already */
		(void)everprof_labels_attach(b);
		if (i % 2)
			(void)everprof_labels_attach(NULL);
	}
	(void)everprof_labels_attach(NULL);
	fprintf(truth, "form=a 500 0\nform=b 500 0\n");
}

static void child(const char *path)
{
	pid_t pid = fork();
	if (pid == 0) {
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		for (int i = 0; i < 77; i++)
			EVERPROF_LABELS("form", "child") {}
		_exit(everprof_profile_write(everprof_profile_lookup("scopes"), fd, 0) != 0);
	}
	int status;
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		abort();
}

int main(int argc, char **argv)
{
	truth = fopen(argv[1], "w");
	if (!truth || everprof_start(NULL) < 0)
		return 1;
	if (everprof_labels_current())
		return 2;
	long_ones();
	short_ones();
	attached();
	threads();
	if (argc > 2)
		child(argv[2]);
	return fclose(truth);
}
