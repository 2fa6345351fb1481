/*
 * pool.c - labels that follow a job through a queue to another thread.
 *
 * A job carries the label set of whoever queued it; the worker runs it under that set.
 * So the CPU, the memory and the waiting of a request are the request's, whichever thread
 * does the work.  A set is never freed, so a pointer to it is all there is to carry.
 *
 *     pool [jobs=1000]
 *
 * Prints how many jobs ran under the labels they were queued under.
 */
#include <everprof.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct job {
	struct job *next;
	void (*run)(void *arg);
	void *arg;
	const everprof_labels *labels; /* of the one who queued it */
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job *first, **last;
	int closed;
} queue = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, &queue.first, 0};

/* ---- the pool: two lines of it are about labels -------------------------------- */

static int submit(void (*run)(void *), void *arg)
{
	struct job *j = malloc(sizeof(*j));
	if (!j)
		return -1;
	*j = (struct job){.run = run, .arg = arg, .labels = everprof_labels_current()};
	pthread_mutex_lock(&queue.lock);
	*queue.last = j;
	queue.last = &j->next;
	pthread_cond_signal(&queue.more);
	pthread_mutex_unlock(&queue.lock);
	return 0;
}

static struct job *take(void)
{
	pthread_mutex_lock(&queue.lock);
	while (!queue.first && !queue.closed)
		pthread_cond_wait(&queue.more, &queue.lock);
	struct job *j = queue.first;
	if (j && !(queue.first = j->next))
		queue.last = &queue.first;
	pthread_mutex_unlock(&queue.lock);
	return j;
}

static void *worker(void *unused)
{
	struct job *j;
	(void)unused;
	while ((j = take()) != NULL) {
		EVERPROF_WITH(j->labels)
			j->run(j->arg);
		free(j);
	}
	return NULL;
}

static void close_queue(void)
{
	pthread_mutex_lock(&queue.lock);
	queue.closed = 1;
	pthread_cond_broadcast(&queue.more);
	pthread_mutex_unlock(&queue.lock);
}

/* ---- the program ------------------------------------------------------------------ */

static const char *const endpoints[] = {"/cart", "/search", "/checkout"};
static _Atomic int n_right;

static void handle(void *arg)
{
	const everprof_labels *mine = everprof_labels_derive(NULL, "endpoint", (const char *)arg);
	n_right += everprof_labels_current() == mine; /* equal sets are one pointer */
}

int main(int argc, char **argv)
{
	pthread_t workers[4];
	int n = argc > 1 ? atoi(argv[1]) : 1000, rc = 0;
	if (everprof_start(NULL) < 0)
		fprintf(stderr, "not profiled\n");
	for (int i = 0; i < 4; i++)
		rc |= pthread_create(&workers[i], NULL, worker, NULL);
	for (int i = 0; i < n && !rc; i++)
		EVERPROF_LABELS("endpoint", endpoints[i % 3])
			rc = submit(handle, (void *)endpoints[i % 3]);
	close_queue();
	for (int i = 0; i < 4; i++)
		pthread_join(workers[i], NULL);
	printf("%d of %d jobs ran under their labels\n", n_right, n);
	return rc || n_right != n;
}
