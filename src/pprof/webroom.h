/*
 * webroom.h - what the files of the local page share.  Internal.
 */
#ifndef EP_PPROF_WEBROOM_H
#define EP_PPROF_WEBROOM_H

#include "net/route.h"
#include "pprof/session.h"

#include <pthread.h>

struct ep_web {
	const struct ep_session *session;
	const char *host;	     /* as given with -http */
	bool is_local;		     /* only this machine may ask */
	char settings_path[4096];    /* "": nowhere to save */
	pthread_mutex_t objects_lock; /* one thread at a time opens binaries */
	pthread_mutex_t settings_lock;
};

/* Options of one request: the flags that no URL can carry, the defaults, and the URL's
 * parameters by the reference's names.  -EINVAL with the reference's sentence. */
int ep_webvars_read(const struct ep_web *w, struct ep_http *x, struct ep_vars *ret_v,
		struct ep_err *err);

/* "?f=main&g=lines" of the flags; "" when all are defaults. */
void ep_webvars_query(const struct ep_web *w, struct ep_buf *out);

/* Remarks made on the way, for the answer: one a line. */
struct ep_notes ep_webvars_notes(struct ep_buf *lines);

/* Answer with 400, or what the error asks for. */
void ep_webvars_fail(struct ep_http *x, int rc, const struct ep_err *err);

/* Handlers, by file. */
void ep_webapi_info(void *room, struct ep_http *x);
void ep_webapi_flamegraph(void *room, struct ep_http *x);
void ep_webapi_top(void *room, struct ep_http *x);
void ep_webapi_report(void *room, struct ep_http *x);
void ep_webtags_get(void *room, struct ep_http *x);
void ep_webapi_download(void *room, struct ep_http *x);
void ep_websettings_save(void *room, struct ep_http *x);
void ep_websettings_delete(void *room, struct ep_http *x);

#endif
