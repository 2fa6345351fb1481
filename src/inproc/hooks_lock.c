/*
 * hooks_lock.c - in front of everything a thread waits in: mutexes, rwlocks, condition
 * variables, semaphores, joins, barriers, and C11's forms of them.
 *
 * A lock is tried first.  Most are free: then no clock was read, and trying costs what
 * locking does.  Only when it is taken does the thread wait in the real function, with a
 * look at the clock before and after.  While the profiles are off each is a jump.
 *
 * std::mutex and std::condition_variable are these functions.  What waits by futex(2)
 * itself (C++20's semaphores and atomics, Rust's and Go's locks) is not seen.
 */
#include "inproc/sig/contend.h"

#include "base/clock.h"
#include "inproc/real.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <threads.h>

#define EXPORTED __attribute__((visibility("default")))
#define RARE static __attribute__((noinline, cold))
#define CALLER __builtin_return_address(0)

/* The next definition of a function, of the prototype it has in the headers. */
#define REAL(name)                                                                     \
	({                                                                             \
		static void *_Atomic cache_;                                           \
		void *f_ = atomic_load_explicit(&cache_, memory_order_relaxed);        \
		(__typeof__(&name))(f_ ? f_ : look_up(#name, &cache_));                \
	})

RARE void *look_up(const char *name, void *_Atomic *cache)
{
	return ep_real(name, cache);
}

static inline bool on(void)
{
	return __builtin_expect(atomic_load_explicit(&ep_contend.on, memory_order_relaxed), 0);
}

/* ---- waiting for a lock: charged to the waiter, and to who lets go -------------------------- */

struct wait {
	const void *lock; /* NULL: for something that nobody holds, or that is not in the table */
	uint64_t from_ns;
	int saved_errno;
};

static struct wait begin(const void *lock)
{
	struct wait w = {lock, ep_clock_mono_ns(), errno};
	if (lock && !ep_contend_wait_begins(lock, w.from_ns))
		w.lock = NULL;
	return w;
}

static void end(const struct wait *w, const void *caller)
{
	int saved = errno;
	uint64_t now = ep_clock_mono_ns();
	if (w->lock)
		ep_contend_wait_ends(w->lock, now);
	ep_contend_blocked(now - w->from_ns, caller);
	errno = saved;
}

/* The real call, timed. */
#define WAIT_IN(lock, call)                                                            \
	({                                                                             \
		struct wait w_ = begin(lock);                                          \
		__auto_type rc_ = (call);                                              \
		end(&w_, caller);                                                      \
		rc_;                                                                   \
	})

/* NAME(lock, more): tried by TRY first, which says BUSY when it is taken. */
#define LOCK(ret, name, params, args, try_call, busy)                                  \
	RARE ret wait_##name(params, const void *caller)                               \
	{                                                                              \
		return WAIT_IN(m, REAL(name) args);                                    \
	}                                                                              \
	EXPORTED ret name(params)                                                      \
	{                                                                              \
		if (!on())                                                             \
			return REAL(name) args;                                        \
		ret rc = try_call;                                                     \
		return rc == (busy) ? wait_##name WITH_CALLER args : rc;               \
	}
#define WITH_CALLER(...) (__VA_ARGS__, CALLER)
#define P(...) __VA_ARGS__

LOCK(int, pthread_mutex_lock, P(pthread_mutex_t *m), (m), REAL(pthread_mutex_trylock)(m), EBUSY)
LOCK(int, pthread_mutex_timedlock, P(pthread_mutex_t *restrict m, const struct timespec *restrict t),
     (m, t), REAL(pthread_mutex_trylock)(m), EBUSY)
LOCK(int, pthread_mutex_clocklock,
     P(pthread_mutex_t *restrict m, clockid_t clock, const struct timespec *restrict t),
     (m, clock, t), REAL(pthread_mutex_trylock)(m), EBUSY)
LOCK(int, pthread_rwlock_rdlock, P(pthread_rwlock_t *m), (m), REAL(pthread_rwlock_tryrdlock)(m), EBUSY)
LOCK(int, pthread_rwlock_wrlock, P(pthread_rwlock_t *m), (m), REAL(pthread_rwlock_trywrlock)(m), EBUSY)
LOCK(int, pthread_rwlock_timedrdlock,
     P(pthread_rwlock_t *restrict m, const struct timespec *restrict t), (m, t),
     REAL(pthread_rwlock_tryrdlock)(m), EBUSY)
LOCK(int, pthread_rwlock_timedwrlock,
     P(pthread_rwlock_t *restrict m, const struct timespec *restrict t), (m, t),
     REAL(pthread_rwlock_trywrlock)(m), EBUSY)
LOCK(int, pthread_rwlock_clockrdlock,
     P(pthread_rwlock_t *restrict m, clockid_t clock, const struct timespec *restrict t),
     (m, clock, t), REAL(pthread_rwlock_tryrdlock)(m), EBUSY)
LOCK(int, pthread_rwlock_clockwrlock,
     P(pthread_rwlock_t *restrict m, clockid_t clock, const struct timespec *restrict t),
     (m, clock, t), REAL(pthread_rwlock_trywrlock)(m), EBUSY)
LOCK(int, mtx_lock, P(mtx_t *m), (m), REAL(mtx_trylock)(m), thrd_busy)
LOCK(int, mtx_timedlock, P(mtx_t *restrict m, const struct timespec *restrict t), (m, t),
     REAL(mtx_trylock)(m), thrd_busy)

/* ---- letting go ------------------------------------------------------------------------------ */

#define UNLOCK(name, type)                                                             \
	RARE int release_##name(type *m, const void *caller)                           \
	{                                                                              \
		uint64_t waited_ns = ep_contend_release(m, ep_clock_mono_ns());        \
		int rc = REAL(name)(m), saved = errno;                                 \
		if (rc == 0 && waited_ns)                                              \
			ep_contend_charge(waited_ns, caller);                          \
		errno = saved;                                                         \
		return rc;                                                             \
	}                                                                              \
	EXPORTED int name(type *m)                                                     \
	{                                                                              \
		return ep_contend_maybe(m) ? release_##name(m, CALLER) : REAL(name)(m); \
	}

UNLOCK(pthread_mutex_unlock, pthread_mutex_t)
UNLOCK(pthread_rwlock_unlock, pthread_rwlock_t)
UNLOCK(mtx_unlock, mtx_t)

/* ---- waiting for something else: charged to the waiter ------------------------------------------ */

#define WAIT(ret, name, params, args)                                                  \
	RARE ret wait_##name(params, const void *caller)                               \
	{                                                                              \
		return WAIT_IN(NULL, REAL(name) args);                                 \
	}                                                                              \
	EXPORTED ret name(params)                                                      \
	{                                                                              \
		return on() ? wait_##name WITH_CALLER args : REAL(name) args;          \
	}

WAIT(int, pthread_cond_wait, P(pthread_cond_t *restrict c, pthread_mutex_t *restrict m), (c, m))
WAIT(int, pthread_cond_timedwait,
     P(pthread_cond_t *restrict c, pthread_mutex_t *restrict m, const struct timespec *restrict t),
     (c, m, t))
WAIT(int, pthread_cond_clockwait,
     P(pthread_cond_t *restrict c, pthread_mutex_t *restrict m, clockid_t clock,
       const struct timespec *restrict t),
     (c, m, clock, t))
WAIT(int, cnd_wait, P(cnd_t *c, mtx_t *m), (c, m))
WAIT(int, cnd_timedwait,
     P(cnd_t *restrict c, mtx_t *restrict m, const struct timespec *restrict t), (c, m, t))
WAIT(int, pthread_join, P(pthread_t t, void **ret), (t, ret))
WAIT(int, pthread_timedjoin_np, P(pthread_t t, void **ret, const struct timespec *until), (t, ret, until))
WAIT(int, pthread_clockjoin_np,
     P(pthread_t t, void **ret, clockid_t clock, const struct timespec *until), (t, ret, clock, until))
WAIT(int, thrd_join, P(thrd_t t, int *ret), (t, ret))
WAIT(int, pthread_barrier_wait, P(pthread_barrier_t *b), (b))

/* A semaphore is tried first too; it has no holder. */
#define SEM(name, params, args)                                                        \
	RARE int wait_##name(params, const void *caller)                               \
	{                                                                              \
		return WAIT_IN(NULL, REAL(name) args);                                 \
	}                                                                              \
	EXPORTED int name(params)                                                      \
	{                                                                              \
		if (!on())                                                             \
			return REAL(name) args;                                        \
		int saved = errno;                                                     \
		if (REAL(sem_trywait)(s) == 0)                                         \
			return 0;                                                      \
		errno = saved; /* EAGAIN is nobody's business */                       \
		return wait_##name WITH_CALLER args;                                   \
	}

SEM(sem_wait, P(sem_t *s), (s))
SEM(sem_timedwait, P(sem_t *restrict s, const struct timespec *restrict t), (s, t))
SEM(sem_clockwait, P(sem_t *restrict s, clockid_t clock, const struct timespec *restrict t),
    (s, clock, t))
