/* spawn.c - see spawn.h. */
#include "inproc/spawn.h"

#include "inproc/hooks.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#define STACK_BYTES (256 << 10)

int ep_spawn(const char *name, void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* the new thread inherits it */
	int rc = ep_hooks_real_pthread_create(&thread, &attr, run, arg);
	if (rc == 0)
		(void)pthread_setname_np(thread, name); /* for people only */
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return rc ? -EAGAIN : 0;
}
