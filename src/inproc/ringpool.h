/*
 * ringpool.h - the memory of the rings that handlers write to (sig/rings.h).
 */
#ifndef EP_INPROC_RINGPOOL_H
#define EP_INPROC_RINGPOOL_H

#include <stdbool.h>

/* Twice as many as the CPUs we may run on.  A second time it does nothing.  False: no
 * memory.  Under the threads' lock. */
bool ep_ringpool_make(void);
/* All their pages of those that were written to since; the drain, before it reads. */
void ep_ringpool_populate(void);
/* After a fork, in the child: all are empty and free. */
void ep_ringpool_child(void);

#endif
