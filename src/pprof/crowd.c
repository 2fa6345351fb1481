/* crowd.c - see crowd.h. */
#include "pprof/crowd.h"

#include "pprof/progress.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { STACK_BYTES = 1 << 20 };

struct work {
	const char *const *names;
	size_t n;
	const struct ep_origin_options *o;
	struct ep_crowd_one *v;
	_Atomic size_t next;
};

static void *load(void *arg)
{
	struct work *w = arg;
	for (size_t i; (i = atomic_fetch_add(&w->next, 1)) < w->n;) {
		w->v[i] = (struct ep_crowd_one){0};
		w->v[i].rc = ep_origin_load(w->names[i], w->o, &w->v[i].origin,
					    &w->v[i].err);
		ep_progress_step();
	}
	return NULL;
}

static bool is_remote(const char *name)
{
	return strcmp(name, "-") != 0 && access(name, F_OK) < 0;
}

bool ep_crowd_has_remote(const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_remote(names[i]))
			return true;
	return false;
}

static size_t count_threads(const char *const *names, size_t n)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t want = cpus > 0 ? (size_t)cpus : 1;
	for (size_t i = 0; i < n; i++)
		want += is_remote(names[i]);
	return want < n ? want : n;
}

void ep_crowd(const char *const *names, size_t n, const struct ep_origin_options *o,
	      struct ep_crowd_one *ret_v)
{
	struct work w = {.names = names, .n = n, .o = o, .v = ret_v};
	pthread_t threads[EP_CROWD_MAX];
	size_t n_threads = count_threads(names, n), started = 0;
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(
		&attr, STACK_BYTES); /* else the default's, which works too */
	/* This thread is one of them, and all of them when no more can be had. */
	while (started + 1 < n_threads &&
	       pthread_create(&threads[started], &attr, load, &w) == 0)
		started++;
	pthread_attr_destroy(&attr);
	(void)load(&w);
	for (size_t i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
}
