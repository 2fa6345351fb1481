/*
 * debugroutes.h - what /debug/pprof answers; everprof.h has the door, everprof_http_handle().
 */
#ifndef EP_INPROC_DEBUGROUTES_H
#define EP_INPROC_DEBUGROUTES_H

#include "everprof.h"

#include <stdbool.h>

/* Longest captures, in seconds, and whether /cmdline tells. */
struct ep_debugroutes_limits {
	unsigned profile_s, trace_s;
	bool cmdline;
};
/* Start-up only. */
void ep_debugroutes_limit(const struct ep_debugroutes_limits *l);

/*
 * Does this request wait for time to pass (a capture, a difference)?  Whoever must not
 * be held up hands it to another thread.
 */
bool ep_debugroutes_waits(const everprof_http_request *rq);

#endif
