/*
 * kind_threads.h - the profile "threads": where every thread is, right now.
 *
 * Nobody is woken for it: docs/decisions/0306-threads.md.
 */
#ifndef EP_INPROC_KIND_THREADS_H
#define EP_INPROC_KIND_THREADS_H

#include <stdbool.h>

/* The kinds "threads" and "goroutine", the same under the name tools know.  push: once a
 * minute.  -ENOMEM.  Under the drain lock. */
int ep_kind_threads_start(bool push);

#endif
