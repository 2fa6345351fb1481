/*
 * tasks.c - tasks that are open at the end: orders on four threads, each with payments
 * begun under them, and downloads that others end.
 *
 * Writes /debug/pprof/tasks as a profile and as text to the folder it is given.
 */
#include <everprof.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 4, ORDERS = 300, CLOSED = 100, DOWNLOADS = 5000 };

static everprof_task *downloads[DOWNLOADS];
static int n_bad;

static void expect(int ok)
{
	n_bad += !ok;
}

__attribute__((noinline)) static everprof_task *place_order(void)
{
	everprof_task *t = everprof_task_begin("PlaceOrder");
	__asm__ volatile("" ::: "memory");
	return t;
}

__attribute__((noinline)) static everprof_task *charge(everprof_task *order)
{
	everprof_task *before = everprof_task_attach(order);
	everprof_task *t = everprof_task_begin("Charge");
	expect(everprof_task_attach(before) == order);
	return t;
}

static void *orders(void *unused)
{
	(void)unused;
	EVERPROF_LABELS("shop", "main")
		for (int i = 0; i < ORDERS; i++) {
			everprof_task *order = place_order(), *payment = charge(order);
			if (i < CLOSED) {
				expect(everprof_task_end(payment) == 0);
				expect(everprof_task_end(order) == 0);
			}
		}
	return NULL;
}

static void *begin_downloads(void *unused)
{
	(void)unused;
	for (int i = 0; i < DOWNLOADS; i++)
		downloads[i] = everprof_task_begin("Download");
	return NULL;
}

/* On another thread than they began; their places are used again. */
static void downloads_end_elsewhere(void)
{
	pthread_t t;
	for (int turn = 0; turn < 3; turn++) {
		expect(pthread_create(&t, NULL, begin_downloads, NULL) == 0);
		pthread_join(t, NULL);
		for (int i = 0; i < DOWNLOADS - (turn == 2); i++)
			expect(everprof_task_end(downloads[i]) == 0);
	}
}

static void mistakes(void)
{
	everprof_task *t = everprof_task_begin("twice");
	expect(everprof_task_end(t) == 0);
	everprof_task *again = everprof_task_begin("again"); /* most likely in its place */
	expect(everprof_task_end(t) < 0);
	expect(everprof_task_end(t) < 0);
	expect(everprof_task_end((everprof_task *)&t) < 0);
	expect(everprof_task_end(NULL) == 0);
	expect(everprof_task_end(again) == 0);
}

static void write_to(const char *folder, const char *name, int debug)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	expect(everprof_profile_write(everprof_profile_lookup("tasks"), fd, debug) == 0);
	close(fd);
}

int main(int argc, char **argv)
{
	pthread_t t[THREADS];
	if (argc < 2 || everprof_start(NULL) < 0)
		return 2;
	for (int i = 0; i < THREADS; i++)
		expect(pthread_create(&t[i], NULL, orders, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	downloads_end_elsewhere();
	mistakes();
	printf("%zu open\n", everprof_profile_count(everprof_profile_lookup("tasks")));
	write_to(argv[1], "tasks.pb.gz", 0);
	write_to(argv[1], "tasks.txt", 1);
	if (n_bad)
		printf("%d bad\n", n_bad);
	return n_bad != 0;
}
