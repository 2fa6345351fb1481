/*
 * highfd.h - descriptors kept out of the way of the program we may be a guest in:
 * not among the low numbers that programs play with, and closed on exec.
 */
#ifndef EP_BASE_HIGHFD_H
#define EP_BASE_HIGHFD_H

#include <fcntl.h>
#include <unistd.h>

/* The same file under a number of 10 or more; or the error it came with. */
static inline int ep_highfd(int low)
{
	if (low < 0 || low >= 10)
		return low;
	int fd = fcntl(low, F_DUPFD_CLOEXEC, 10);
	close(low);
	return fd;
}

#endif
