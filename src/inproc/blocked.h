/*
 * blocked.h - the stack of a thread that waits, read without waking it.
 *
 * The kernel tells its PC and SP, its stack lies in our memory, and the unwind tables say
 * how the one leads to the other.  The frame pointer is not told: where a function needs
 * it, one below it may have saved it on the stack, or its code says it (framebase.h); else
 * the walk ends.
 *
 * Under the drain lock.
 */
#ifndef EP_INPROC_BLOCKED_H
#define EP_INPROC_BLOCKED_H

#include "inproc/tasks.h"
#include "unwind/modules.h"

/*
 * ep_blocked_walk - the frames, leaf first, as a handler's sample has them.
 *
 * in       frames  room for EP_SIG_MAX_FRAMES
 * inout    word    where more of the thread's memory is wanted, 0: nowhere; what was
 *                  there, else 0
 * out      ret_whole  the outermost frame was reached
 * returns  how many, at least 1
 */
uint32_t ep_blocked_walk(const struct ep_modules *ms, const struct ep_tasks_at *at,
			 uint64_t *word, uint64_t *frames, bool *ret_whole);

#endif
