/*
 * open.c - what is open, and who opened it: four custom profiles of a small program.
 *
 *     descriptors   each open file, by its number
 *     requests      what is being worked on, under its labels
 *     cache         entries that were put in and not thrown out
 *     workers       threads of a pool, by where they were asked for
 *
 *     open            prints them as text; or watch them while it runs for 60 seconds:
 *     EVERPROF_HTTP=127.0.0.1:6060 open 60
 *     curl 'http://127.0.0.1:6060/debug/pprof/cache?debug=1'
 *
 * A leak of any of these is a line that grows, with the stack that opened what nobody
 * closes: the profile is the list of what to close.
 */
#include <everprof.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A function that is inlined has no frame: it can neither be seen nor skipped. */
#define OWN_FRAME __attribute__((noinline))

static everprof_profile *descriptors, *requests, *cache, *workers;

/* ---- descriptors: the number is the key ------------------------------------------- */

static const void *key_of(int fd)
{
	return (const void *)(intptr_t)fd;
}

/* skip 1: whoever calls this has opened it, not this wrapper. */
OWN_FRAME static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		everprof_profile_add(descriptors, key_of(fd), 1);
	return fd;
}

static void close_file(int fd)
{
	everprof_profile_remove(descriptors, key_of(fd)); /* before the number is another's */
	close(fd);
}

OWN_FRAME static void read_settings(void)
{
	int fd = open_file("/etc/passwd");
	if (fd >= 0)
		close_file(fd);
}

OWN_FRAME static void read_and_forget(void)
{
	if (open_file("/dev/null") < 0) /* a leak: it stands in the profile */
		perror("/dev/null");
}

/* ---- cache: an entry is in while it lives -------------------------------------------- */

struct entry {
	struct entry *next;
	int value;
};

static struct entry *entries;

OWN_FRAME static void cache_put(int value)
{
	struct entry *e = malloc(sizeof(*e));
	if (!e)
		return;
	*e = (struct entry){entries, value};
	entries = e;
	everprof_profile_add(cache, e, 1);
}

static void cache_drop_one(void)
{
	struct entry *e = entries;
	if (!e)
		return;
	entries = e->next;
	everprof_profile_remove(cache, e);
	free(e);
}

OWN_FRAME static void fill_for_search(void)
{
	for (int i = 0; i < 30; i++)
		cache_put(i);
}

OWN_FRAME static void fill_for_cart(void)
{
	for (int i = 0; i < 12; i++)
		cache_put(i);
	cache_drop_one();
	cache_drop_one();
}

/* ---- requests and workers ------------------------------------------------------------- */

static pthread_barrier_t all_work, all_seen;

struct request {
	const char *endpoint;
};

OWN_FRAME static void handle(struct request *r)
{
	EVERPROF_LABELS("endpoint", r->endpoint) {
		everprof_profile_add(requests, r, 0);
		pthread_barrier_wait(&all_work); /* the work */
		pthread_barrier_wait(&all_seen);
		everprof_profile_remove(requests, r);
	}
}

static void *worker(void *arg)
{
	struct request r = {arg};
	handle(&r);
	everprof_profile_remove(workers, arg);
	return NULL;
}

enum { N_WORKERS = 3 };

static char endpoints[N_WORKERS][16] = {"/cart", "/search", "/search"};

OWN_FRAME static int start_pool(pthread_t *threads)
{
	for (int i = 0; i < N_WORKERS; i++) {
		everprof_profile_add(workers, endpoints[i], 0);
		if (pthread_create(&threads[i], NULL, worker, endpoints[i]))
			return -1;
	}
	return 0;
}

/* ---- the program ------------------------------------------------------------------------ */

static void show_all(void)
{
	everprof_profile *const all[] = {descriptors, requests, cache, workers};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		everprof_profile_write(all[i], STDOUT_FILENO, 1);
}

int main(int argc, char **argv)
{
	pthread_t threads[N_WORKERS];
	if (everprof_start(NULL) < 0)
		fprintf(stderr, "not profiled\n");
	descriptors = everprof_profile_new("descriptors");
	requests = everprof_profile_new("requests");
	cache = everprof_profile_new("cache");
	workers = everprof_profile_new("workers");
	pthread_barrier_init(&all_work, NULL, N_WORKERS + 1);
	pthread_barrier_init(&all_seen, NULL, N_WORKERS + 1);
	read_settings();
	read_and_forget();
	fill_for_search();
	fill_for_cart();
	if (start_pool(threads) < 0)
		return 1;
	pthread_barrier_wait(&all_work);
	show_all();
	if (argc > 1)
		sleep((unsigned)atoi(argv[1]));
	pthread_barrier_wait(&all_seen);
	for (int i = 0; i < N_WORKERS; i++)
		pthread_join(threads[i], NULL);
	while (entries)
		cache_drop_one();
	return everprof_profile_count(requests) + everprof_profile_count(workers) +
		       everprof_profile_count(cache) !=
	       0;
}
