/*
 * writer.c - the one thread that writes: group commit.
 *
 * While a transaction is on its way to the disk, other profiles gather; the next
 * transaction takes them all, so that the price of a sync is shared.  When it fails
 * each is tried alone, so that one does not cost the others.
 */
#include "base/log.h"
#include "store/inside.h"

enum { MAX_BATCH = 256 };

/* Jobs from the front of the queue that go to one head. */
static uint32_t take_batch(struct ep_store *s, struct ep_job **v)
{
	uint32_t n = 0;
	while (s->first && n < MAX_BATCH && (!n || s->first->head == v[0]->head)) {
		v[n++] = s->first;
		s->first = s->first->next;
	}
	if (!s->first)
		s->last = NULL;
	return n;
}

static int write_jobs(struct ep_job **v, uint32_t n)
{
	struct ep_head_write *w[MAX_BATCH] = {0};
	struct ep_err err = {0};
	for (uint32_t i = 0; i < n; i++)
		w[i] = &v[i]->w;
	int rc = ep_head_write(v[0]->head, w, n, &err);
	for (uint32_t i = 0; i < n; i++) {
		v[i]->rc = rc;
		v[i]->err = err;
	}
	return rc;
}

/* Returns the number of transactions that committed. */
static uint32_t write_batch(struct ep_job **v, uint32_t n)
{
	uint32_t commits = 0;
	if (write_jobs(v, n) == 0)
		return 1;
	for (uint32_t i = 0; n > 1 && i < n; i++)
		commits += write_jobs(v + i, 1) == 0;
	return commits;
}

/* A head that nothing goes to any more is folded into its file. */
static struct ep_head *finished_head(struct ep_store *s)
{
	for (uint32_t i = 0; i < s->n_heads; i++)
		if (s->heads[i] != s->active && s->heads[i]->w.db && !s->heads[i]->pending)
			return s->heads[i];
	return NULL;
}

static void end_finished(struct ep_store *s)
{
	struct ep_head *h;
	bool any = false;
	while ((h = finished_head(s))) {
		ep_head_end(h);
		any = true;
	}
	if (any)
		pthread_cond_signal(&s->seal_work);
}

static void *run(void *arg)
{
	struct ep_store *s = arg;
	struct ep_job *v[MAX_BATCH];
	pthread_mutex_lock(&s->lock);
	while (s->first || !s->stopping) {
		uint32_t n = take_batch(s, v);
		if (!n) {
			end_finished(s);
			pthread_cond_wait(&s->work, &s->lock);
			continue;
		}
		pthread_mutex_unlock(&s->lock);
		uint32_t commits = write_batch(v, n);
		pthread_mutex_lock(&s->lock);
		s->stats.commits += commits;
		for (uint32_t i = 0; i < n; i++)
			v[i]->done = true;
		pthread_cond_broadcast(&s->done);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int ep_store_write(struct ep_store *s, struct ep_job *job, struct ep_err *err)
{
	pthread_mutex_lock(&s->lock);
	if (s->last)
		s->last->next = job;
	else
		s->first = job;
	s->last = job;
	pthread_cond_signal(&s->work);
	while (!job->done)
		pthread_cond_wait(&s->done, &s->lock);
	pthread_mutex_unlock(&s->lock);
	return job->rc < 0 ? ep_fail(err, job->rc, 0, "%s", job->err.text) : 0;
}

int ep_store_start_writer(struct ep_store *s, struct ep_err *err)
{
	if (pthread_create(&s->writer, NULL, run, s) != 0)
		return ep_fail(err, -ENOMEM, 0, "no thread for the store's writer");
	s->writer_runs = true;
	return 0;
}

void ep_store_stop_writer(struct ep_store *s)
{
	if (!s->writer_runs)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->work);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->writer, NULL);
	s->writer_runs = false;
}
