/*
 * livetasks.h - tasks that are open: what they are, who began them, for how long.
 *
 * everprof.h has the API.  A task is a number, its id: the place in a table that only
 * grows, and how often that place was used before, so an end that comes twice, or of
 * something that was no task, is seen.  No lock is taken anywhere.
 */
#ifndef EP_INPROC_LIVETASKS_H
#define EP_INPROC_LIVETASKS_H

#include <stdint.h>

enum { EP_LIVETASKS_MAX = 1 << 22 };

/* The kind "tasks" is known from here on, else from the first task on.  Any thread. */
void ep_livetasks_start(void);

/* Ends of no open task.  Any thread. */
uint64_t ep_livetasks_n_strangers(void);

#endif
