/*
 * web.h - `everprof pprof -http=HOST:PORT`: the page on one profile.
 *
 * The same page as the server's, with the views, parameters and routes of `go tool
 * pprof -http`; docs/pprof-web.md.
 */
#ifndef EP_PPROF_WEB_H
#define EP_PPROF_WEB_H

#include "base/err.h"
#include "pprof/session.h"

/*
 * ep_web_run - serve until the process is ended.
 *
 * in       hostport    "localhost:8080"; without a host: localhost, without a port: any
 *          no_browser  do not open one
 * errors   -EINVAL the address, -EEXIST the port is taken, -EACCES, -EIO
 * threads  the main one, once
 */
int ep_web_run(const struct ep_session *s, const char *hostport, bool no_browser,
	       struct ep_err *err);

#endif
