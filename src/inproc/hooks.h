/*
 * hooks.h - the functions of libc the library stands in front of, and why.
 *
 *   pthread_create    a thread joins when it is born
 *   sigaction, signal a program that resets all signals must not be killed by our
 *                     next one; a program that wants SIGPROF gets it; handlers on
 *                     alternate stacks hold it back
 *   dlclose           look at the map before and after: the address may be reused
 *   _exit, _Exit      flush; fork is handled by pthread_atfork()
 *   malloc, operator new and their kin, locks, conditions: hooks_{heap,new,lock}.c
 *
 * Each calls the next definition, so other interposers keep working.
 */
#ifndef EP_INPROC_HOOKS_H
#define EP_INPROC_HOOKS_H

#include <pthread.h>
#include <stdbool.h>

int ep_hooks_real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
				 void *(*start)(void *), void *arg);

/* Shall threads start with the labels of those who make them? */
void ep_hooks_inherit_labels(bool yes);

/* Take SIGPROF.  0, or -EBUSY when the program has a handler for it. */
int ep_hooks_take_sigprof(void);
/* Is the handler still ours? */
bool ep_hooks_own_sigprof(void);
/* Has the program set a handler for it since the last time this was asked? */
bool ep_hooks_gave_sigprof(void);

/* Does malloc() of the program come to us?  Not where it has one of its own, or is linked
 * statically as a whole.  Weak, as unit tests have no hook there: a sanitizer's malloc
 * can't have one in front of it. */
__attribute__((weak)) bool ep_hooks_see_malloc(void);

/* malloc(), or with align posix_memalign(), on behalf of who called us: operator new. */
void *ep_hooks_malloc_for(size_t n, size_t align, const void *caller);

/* The calling thread's slot is released when the thread ends. */
struct ep_sig_thread;
void ep_hooks_release_at_exit(struct ep_sig_thread *t);
struct ep_sig_thread *ep_hooks_my_thread(void);

#endif
