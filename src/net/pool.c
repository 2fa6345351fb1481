/* pool.c - one mutex, one condition, a first-in first-out list.  See pool.h. */
#include "net/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

enum { MAX_THREADS = 64 };

struct ep_pool {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct ep_job *first, **last;
	bool is_stopping;
	pthread_t threads[MAX_THREADS];
	unsigned n_threads;
};

static struct ep_job *take_job(struct ep_pool *p)
{
	pthread_mutex_lock(&p->lock);
	while (!p->first && !p->is_stopping)
		pthread_cond_wait(&p->wake, &p->lock);
	struct ep_job *job = p->first;
	if (job) {
		p->first = job->next;
		if (!p->first)
			p->last = &p->first;
	}
	pthread_mutex_unlock(&p->lock);
	return job;
}

static void *work(void *arg)
{
	struct ep_job *job;
	while ((job = take_job(arg)))
		job->run(job);
	return NULL;
}

int ep_pool_new(unsigned n_threads, struct ep_pool **ret_p)
{
	struct ep_pool *p = ep_zalloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	p->last = &p->first;
	sigset_t all, old;
	sigfillset(&all);
	sigdelset(&all, SIGPROF); /* a profiler in this process samples us, too */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (p->n_threads < n_threads && p->n_threads < MAX_THREADS) {
		if (pthread_create(&p->threads[p->n_threads], NULL, work, p) != 0)
			break;
		p->n_threads++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!p->n_threads) {
		ep_pool_free(p);
		return -EAGAIN;
	}
	*ret_p = p;
	return 0;
}

void ep_pool_free(struct ep_pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->is_stopping = true;
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->n_threads; i++)
		pthread_join(p->threads[i], NULL);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	ep_free(p);
}

void ep_pool_submit(struct ep_pool *p, struct ep_job *job)
{
	job->next = NULL;
	pthread_mutex_lock(&p->lock);
	*p->last = job;
	p->last = &job->next;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
}
