/*
 * ask.h - the stack of another thread, which that thread takes itself.
 *
 * Whoever wants to know posts an ask, and sends SIGPROF with the ask's number: by a timer
 * on the thread's CPU clock, which can only strike while it runs, or as a queued signal.
 * The handler answers, unless the ask was withdrawn meanwhile; a late signal finds another
 * serial, and does nothing.
 *
 * One asker at a time.  Allocates nothing: the owner hands over the memory.
 */
#ifndef EP_INPROC_SIG_ASK_H
#define EP_INPROC_SIG_ASK_H

#include "inproc/sig/state.h"

#include <signal.h>

enum { EP_ASKS = 256 }; /* at once */

/* sigev_value: this mark, 8 bits of serial, 8 bits of place. */
#define EP_ASK_VALUE_MARK 0x45510000

struct ep_ask {
	_Atomic uint32_t state; /* serial << 8 | phase */
	_Atomic uint32_t tid; /* of a late signal's reader too, who then sees the state */
	_Atomic(const struct ep_sig_map *) hazard;
	/* The answer: leaf first, as a handler's sample has it. */
	const void *labels;
	uint32_t map;
	uint32_t n_frames;
	bool truncated;
	struct ep_guarded guarded;
	uint64_t frames[EP_SIG_MAX_FRAMES];
};

/* asks: [EP_ASKS], zeroed, for ever.  Once. */
void ep_ask_init(struct ep_ask *asks);

/*
 * ep_ask_post - expect an answer of thread `tid` in place i.
 *
 * out      ret_value  for the signal
 * returns  false when a handler is still at work on this place
 */
bool ep_ask_post(uint32_t i, uint32_t tid, int *ret_value);

/* Has it been answered?  Then the fields of the answer are there until the next post. */
const struct ep_ask *ep_ask_answered(uint32_t i);

/* No answer is wanted any more.  It may have come at the last moment: NULL or the answer. */
const struct ep_ask *ep_ask_withdraw(uint32_t i);

/* The handler's part.  false: this signal is none of ours.  Signal-safe. */
bool ep_ask_answer(const siginfo_t *info, const void *context);

/* Is an answer being taken by this map?  The drain's question before it frees one. */
bool ep_ask_holds(const struct ep_sig_map *map);
/* In the child of a fork: nobody answers. */
void ep_ask_child(void);

#endif
