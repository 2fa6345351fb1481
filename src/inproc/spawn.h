/*
 * spawn.h - a thread of our own in somebody else's process.
 */
#ifndef EP_INPROC_SPAWN_H
#define EP_INPROC_SPAWN_H

#include <stdbool.h>
#include <stdint.h>

/*
 * ep_spawn - detached, all signals blocked, a small stack.
 *
 * in       name  of at most 15 bytes, as /proc shows it
 * errors   -EAGAIN, -ENOMEM
 */
int ep_spawn(const char *name, void *(*run)(void *), void *arg);

/* Is this thread one of ours?  Profiles of threads leave them out.  Any thread. */
bool ep_spawn_is_ours(uint32_t tid);

/* In the child of a fork: there is none. */
void ep_spawn_child(void);

#endif
