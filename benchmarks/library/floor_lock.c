/* floor_lock.c - the least a lock profiler can do, preloaded: try the lock, and wait for it
 * in the real function only when it is taken. */
#include <dlfcn.h>
#include <pthread.h>
#include <time.h>

static int (*next_lock)(pthread_mutex_t *), (*next_trylock)(pthread_mutex_t *);
static __thread struct timespec seen __attribute__((tls_model("initial-exec")));

__attribute__((constructor)) static void find(void)
{
	next_lock = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_lock");
	next_trylock = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_trylock");
}

static __attribute__((noinline)) int wait_for(pthread_mutex_t *m)
{
	clock_gettime(CLOCK_MONOTONIC, &seen);
	return next_lock(m);
}

__attribute__((visibility("default"))) int pthread_mutex_lock(pthread_mutex_t *m)
{
	if (__builtin_expect(!next_trylock, 0))
		return 0; /* before any thread */
	int rc = next_trylock(m);
	return __builtin_expect(rc == 0, 1) ? 0 : wait_for(m);
}
