/*
 * share.h - runs of a table that several samples share.
 *
 * Samples of one stack, or of one set of labels, hold the same bytes in the file.  The
 * decoder then gives them the same run of a table, which saves most of the memory of
 * large profiles, and lets a reader see by the index alone that two stacks are equal.
 * Where little is equal it gives up, so that nothing is lost.
 */
#ifndef EP_PROFILE_SHARE_H
#define EP_PROFILE_SHARE_H

#include "base/arena.h"
#include "base/index.h"
#include "base/slice.h"

#include <stdbool.h>

struct ep_share_run {
	struct ep_slice bytes; /* as they stood in the file; a copy, so that comparing
				* stays within few pages and the file may go */
	uint32_t first, n;     /* elements of the table */
};

/* All zero is empty.  One thread at a time. */
struct ep_share {
	struct ep_index index;
	struct ep_arena *bytes;
	struct ep_share_run *runs;
	uint32_t n, cap;
	uint32_t asked, met;
	bool given_up;
};

void ep_share_fini(struct ep_share *s);

/* The run of equal bytes, NULL when there is none; *ret_hash for ep_share_add(). */
const struct ep_share_run *ep_share_find(struct ep_share *s, struct ep_slice bytes,
					 uint64_t *ret_hash);
/* Remember a run; its bytes are copied.  Without memory it is forgotten, which costs
 * sharing only. */
void ep_share_add(struct ep_share *s, uint64_t hash, struct ep_share_run run);

#endif
