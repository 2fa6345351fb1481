/*
 * locks.c - an uncontended mutex, locked and unlocked, with a profiler in front of it or not.
 *
 * By turns through the functions as the program finds them and through libc's own, in one
 * process; each thread has a mutex of its own.
 *
 *     threads=2   0: on the first thread, and the program never makes another one
 *     [turns=400] [batch=20000]
 */
#include "load.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/single_threaded.h>
#include <unistd.h>

enum { MAX_TURNS = 4096, MAX_THREADS = 8 };

typedef int lock_fn(pthread_mutex_t *);

struct worker {
	pthread_t thread;
	double ns[2][MAX_TURNS];
	_Alignas(128) pthread_mutex_t mutex;
	volatile uint64_t value;
};

static struct worker workers[MAX_THREADS];
static struct {
	lock_fn *lock, *unlock;
} by[2];
static long turns, batch;

static void pairs(struct worker *w, int which)
{
	lock_fn *lock = by[which].lock, *unlock = by[which].unlock;
	for (long i = 0; i < batch; i++) {
		lock(&w->mutex);
		w->value++;
		unlock(&w->mutex);
	}
}

static void *run(void *arg)
{
	struct worker *w = arg;
	for (long t = -4; t < turns; t++)
		for (int i = 0; i < 2; i++) {
			int which = (int)(t & 1) ^ i;
			uint64_t from = now_of(CLOCK_THREAD_CPUTIME_ID);
			pairs(w, which);
			if (t >= 0)
				w->ns[which][t] = (double)(now_of(CLOCK_THREAD_CPUTIME_ID) - from) /
						  (double)batch;
		}
	return NULL;
}

int main(int argc, char **argv)
{
	static double more[MAX_THREADS * MAX_TURNS], base[MAX_THREADS * MAX_TURNS];
	long threads = option(argc, argv, "threads", 2);
	void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
	size_t n = 0;
	turns = option(argc, argv, "turns", 400);
	batch = option(argc, argv, "batch", 20000);
	if (threads > MAX_THREADS || turns > MAX_TURNS || !libc)
		return 2;
	by[0].lock = pthread_mutex_lock;
	by[0].unlock = pthread_mutex_unlock;
	by[1].lock = (lock_fn *)dlsym(libc, "pthread_mutex_lock");
	by[1].unlock = (lock_fn *)dlsym(libc, "pthread_mutex_unlock");
	for (int i = 0; i < MAX_THREADS; i++)
		pthread_mutex_init(&workers[i].mutex, NULL);
	for (long i = 0; i < threads; i++)
		pthread_create(&workers[i].thread, NULL, run, &workers[i]);
	for (long i = 0; i < threads; i++)
		pthread_join(workers[i].thread, NULL);
	if (!threads)
		(void)run(&workers[0]);
	for (long i = 0; i < threads + !threads; i++)
		for (long t = 0; t < turns; t++, n++) {
			base[n] = workers[i].ns[1][t];
			more[n] = workers[i].ns[0][t] - workers[i].ns[1][t];
		}
	struct estimate e = estimate_of(more, n), b = estimate_of(base, n);
	printf("RESULT pairs=%zu base_ns=%.3f more_ns=%.3f error_ns=%.3f single=%d\n", n, b.mean,
	       e.mean, e.error, (int)__libc_single_threaded);
	fflush(stdout);
	_exit(0);
}
