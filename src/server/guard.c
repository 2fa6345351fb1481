/*
 * guard.c - see guard.h.
 *
 * Host: a page of a stranger can make a browser ask 127.0.0.1 under the stranger's
 * own name (DNS rebinding), so a name that is not ours is refused.  Origin: a
 * request that a page makes must come from our own page.  No CORS headers at all.
 */
#include "server/guard.h"

#include "api/api.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/gzip.h"
#include "tenant/audit.h"
#include "tenant/meter.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { MIN_GZIP = 1024, MAX_REFUSALS_A_SECOND = 10 };

/* --- hosts ------------------------------------------------------------------------- */

static int add_host(struct ep_guard *g, const char *name, size_t n, struct ep_err *err)
{
	if (!n)
		return 0;
	if (g->n_hosts == EP_GUARD_MAX_HOSTS || n >= sizeof(g->hosts[0]))
		return ep_fail(err, -EINVAL, 0, "--host takes at most %d names of 255 bytes",
			       EP_GUARD_MAX_HOSTS - 2);
	memcpy(g->hosts[g->n_hosts], name, n);
	g->hosts[g->n_hosts++][n] = '\0';
	return 0;
}

int ep_guard_set_hosts(struct ep_guard *g, const struct ep_addr *listen, const char *more,
		       struct ep_err *err)
{
	char own[256] = "";
	g->is_wildcard = !strcmp(listen->host, "0.0.0.0") || !strcmp(listen->host, "::");
	EP_TRY(add_host(g, listen->host, strlen(listen->host), err));
	if (gethostname(own, sizeof(own) - 1) == 0)
		EP_TRY(add_host(g, own, strlen(own), err));
	while (more && *more) {
		size_t n = strcspn(more, ", ");
		EP_TRY(add_host(g, more, n, err));
		more += n + (more[n] != '\0');
	}
	return 0;
}

static bool is_address(struct ep_slice host)
{
	char text[64];
	struct in6_addr any;
	if (host.n >= sizeof(text))
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	return inet_pton(AF_INET, text, &any) == 1 || inet_pton(AF_INET6, text, &any) == 1;
}

static bool is_our_host(const struct ep_guard *g, struct ep_slice authority)
{
	struct ep_slice host = ep_addr_host(authority);
	if (!host.n)
		return false;
	if (ep_addr_is_loopback_name(host) || (g->is_wildcard && is_address(host)))
		return true;
	for (unsigned i = 0; i < g->n_hosts; i++)
		if (strlen(g->hosts[i]) == host.n && !strncasecmp(g->hosts[i], host.p, host.n))
			return true;
	return false;
}

static bool check_host(const struct ep_guard *g, struct ep_http *x)
{
	/* HTTP/1.0 tools send none; a browser always does. */
	if (!x->host.p || is_our_host(g, x->host))
		return true;
	int n = x->host.n > 100 ? 100 : (int)x->host.n;
	ep_http_fail(x, 421, "permission_denied",
		     "Host \"%.*s\" is not a name of this server; add it with --host NAME", n,
		     x->host.p);
	return false;
}

/* http://HOST or https://HOST, the HOST that was asked for. */
static bool check_origin(struct ep_http *x)
{
	struct ep_slice origin = ep_http_header(x, "origin");
	if (!origin.p)
		return true;
	const char *sep = memmem(origin.p, origin.n, "://", 3);
	if (sep) {
		size_t skip = (size_t)(sep - origin.p) + 3;
		struct ep_slice from = {origin.p + skip, origin.n - skip};
		bool is_web = !strncmp(origin.p, "http://", 7) ||
			      !strncmp(origin.p, "https://", 8);
		if (is_web && from.n && from.n == x->host.n &&
		    !strncasecmp(from.p, x->host.p, from.n))
			return true;
	}
	int n = origin.n > 100 ? 100 : (int)origin.n;
	ep_http_fail(x, 403, "permission_denied",
		     "Origin \"%.*s\" is not this server's own page", n, origin.p);
	return false;
}

/* --- before ------------------------------------------------------------------------ */

