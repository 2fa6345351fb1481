/* spawn.c - see spawn.h. */
#include "inproc/spawn.h"

#include "base/mem.h"
#include "inproc/hooks.h"
#include "inproc/sig/contend.h"
#include "safe/sys.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#define STACK_BYTES (256 << 10)

enum { MAX_OURS = 64 }; /* the drain, the listener, its captures */

static _Atomic uint32_t ours[MAX_OURS];

struct birth {
	void *(*run)(void *);
	void *arg;
};

static void *thread_main(void *arg)
{
	struct birth b = *(struct birth *)arg;
	uint32_t tid = (uint32_t)ep_sys6(SYS_gettid, 0, 0, 0, 0, 0, 0);
	int at = 0;
	ep_contend_ours = true;
	ep_free(arg);
	for (uint32_t none = 0; at < MAX_OURS; at++, none = 0)
		if (atomic_compare_exchange_strong(&ours[at], &none, tid))
			break;
	void *result = b.run(b.arg);
	if (at < MAX_OURS)
		atomic_store(&ours[at], 0);
	return result;
}

bool ep_spawn_is_ours(uint32_t tid)
{
	for (int i = 0; i < MAX_OURS; i++)
		if (atomic_load_explicit(&ours[i], memory_order_relaxed) == tid)
			return true;
	return false;
}

void ep_spawn_child(void)
{
	for (int i = 0; i < MAX_OURS; i++)
		atomic_store(&ours[i], 0);
}

int ep_spawn(const char *name, void *(*run)(void *), void *arg)
{
	struct birth *b = ep_alloc(sizeof(*b));
	if (!b)
		return -ENOMEM;
	*b = (struct birth){run, arg};
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* the new thread inherits it */
	int rc = ep_hooks_real_pthread_create(&thread, &attr, thread_main, b);
	if (rc == 0)
		(void)pthread_setname_np(thread, name); /* for people only */
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (rc)
		ep_free(b);
	return rc ? -EAGAIN : 0;
}
