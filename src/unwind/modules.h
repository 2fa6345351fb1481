/*
 * modules.h - which code lies where in a process, as one immutable snapshot.
 *
 * Whoever owns the process's map makes a snapshot outside of any handler and
 * publishes it through an atomic pointer; handlers only read.  Signal-safe;
 * calls nothing.
 */
#ifndef EP_UNWIND_MODULES_H
#define EP_UNWIND_MODULES_H

#include "unwind/table.h"

/* Executable memory [start, limit), one entry a mapping. */
struct ep_module {
	uint64_t start, limit;
	uint64_t bias;		      /* address - ELF virtual address */
	const struct ep_table *table; /* NULL: code without rows (a JIT's, a file
					 without .eh_frame); walked by frame pointer */
	uint64_t id; /* the owner's name for it; not read here */
};

/*
 * Sorted by start, not overlapping.  All executable memory should be in it:
 * a return address outside all modules counts as no code, and ends the walk.
 */
struct ep_modules {
	uint32_t n;
	struct ep_module m[];
};

#define EP_MODULES_BYTES(n) (sizeof(struct ep_modules) + (n) * sizeof(struct ep_module))

/* The module that holds an address, or NULL. */
static inline const struct ep_module *ep_modules_find(const struct ep_modules *ms,
						      uint64_t ip)
{
	uint32_t lo = 0, n = ms->n;
	while (n > 0) {
		uint32_t half = n / 2;
		if (ms->m[lo + half].start <= ip) {
			lo += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	if (!lo || ip >= ms->m[lo - 1].limit)
		return NULL;
	return &ms->m[lo - 1];
}

#endif
