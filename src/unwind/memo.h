/*
 * memo.h - the rules a thread's last stack was walked by, in the order of the stack.
 *
 * Between two samples of a thread 10 ms pass, and the table of each frame has left
 * the caches: a block entry, a row and a rule to fetch, each from memory, each only
 * when the frame before is known.  Most of a stack is the same as last time.  So the
 * rules found are kept one behind the other, 16 bytes each: a few lines that can be
 * fetched at once, before they are needed.
 *
 * A rule depends on the address of the code and on the map alone, so a row that is
 * found is right; where in the stack it was only says where to look.  What a row
 * says is not what the stack held: return addresses are read anew each time.
 *
 * Signal-safe; calls nothing.  One thread at a time per object.
 */
#ifndef EP_UNWIND_MEMO_H
#define EP_UNWIND_MEMO_H

#include "unwind/table.h"

#include <stdbool.h>

enum {
	EP_MEMO_ROWS = 64, /* frames next to the leaf; the others go by the table */
	EP_MEMO_RANGES = 32,
	EP_MEMO_PC_BITS = 48,
};

/* Code of one rule, [from, to), that was looked up in the table. */
struct ep_memo_range {
	uint64_t from, to;
	struct ep_rule rule;
};

struct ep_memo_row {
	uint64_t key; /* low 16 bits of sp / 8, then 48 bits of address */
	struct ep_rule rule;
};

/* All zero is an empty one. */
struct ep_memo {
	uint64_t map;  /* what the rows are of: a number that no other map has */
	uint32_t n;    /* rows of the last walk */
	uint32_t side; /* which half holds them */
	uint32_t n_ranges; /* ever, since the map is this one; the last few are kept */
	struct ep_memo_range ranges[EP_MEMO_RANGES];
	struct ep_memo_row rows[2][EP_MEMO_ROWS];
};

/* A walk that reads the last one's rows and writes its own. */
struct ep_memo_walk {
	struct ep_memo *memo;
	const struct ep_memo_row *old, *old_end;
	struct ep_memo_row *new, *new_end;
};

/*
 * ep_memo_begin - before a walk.
 *
 * in       map  of the code, not 0; another one than last time empties the memo
 */
static inline __attribute__((always_inline)) struct ep_memo_walk
ep_memo_begin(struct ep_memo *memo, uint64_t map)
{
	uint32_t n = memo->n;
	if (memo->map != map)
		n = memo->n_ranges = 0;
	const struct ep_memo_row *old = memo->rows[memo->side & 1];
	struct ep_memo_row *fresh = memo->rows[~memo->side & 1];
	memo->map = 0; /* until the end of the walk it is neither */
	return (struct ep_memo_walk){memo, old, old + n, fresh, fresh + EP_MEMO_ROWS};
}

static inline __attribute__((always_inline)) void
ep_memo_end(const struct ep_memo_walk *w, uint64_t map)
{
	struct ep_memo *memo = w->memo;
	memo->side ^= 1;
	memo->n = (uint32_t)(w->new - memo->rows[memo->side & 1]);
	memo->map = map;
}

/* 0, which no row has, for an address of more bits than there is room for. */
static inline __attribute__((always_inline)) uint64_t ep_memo_key(uint64_t pc, uint64_t sp)
{
	return pc >> EP_MEMO_PC_BITS ? 0 : sp >> 3 << EP_MEMO_PC_BITS | pc;
}

/*
 * The rule of a frame, or NULL when it was not there last time.  Frames come with
 * rising sp, as do rows, so both are gone through once.
 */
static inline __attribute__((always_inline)) const struct ep_rule *
ep_memo_find(struct ep_memo_walk *w, uint64_t key)
{
	for (; w->old < w->old_end; w->old++) {
		if (w->old->key == key)
			return &w->old++->rule;
		if ((int64_t)((w->old->key >> EP_MEMO_PC_BITS << EP_MEMO_PC_BITS) -
			      (key >> EP_MEMO_PC_BITS << EP_MEMO_PC_BITS)) > 0)
			break; /* above this frame; its turn comes */
	}
	return NULL;
}

/*
 * The rule of an address near one that was looked up: of the leaf, which is seldom at
 * the very same instruction again.
 */
static inline const struct ep_rule *ep_memo_find_range(const struct ep_memo *memo, uint64_t pc)
{
	uint32_t n = memo->n_ranges < EP_MEMO_RANGES ? memo->n_ranges : EP_MEMO_RANGES;
	for (uint32_t i = 0; i < n; i++)
		if (pc - memo->ranges[i].from < memo->ranges[i].to - memo->ranges[i].from)
			return &memo->ranges[i].rule;
	return NULL;
}

static inline void ep_memo_add_range(struct ep_memo *memo, const struct ep_memo_range *r)
{
	memo->ranges[memo->n_ranges++ % EP_MEMO_RANGES] = *r;
	if (memo->n_ranges == 2 * EP_MEMO_RANGES) /* full, and no wrap to "few" */
		memo->n_ranges = EP_MEMO_RANGES;
}

static inline __attribute__((always_inline)) void
ep_memo_add(struct ep_memo_walk *w, uint64_t key, const struct ep_rule *rule)
{
	if (w->new < w->new_end && key)
		*w->new++ = (struct ep_memo_row){key, *rule};
}

#endif
