/*
 * window.h - the CPU samples of the last seconds: from the threads' rings to rows.
 *
 * Under the drain lock.
 */
#ifndef EP_INPROC_WINDOW_H
#define EP_INPROC_WINDOW_H

#include "inproc/outbox.h"

/* The continuous window begins.  -ENOMEM. */
int ep_window_start(uint64_t period_ns);
/* Take what the handlers left in the rings, for the window and the copies. */
void ep_window_fill(void);
/* No sample goes into the window, or again; it begins anew then. */
void ep_window_hold(bool hold);
/* The window as a batch, and the next begins; false: no memory, it goes on. */
bool ep_window_take(struct ep_batch *ret_b);
/* Copy all samples from now on, apart from the window, in place `i`.  -ENOMEM. */
int ep_window_copy_begin(uint32_t i, uint64_t period_ns);
/* The copy as a batch; -ENOMEM: it is gone. */
int ep_window_copy_end(uint32_t i, struct ep_batch *ret_b);

/* After a fork: what is there may be cut in the middle, and is the parent's. */
void ep_window_child(void);

enum { EP_WINDOW_COPIES = 3 };

#endif
