/*
 * taskclock.h - a perf event on the CPU time of a thread of ours, which sends it SIGPROF
 * when it strikes in the program's own code (sig/hits.h).
 *
 * Source: perf_event_open(2), fcntl(2).
 */
#ifndef EP_INPROC_TASKCLOCK_H
#define EP_INPROC_TASKCLOCK_H

#include <stdint.h>

/*
 * ep_taskclock_open - an event that does not strike yet.
 *
 * out      a descriptor, far from the numbers a program plays with
 * errors   -EACCES or -EPERM  kernel.perf_event_paranoid over 2, or a sandbox
 *          -ENOSYS  a kernel without perf events
 *          -EMFILE  as many as a quarter of the process's descriptors are open
 * threads  any
 */
int ep_taskclock_open(uint32_t tid);
/* From here on it strikes each step_ns of CPU time. */
void ep_taskclock_go(int fd, uint64_t step_ns);
/* Nothing happens when the program has closed it, and its number is another file's. */
void ep_taskclock_close(int fd, uint32_t tid);

/* In the child of a fork: what is open here as well is the parent's. */
void ep_taskclock_child(void);

#endif
