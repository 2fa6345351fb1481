/*
 * debughttp.h - the library's own listener for /debug/pprof.
 *
 * One thread and poll(); at most 32 connections of one small buffer each, all with a
 * deadline.  On loopback or a Unix socket, unless tokens are asked for.
 */
#ifndef EP_INPROC_DEBUGHTTP_H
#define EP_INPROC_DEBUGHTTP_H

#include "inproc/config.h"

/* everprof_http_start() as the environment wants it.  An address that is taken is said,
 * and no error: another process of the tree has it. */
int ep_debughttp_start_configured(const struct ep_config *c);

/* The same limits for what the program's own server hands over. */
void ep_debughttp_limit_mounted(const struct ep_config *c);

/* After a fork, in the child: the sockets are the parent's. */
void ep_debughttp_child(void);

#endif
