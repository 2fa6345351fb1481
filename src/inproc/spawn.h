/*
 * spawn.h - a thread of our own in somebody else's process.
 */
#ifndef EP_INPROC_SPAWN_H
#define EP_INPROC_SPAWN_H

/*
 * ep_spawn - detached, all signals blocked, a small stack.
 *
 * in       name  of at most 15 bytes, as /proc shows it
 * errors   -EAGAIN
 */
int ep_spawn(const char *name, void *(*run)(void *), void *arg);

#endif
