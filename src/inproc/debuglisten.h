/*
 * debuglisten.h - the socket that /debug/pprof listens on.
 */
#ifndef EP_INPROC_DEBUGLISTEN_H
#define EP_INPROC_DEBUGLISTEN_H

#include <stdbool.h>

/*
 * ep_debuglisten_open - bind and listen.
 *
 * in       where  "127.0.0.1:6060", "[::1]:0", "localhost:6060", ":6060" (loopback),
 *                 "unix:/PATH"
 *          open   other addresses than loopback may be used
 * out      ret_address  at least 128 bytes: what was bound, its port too
 * returns  a descriptor, closed on exec
 * errors   -EINVAL no such address, -EACCES not loopback and not open (both said),
 *          -EADDRINUSE, and what the system says
 */
int ep_debuglisten_open(const char *where, bool open, char *ret_address);

/* The next connection, or a negative errno; ret_peer: 64 bytes, "unix" for a path. */
int ep_debuglisten_accept(int fd, char *ret_peer);

/* A Unix socket's path goes. */
void ep_debuglisten_forget(const char *address);

#endif
