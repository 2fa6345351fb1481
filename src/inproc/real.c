/* real.c - see real.h. */
#include "inproc/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <threads.h>
#include <time.h>

#define WEAK __attribute__((weak))

/* glibc's: this one is in libc.a alone. */
extern void __libc_setup_tls(void) WEAK;

bool ep_real_is_static(void)
{
	return __libc_setup_tls != NULL;
}

/* ---- libc.a --------------------------------------------------------------------------- */

#define OF_LIBC(X)                                                                     \
	X(pthread_create, __pthread_create)                                            \
	X(sigaction, __libc_sigaction)                                                 \
	X(dlclose, __dlclose)                                                          \
	X(pthread_mutex_lock, __pthread_mutex_lock)                                    \
	X(pthread_mutex_timedlock, __pthread_mutex_timedlock)                          \
	X(pthread_mutex_clocklock, __pthread_mutex_clocklock)                          \
	X(pthread_mutex_unlock, __pthread_mutex_unlock)                                \
	X(pthread_rwlock_rdlock, __pthread_rwlock_rdlock)                              \
	X(pthread_rwlock_wrlock, __pthread_rwlock_wrlock)                              \
	X(pthread_rwlock_timedrdlock, ___pthread_rwlock_timedrdlock)                   \
	X(pthread_rwlock_timedwrlock, ___pthread_rwlock_timedwrlock)                   \
	X(pthread_rwlock_clockrdlock, ___pthread_rwlock_clockrdlock)                   \
	X(pthread_rwlock_clockwrlock, ___pthread_rwlock_clockwrlock)                   \
	X(pthread_rwlock_unlock, __pthread_rwlock_unlock)                              \
	X(pthread_cond_wait, __pthread_cond_wait)                                      \
	X(pthread_cond_timedwait, __pthread_cond_timedwait)                            \
	X(pthread_cond_clockwait, __pthread_cond_clockwait)                            \
	X(pthread_join, __pthread_join)                                                \
	X(pthread_timedjoin_np, ___pthread_timedjoin_np)                               \
	X(pthread_clockjoin_np, ___pthread_clockjoin_np)                               \
	X(pthread_barrier_wait, __pthread_barrier_wait)                                \
	X(sem_wait, __new_sem_wait)                                                    \
	X(sem_timedwait, ___sem_timedwait)                                             \
	X(sem_clockwait, ___sem_clockwait)                                             \
	X(pthread_mutex_trylock, pthread_mutex_trylock)                                \
	X(pthread_rwlock_tryrdlock, pthread_rwlock_tryrdlock)                          \
	X(pthread_rwlock_trywrlock, pthread_rwlock_trywrlock)                          \
	X(mtx_trylock, mtx_trylock)                                                    \
	X(sem_trywait, sem_trywait)

#define DECLARE(name, other) extern char real_##name[] __asm__(#other) WEAK;
OF_LIBC(DECLARE)

/* C11's are the same objects with other results; libc.a has no second name for them. */

extern int lock_mutex(void *) __asm__("__pthread_mutex_lock") WEAK;
extern int timedlock_mutex(void *, const struct timespec *) __asm__("__pthread_mutex_timedlock") WEAK;
extern int unlock_mutex(void *) __asm__("__pthread_mutex_unlock") WEAK;
extern int wait_cond(void *, void *) __asm__("__pthread_cond_wait") WEAK;
extern int timedwait_cond(void *, void *, const struct timespec *) __asm__("__pthread_cond_timedwait") WEAK;
extern int join_thread(pthread_t, void **) __asm__("__pthread_join") WEAK;

static int as_c11(int rc)
{
	switch (rc) {
	case 0:
		return thrd_success;
	case EBUSY:
		return thrd_busy;
	case ETIMEDOUT:
		return thrd_timedout;
	case ENOMEM:
		return thrd_nomem;
	default:
		return thrd_error;
	}
}

static int c11_mtx_lock(void *m)
{
	return as_c11(lock_mutex(m));
}

static int c11_mtx_timedlock(void *m, const struct timespec *t)
{
	return as_c11(timedlock_mutex(m, t));
}

static int c11_mtx_unlock(void *m)
{
	return as_c11(unlock_mutex(m));
}

static int c11_cnd_wait(void *c, void *m)
{
	return as_c11(wait_cond(c, m));
}

static int c11_cnd_timedwait(void *c, void *m, const struct timespec *t)
{
	return as_c11(timedwait_cond(c, m, t));
}

static int c11_thrd_join(pthread_t t, int *ret)
{
	void *result;
	int rc = join_thread(t, &result);
	if (rc == 0 && ret)
		*ret = (int)(intptr_t)result;
	return as_c11(rc);
}

static void *find_in_program(const char *name)
{
#define ROW(name, other) {#name, real_##name},
#define C11(name) {#name, (void *)c11_##name}
	const struct {
		const char *name;
		void *f;
	} all[] = {OF_LIBC(ROW) C11(mtx_lock), C11(mtx_timedlock), C11(mtx_unlock),
		   C11(cnd_wait), C11(cnd_timedwait), C11(thrd_join)};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(all[i].name, name))
			return all[i].f;
	return NULL;
}

/* ---- any ------------------------------------------------------------------------------- */

void *ep_real_find(const char *name)
{
	if (ep_real_is_static())
		return find_in_program(name);
	/* Condition variables have an older form under the same name. */
	void *f = strncmp(name, "pthread_cond_", 13) ? NULL : dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
	return f ? f : dlsym(RTLD_NEXT, name);
}
