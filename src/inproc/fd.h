/*
 * fd.h - files opened so that the host does not notice: closed on exec, and not
 * among the low numbers programs play with.
 */
#ifndef EP_INPROC_FD_H
#define EP_INPROC_FD_H

#include "base/highfd.h"

#include <fcntl.h>
#include <unistd.h>

/* Out of the way of the program, or the error it came with. */
static inline int ep_fd_move_up(int low)
{
	return ep_highfd(low);
}

static inline int ep_fd_open(const char *path, int flags)
{
	return ep_fd_move_up(open(path, flags | O_CLOEXEC, 0666));
}

#endif