static void set_security_headers(struct ep_http *x)
{
	ep_http_set_header(x, "X-Content-Type-Options", "nosniff");
	ep_http_set_header(x, "Referrer-Policy", "no-referrer");
	ep_http_set_header(x, "X-Frame-Options", "DENY");
	ep_http_set_header(x, "Cross-Origin-Resource-Policy", "same-origin");
	ep_http_set_header(x, "Content-Security-Policy",
			   "default-src 'none'; script-src 'self'; style-src 'self'; "
			   "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
			   "form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
}

static bool find_route(struct ep_guard *g, struct ep_http *x)
{
	int status = 404;
	const char *allow = NULL;
	x->route = ep_route_find(g->tables, g->n_tables, x, &x->room, &status, &allow);
	if (x->route) {
		/* A heavy query never holds up a push or a health check. */
		x->lane = x->route->access & EP_ROLE_READ ? 0 : 1;
		return true;
	}
	if (status == 405) {
		ep_http_set_header(x, "Allow", allow);
		ep_http_fail(x, 405, "unimplemented", "this route takes %s", allow);
	} else {
		ep_http_fail(x, 404, "not_found", "no such route");
	}
	return false;
}

/* A token that is none of ours may be an attack: it is noted, but does not fill the disk. */
static void note_refusal(struct ep_guard *g, const struct ep_http *x, const char *why)
{
	uint64_t now_ns = ep_clock_mono_ns();
	if (now_ns - g->refusals_since_ns > EP_NS_PER_S) {
		g->refusals_since_ns = now_ns;
		g->n_refusals = 0;
	}
	if (g->n_refusals++ >= MAX_REFUSALS_A_SECOND)
		return;
	struct ep_audit_event e = {.action = "refused",
				   .token = x->token,
				   .tenant = x->tenant ? x->tenant->name : NULL,
				   .peer = x->peer,
				   .detail = why};
	(void)ep_audit(g->audit, &e); /* it logs what it can't write */
}

static bool check_token(struct ep_guard *g, struct ep_http *x)
{
	struct ep_credentials c = {.authorization = ep_http_header(x, "authorization"),
				   .cookie = ep_http_header(x, "cookie"),
				   .org_id = ep_http_header(x, "x-scope-orgid")};
	struct ep_err err = {0};
	struct ep_asker who;
	if (!x->route->access)
		return true;
	int rc = ep_tenants_check(g->tenants, &c, x->route->access, &who, &err);
	x->tenant = who.tenant;
	x->is_bound = who.is_bound;
	memcpy(x->token, who.token, sizeof(x->token));
	if (rc >= 0)
		return true;
	if (c.authorization.n || c.cookie.n)
		note_refusal(g, x, err.text);
	if (rc == -EINVAL) {
		ep_http_fail(x, 403, "permission_denied", "%s", err.text);
	} else if (rc == -EBADMSG) {
		ep_http_fail(x, 400, "invalid_argument", "X-Scope-OrgID: %s", err.text);
	} else if (rc == -E2BIG) {
		ep_http_fail(x, 429, "resource_exhausted", "%s", err.text);
	} else if (rc == -ENOMEM) {
		ep_http_fail(x, 503, "unavailable", "%s", err.text);
	} else if (ep_slice_is(x->path, "/")) {
		ep_api_sign_in_page(x, 401, "This server asks for a token.");
	} else {
		ep_http_fail(x, 401, "unauthenticated", "%s", err.text);
		ep_http_set_header(x, "WWW-Authenticate", "Bearer realm=\"everprof\"");
	}
	return false;
}

static bool is_push(const struct ep_http *x)
{
	return (x->route->access & EP_ROLE_ADMIN) == EP_ROLE_WRITE;
}

/* Before the body is read: who is over a rate costs others nothing. */
static bool check_rate(struct ep_http *x)
{
	struct ep_err err = {0};
	uint64_t retry_s = 1;
	if (!is_push(x) || ep_meter_admit(x->tenant, ep_clock_mono_ns(), ep_clock_wall_ns(),
					  &retry_s, &err) >= 0)
		return true;
	ep_http_fail(x, 429, "resource_exhausted", "%s", err.text);
	char *text = ep_arena_alloc(x->arena, 24);
	if (text) {
		(void)snprintf(text, 24, "%llu", (unsigned long long)retry_s);
		ep_http_set_header(x, "Retry-After", text);
	}
	return false;
}

bool ep_guard_admit(void *guard, struct ep_http *x)
{
	struct ep_guard *g = guard;
	set_security_headers(x);
	if (check_host(g, x) && check_origin(x) && find_route(g, x) && check_token(g, x) &&
	    check_rate(x))
		return true;
	ep_http_set_header(x, "Cache-Control", "no-store");
	atomic_fetch_add(&g->by_class[x->status / 100 % 6], 1);
	return false;
}

/* --- after ------------------------------------------------------------------------- */

static bool is_text(const char *type)
{
	return type && (!strncmp(type, "text/", 5) || !strncmp(type, "application/j", 13) ||
			!strncmp(type, "application/proto", 17) || !strncmp(type, "image/svg", 9));
}

/* A file of the page (out_static) comes packed already. */
static void pack(struct ep_http *x)
{
	if (x->out_static || x->out.len < MIN_GZIP || !is_text(x->content_type))
		return;
	ep_http_set_header(x, "Vary", "Accept-Encoding");
	if (!ep_http_takes_gzip(x))
		return;
	struct ep_buf packed;
	ep_buf_init(&packed, x->out.len);
	if (ep_gzip_pack(x->out.data, x->out.len, EP_GZIP_FAST, &packed, NULL) < 0) {
		ep_buf_fini(&packed); /* larger than plain: sent plain */
		return;
	}
	ep_buf_fini(&x->out);
	x->out = packed;
	ep_http_set_header(x, "Content-Encoding", "gzip");
}

static bool has_reply_header(const struct ep_http *x, const char *name)
{
	for (uint32_t i = 0; i < x->n_reply_headers; i++)
		if (!strcmp(x->reply_headers[i].name, name))
			return true;
	return false;
}

static bool open_rooms(struct ep_guard *g, struct ep_http *x)
{
	struct ep_err err = {0};
	int rc = x->tenant ? ep_rooms_open(g->rooms, x->tenant, &err) : 0;
	if (rc >= 0)
		return true;
	ep_log_error("tenant %s: %s", x->tenant->name, err.text);
	ep_http_fail(x, rc == -ENOSPC ? 507 : rc == -EAGAIN ? 503 : 500, "unavailable",
		     "the store of tenant %s can't be opened", x->tenant->name);
	return false;
}

static void note_admin(struct ep_guard *g, const struct ep_http *x)
{
	char what[200];
	int n = x->path.n > 150 ? 150 : (int)x->path.n;
	(void)snprintf(what, sizeof(what), "%.*s %.*s: %d", (int)(x->method.n > 10 ? 10 : x->method.n),
		       x->method.p, n, x->path.p, x->status);
	struct ep_audit_event e = {.action = "request",
				   .ok = x->status < 400,
				   .tenant = x->tenant->name,
				   .token = x->token,
				   .peer = x->peer,
				   .detail = what};
	(void)ep_audit(g->audit, &e); /* it logs what it can't write */
}

void ep_guard_handle(void *guard, struct ep_http *x)
{
	struct ep_guard *g = guard;
	if (x->route->access && is_push(x))
		ep_meter_charge(x->tenant, x->body.n, ep_clock_mono_ns(), ep_clock_wall_ns());
	if (open_rooms(g, x))
		x->route->handle(x->room, x);
	if ((x->route->access & EP_ROLE_ADMIN) == EP_ROLE_ADMIN)
		note_admin(g, x);
	if (!has_reply_header(x, "Cache-Control"))
		ep_http_set_header(x, "Cache-Control", "no-store");
	if (!x->grpc_status)
		pack(x);
	atomic_fetch_add(&g->by_class[x->status / 100 % 6], 1);
}
