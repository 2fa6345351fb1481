/*
 * extents.h - room in an array, given out in pieces and taken back.
 *
 * First fit; what is free is a sorted list of pieces, few in number because most of
 * what is taken stays.
 */
#ifndef EP_AGENT_EXTENTS_H
#define EP_AGENT_EXTENTS_H

#include <stdbool.h>
#include <stdint.h>

struct ep_extent {
	uint32_t at, n;
};

/* All zero is one without any room. */
struct ep_extents {
	struct ep_extent *free; /* sorted, apart from each other; owned */
	uint32_t n, cap;
	uint32_t n_free; /* in all pieces together */
};

/* Room [at, limit).  0 or -ENOMEM.  One thread at a time per object. */
int ep_extents_init(struct ep_extents *e, uint32_t at, uint32_t limit);
void ep_extents_fini(struct ep_extents *e);

/* n > 0 units together.  0; -ENOSPC: no free piece is as large. */
int ep_extents_take(struct ep_extents *e, uint32_t n, uint32_t *ret_at);
/* Give back what was taken.  Out of memory, the piece is never given out again. */
void ep_extents_put(struct ep_extents *e, uint32_t at, uint32_t n);

#endif
