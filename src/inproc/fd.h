/*
 * fd.h - files opened so that the host does not notice: closed on exec, and not
 * among the low numbers programs play with.
 */
#ifndef EP_INPROC_FD_H
#define EP_INPROC_FD_H

#include <fcntl.h>
#include <unistd.h>

static inline int ep_fd_open(const char *path, int flags)
{
	int low = open(path, flags | O_CLOEXEC, 0666);
	if (low < 0 || low >= 10)
		return low;
	int fd = fcntl(low, F_DUPFD_CLOEXEC, 10);
	close(low);
	return fd;
}

#endif
