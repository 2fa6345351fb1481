/*
 * selfprofile.h - the server's own /debug/pprof and its own profiles, by libeverprof.
 *
 * The binary everprof has the library inside (tools/make-inner), without what it puts in
 * front of malloc and locks: CPU and threads, no heap.  In a binary without it, as unit
 * tests are, nothing here does anything.
 */
#ifndef EP_SERVER_SELFPROFILE_H
#define EP_SERVER_SELFPROFILE_H

#include "net/route.h"

/*
 * ep_selfprofile_start - make /debug/pprof answer; with a URL also push there.
 *
 * in       url     http://HOST:PORT of this server itself; NULL: push nothing
 *          token   that may push there; NULL: none is asked for
 * threads  start-up
 */
void ep_selfprofile_start(const char *url, const char *token);
/* Pushes what is left. */
void ep_selfprofile_stop(void);
/* Captures that run end now.  Any thread; signal-safe. */
void ep_selfprofile_cut(void);

/* /debug/pprof, for admins of the whole server. */
struct ep_route_table ep_selfprofile_table(void);

#endif
