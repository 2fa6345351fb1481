/*
 * desk.h - a stack of the calling thread, taken in its ordinary code.
 *
 * For hooks (malloc, locks) and calls of the API, where a handler's per-thread storage
 * is not at hand: the thread may be unknown to us, about to end, or inside a handler
 * of the program's own that interrupted another hook.  So there is a fixed number of
 * desks; whoever needs one takes a free one, mostly the same as last time, and gives it
 * back.  No lock is taken: with all of them in use the sample is dropped and counted.
 *
 * All of it is signal-safe and allocates nothing.
 */
#ifndef EP_INPROC_SIG_DESK_H
#define EP_INPROC_SIG_DESK_H

#include "inproc/sig/state.h"

enum {
	EP_DESKS = 64,
	EP_DESK_ID_SHIFT = 48, /* of a frame: the mapping's id above, the address below */
	EP_DESK_NO_ID = 0xffff,
};

struct ep_desk {
	_Atomic uint32_t busy;
	_Atomic(const struct ep_sig_map *) hazard;
	/* The stack after ep_desk_walk(), leaf first: address | mapping id << 48, so that it
	 * means the same whatever map it was taken under. */
	uint32_t n_frames;
	bool truncated;
	struct ep_memo memo;
	struct ep_guarded guarded;
	uint64_t frames[EP_SIG_MAX_FRAMES];
};

/* NULL when all are taken.  Give it back soon. */
struct ep_desk *ep_desk_take(void);
void ep_desk_give(struct ep_desk *d);

/* For who walks seldom: all that the walk reads is asked for at once. */
void ep_desk_ahead(const struct ep_desk *d);

/*
 * ep_desk_walk - the stack of the caller's caller.
 *
 * in       return_address  __builtin_return_address(0) of the function the program
 *                          called: its caller is the leaf
 * out      d->frames, at least 1
 * returns  false when there is no code map yet
 */
bool ep_desk_walk(struct ep_desk *d, const void *return_address);

/* Is a desk using this map?  The drain's question before it frees one. */
bool ep_desk_holds(const struct ep_sig_map *map);
/* Samples dropped since all desks were taken. */
uint64_t ep_desk_n_refused(void);
/* In the child of a fork: desks of threads that are no more are free. */
void ep_desk_child(void);

static inline uint64_t ep_desk_frame_address(uint64_t frame)
{
	return frame & ((1ull << EP_DESK_ID_SHIFT) - 1);
}

/* EP_DESK_NO_ID: code of no file. */
static inline uint32_t ep_desk_frame_id(uint64_t frame)
{
	return (uint32_t)(frame >> EP_DESK_ID_SHIFT);
}

#endif
