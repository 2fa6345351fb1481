/*
 * kind_heap.h - the heap profile: sampling on and off, and what it saw as rows.
 *
 * The hooks (hooks_heap.c) count by themselves; here is what the drain does with it.
 * Under the drain lock.
 */
#ifndef EP_INPROC_KIND_HEAP_H
#define EP_INPROC_KIND_HEAP_H

#include <stdint.h>

/* Start sampling, one sample in `mean` bytes, as kinds "heap" and "allocs".  The mean of
 * the first start stays for the life of the process.  -ENOMEM. */
int ep_kind_heap_start(uint64_t mean);
/* No new samples; frees of those that are there are still followed. */
void ep_kind_heap_stop(void);

/* Keeps the coarse clock. */
void ep_kind_heap_tick(void);

#endif
