/*
 * child.h - a part of this program in a process of its own, watched.
 *
 * A child ends when its parent closes the leash (a pipe), so it ends cleanly also
 * when the parent is killed; terminal signals it ignores, since Ctrl-C reaches the
 * whole group and the parent decides who stops first.
 */
#ifndef EP_CLI_CHILD_H
#define EP_CLI_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct ep_child {
	const char *name;
	pid_t pid; /* 0: not running */
	int leash; /* write end; the child has the read end */
};

/*
 * ep_child_start - fork; the child runs fn(arg), ends with what it returns, and
 * calls on_leash (on a thread of its own) when the parent lets go.
 *
 * errors   -ENOMEM, -EAGAIN, -EIO
 * threads  from a process with one thread
 */
int ep_child_start(struct ep_child *c, int (*fn)(void *arg), void *arg,
		   void (*on_leash)(void));
/* Let go: the child begins to stop. */
void ep_child_release(struct ep_child *c);
/*
 * Wait for its end until the deadline (CLOCK_MONOTONIC), then kill it.
 * returns  the exit status, -1 when a signal ended it
 */
int ep_child_wait(struct ep_child *c, uint64_t deadline_ns);
/* Has it ended?  Then *ret_status is as of ep_child_wait and pid is 0. */
bool ep_child_has_ended(struct ep_child *c, int *ret_status);

/*
 * Give up root for good: the user, its groups, every capability, and any way to
 * get them back.
 * errors   -EIO with the step in *ret_step
 */
int ep_child_become(uid_t uid, gid_t gid, const char **ret_step);

#endif
