/*
 * heap.h - the heap profile: sampling on and off, and what it saw as rows.
 *
 * The hooks (hooks_heap.c) count by themselves; here is what the drain does with it.
 * Under the drain lock.
 */
#ifndef EP_INPROC_HEAP_H
#define EP_INPROC_HEAP_H

#include "inproc/outbox.h"

/* Start sampling, one sample in `mean` bytes.  The mean of the first start stays for the
 * life of the process.  -ENOMEM. */
int ep_heap_start(uint64_t mean);
/* No new samples; frees of those that are there are still followed. */
void ep_heap_stop(void);

/* Keeps the coarse clock. */
void ep_heap_tick(void);

/*
 * ep_heap_take - the profile of now.
 *
 * in       delta  allocations since the last call with `delta`, else since the start;
 *                 what is in use is always that of now
 * out      ret_b  to be freed by ep_batch_fini()
 * returns  false when memory is short, or it never started
 */
bool ep_heap_take(bool delta, struct ep_batch *ret_b);

#endif
