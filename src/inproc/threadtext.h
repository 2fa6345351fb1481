/*
 * threadtext.h - the profile of threads as text for people: docs/debug-pprof.md.
 */
#ifndef EP_INPROC_THREADTEXT_H
#define EP_INPROC_THREADTEXT_H

#include "inproc/outbox.h"

/* Go's debug=1: threads of equal stacks, labels and states together, the most first. */
int ep_threadtext_groups(const struct ep_batch *b, struct ep_buf *out);

/*
 * ep_threadtext_each - debug=2: a block a thread.
 *
 * `thread TID "NAME" [STATE, CPU 1.25s, in CALL, stack MARK]:`, its labels, then two lines
 * a frame: the function, and the file with the address in it.
 *
 * errors   -ENOMEM
 * threads  any; reads symbol tables of files
 */
int ep_threadtext_each(const struct ep_batch *b, struct ep_buf *out);

#endif
