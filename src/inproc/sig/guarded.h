/*
 * guarded.h - reads of the process's own memory that may not be there.
 *
 * The kernel copies the bytes, and says so where there are none instead of raising
 * SIGSEGV.  A window at a time: the next reads of a walk lie close above.
 * Signal-safe; one thread at a time per object.
 */
#ifndef EP_INPROC_SIG_GUARDED_H
#define EP_INPROC_SIG_GUARDED_H

#include <stdbool.h>
#include <stdint.h>

enum { EP_GUARDED_BYTES = 512 };

/* All zero is empty.  [at, at + n) of the process. */
struct ep_guarded {
	uint64_t at, n;
	uint64_t window[EP_GUARDED_BYTES / 8];
};

/* 8 bytes at addr, for struct ep_stack; arg is a struct ep_guarded. */
bool ep_guarded_read(void *arg, uint64_t addr, uint64_t *ret);

/* What was read has changed since. */
static inline void ep_guarded_forget(struct ep_guarded *g)
{
	g->n = 0;
}

#endif
