/*
 * ahead.h - ask for memory before it is needed.
 *
 * Between two samples their code and data leave the caches; what is asked for at once is
 * waited for once.  What is asked for in vain faults nowhere.
 */
#ifndef EP_INPROC_SIG_AHEAD_H
#define EP_INPROC_SIG_AHEAD_H

#include "unwind/memo.h"

#include <stddef.h>
#include <stdint.h>

enum { EP_AHEAD_LINE = 64, EP_AHEAD_STACK_BYTES = 1024 /* some 20 frames; by then the walk
							  has gone ahead */ };

static inline __attribute__((always_inline)) void ep_ahead(const void *p, size_t n)
{
	for (size_t at = 0; at < n; at += EP_AHEAD_LINE)
		__builtin_prefetch((const char *)p + at);
}

/* The rows of the last walk, and the stack from here on.  What is only written needs no
 * asking: stores don't wait. */
static inline __attribute__((always_inline)) void ep_ahead_walk(const struct ep_memo *memo,
								uint64_t sp)
{
	uint32_t n = memo->n < EP_MEMO_ROWS ? memo->n : EP_MEMO_ROWS;
	ep_ahead(memo->rows[memo->side & 1], n * sizeof(memo->rows[0][0]));
	ep_ahead((const void *)(uintptr_t)sp, EP_AHEAD_STACK_BYTES);
}

#endif
