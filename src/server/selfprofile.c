/* selfprofile.c - see selfprofile.h. */
#include "server/selfprofile.h"

#include "base/log.h"
#include "tenant/tenant.h"

#include <everprof.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* There or not, as the binary was linked. */
#pragma weak everprof_start_sized
#pragma weak everprof_stop
#pragma weak everprof_http_handle

static atomic_bool is_cut;
static atomic_uint n_running;

static void on_message(const char *text, void *user)
{
	(void)user;
	ep_log_info("profile of itself: %s", text);
}

void ep_selfprofile_start(const char *url, const char *token)
{
	char server[700] = "";
	if (!everprof_start_sized)
		return;
	const char *host = url ? strstr(url, "://") : NULL;
	if (host && token && *token) /* as Basic: any user name */
		(void)snprintf(server, sizeof(server), "%.*s://everprof:%s@%s", (int)(host - url), url,
			       token, host + 3);
	else if (url)
		(void)snprintf(server, sizeof(server), "%s", url);
	const everprof_config cfg = {.name = "everprof",
				     .version = EP_VERSION,
				     .server = server[0] ? server : NULL,
				     .types = "cpu",
				     .http = "mounted",
				     .message = on_message};
	int rc = everprof_start(&cfg);
	explicit_bzero(server, sizeof(server));
	if (rc < 0)
		ep_log_warn("no profile of itself: %s", strerror(-rc));
}

void ep_selfprofile_stop(void)
{
	if (everprof_stop)
		(void)everprof_stop(); /* of the last ten seconds */
}

void ep_selfprofile_cut(void)
{
	atomic_store(&is_cut, true);
}

/* --- /debug/pprof ----------------------------------------------------------------------- */

static int on_head(void *ctx, int status, const char *const *headers, size_t n_body)
{
	struct ep_http *x = ctx;
	(void)n_body;
	x->status = status;
	for (; headers && headers[0]; headers += 2) {
		char *name = ep_arena_copy(x->arena, headers[0], strlen(headers[0]) + 1);
		char *value = ep_arena_copy(x->arena, headers[1], strlen(headers[1]) + 1);
		if (!name || !value)
			return -ENOMEM;
		if (!strcasecmp(name, "content-type"))
			x->content_type = value;
		else if (strcasecmp(name, "content-length") != 0 && strcasecmp(name, "connection") != 0 &&
			 strncasecmp(name, "x-content-type", 14) != 0 &&
			 x->n_reply_headers < EP_HTTP_MAX_REPLY_HEADERS - 2)
			ep_http_set_header(x, name, value);
	}
	return 0;
}

static int on_write(void *ctx, const void *p, size_t n)
{
	struct ep_http *x = ctx;
	ep_buf_add(&x->out, p, n);
	return ep_buf_failed(&x->out) ? -ENOMEM : 0;
}

static int on_gone(void *ctx)
{
	(void)ctx;
	return atomic_load(&is_cut);
}

static const char *text_of(struct ep_http *x, struct ep_slice s)
{
	char *to = ep_arena_alloc(x->arena, s.n + 1);
	if (!to)
		return "";
	if (s.n)
		memcpy(to, s.p, s.n);
	to[s.n] = '\0';
	return to;
}

static void answer(struct ep_http *x)
{
	const everprof_http_request r = {.method = text_of(x, x->method),
					 .path = text_of(x, x->path),
					 .query = text_of(x, x->query),
					 .accept = text_of(x, ep_http_header(x, "accept")),
					 .peer = "127.0.0.1", /* the guard has judged who asks */
					 .body = x->body.p,
					 .n_body = x->body.n};
	const everprof_http_writer w = {
		.ctx = x, .head = on_head, .write = on_write, .gone = on_gone};
	if (everprof_http_handle(&r, &w) < 0 && !x->status)
		ep_http_fail(x, 503, "unavailable", "the capture was cut off");
}

/* A capture holds a worker for its time: one at once, so that queries go on. */
static void debug_pprof(void *room, struct ep_http *x)
{
	(void)room;
	if (!everprof_http_handle) {
		ep_http_fail(x, 501, "unimplemented", "this binary has no profiler in it");
	} else if (atomic_fetch_add(&n_running, 1) > 0) {
		ep_http_fail(x, 429, "resource_exhausted", "one profile of the server at a time");
		atomic_fetch_sub(&n_running, 1);
	} else {
		answer(x);
		atomic_fetch_sub(&n_running, 1);
	}
}

static const struct ep_route routes[] = {
	{"GET|POST", "/debug/pprof", debug_pprof, EP_ROLE_ADMIN | EP_ROLE_SERVER},
	{"GET|POST", "/debug/pprof/*", debug_pprof, EP_ROLE_ADMIN | EP_ROLE_SERVER},
};

struct ep_route_table ep_selfprofile_table(void)
{
	return (struct ep_route_table){routes, sizeof(routes) / sizeof(routes[0]), NULL};
}
