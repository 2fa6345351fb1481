/*
 * start.h - the life of the library in a process: start, fork, end.
 */
#ifndef EP_INPROC_START_H
#define EP_INPROC_START_H

/* Refresh the code map if the library runs.  Any thread. */
void ep_start_look_at_code(void);

/* The drain thread runs, though perhaps nothing is sampled: for what is asked on demand.
 * 0, -EAGAIN, -ENOMEM, -EINVAL.  Any thread. */
int ep_start_engine(void);

/* Map the code and make its unwind tables now, if nothing did so yet: for stacks that are
 * taken where no profiler runs.  Any thread; tens of milliseconds the first time. */
void ep_start_know_code(void);

/* Flush before the process ends, within a few seconds; nothing in a child of vfork. */
void ep_start_finish(void);

#endif
