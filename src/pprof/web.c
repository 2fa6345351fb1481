/*
 * web.c - see web.h: the address, who may ask, and which function answers.
 *
 * On a loopback address only this machine's own programs may ask, and only under a
 * name of this machine: a stranger's page could make the browser ask under its own
 * (DNS rebinding).
 */
#include "pprof/web.h"

#include "api/api.h"
#include "codec/gzip.h"
#include "net/addr.h"
#include "net/serve.h"
#include "pprof/ui.h"
#include "pprof/viewer.h"
#include "pprof/webroom.h"

#include <ctype.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { N_WORKERS = 2, MIN_GZIP = 1024 };

/* --- pages and ways to them ----------------------------------------------------------- */

/* Elsewhere on this page, with the query that came, or `otherwise`. */
static void redirect(struct ep_http *x, int status, const char *to, const char *otherwise)
{
	size_t n = strlen(to) + x->query.n + strlen(otherwise) + 2;
	char *url = ep_arena_alloc(x->arena, n);
	if (!url)
		return;
	if (x->query.n)
		(void)snprintf(url, n, "%s?%.*s", to, EP_SLICE_ARG(x->query));
	else
		(void)snprintf(url, n, "%s%s", to, otherwise);
	x->status = status;
	ep_http_set_header(x, "Location", url);
}

/* The first view; without a query, what the flags ask for. */
static void answer_begin(void *room, struct ep_http *x)
{
	ep_auto_buf flags;
	ep_buf_init(&flags, 1 << 20);
	ep_webvars_query(room, &flags);
	redirect(x, 302, "/ui/flamegraph", ep_buf_cstr(&flags));
}

static void answer_flamegraph(void *room, struct ep_http *x)
{
	(void)room;
	redirect(x, 301, "flamegraph", "");
}

static void answer_page(void *room, struct ep_http *x)
{
	(void)room;
	ep_api_file(x, ep_slice_of("/"));
}

static const char *const views[] = {"flamegraph", "top", "tree", "changes", "graph", "peek", "source", "disasm"};

/* A file of the page, or a view without the /ui before it. */
static void answer_other(void *room, struct ep_http *x)
{
	char to[40];
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		if (x->path.n && ep_slice_is((struct ep_slice){x->path.p + 1, x->path.n - 1},
					     views[i])) {
			(void)snprintf(to, sizeof(to), "/ui/%s", views[i]);
			redirect(x, 307, to, "");
			return;
		}
	if (memchr(x->path.p, '.', x->path.n))
		ep_api_file(x, x->path);
	else
		answer_begin(room, x);
}

static const struct ep_route routes[] = {
	{"GET", "/api/v1/pprof/info", ep_webapi_info, 0},
	{"GET", "/api/v1/pprof/flamegraph", ep_webapi_flamegraph, 0},
	{"GET", "/api/v1/pprof/top", ep_webapi_top, 0},
	{"GET", "/api/v1/pprof/report", ep_webapi_report, 0},
	{"GET", "/api/v1/pprof/tags", ep_webtags_get, 0},
	{"GET", "/ui/download", ep_webapi_download, 0},
	{"GET", "/download", ep_webapi_download, 0},
	{"POST", "/ui/saveconfig", ep_websettings_save, 0},
	{"POST", "/saveconfig", ep_websettings_save, 0},
	{"DELETE", "/ui/deleteconfig", ep_websettings_delete, 0},
	{"DELETE", "/deleteconfig", ep_websettings_delete, 0},
	{"GET", "/ui/flamegraph", answer_page, 0},
	{"GET", "/ui/top", answer_page, 0},
	{"GET", "/ui/tree", answer_page, 0},
	{"GET", "/ui/changes", answer_page, 0},
	{"GET", "/ui/graph", answer_page, 0},
	{"GET", "/ui/peek", answer_page, 0},
	{"GET", "/ui/source", answer_page, 0},
	{"GET", "/ui/disasm", answer_page, 0},
	{"GET", "/ui/flamegraph2", answer_flamegraph, 0},
	{"GET", "/ui/flamegraphold", answer_flamegraph, 0},
	{"GET", "/*", answer_other, 0},
};

/* --- who may ask ------------------------------------------------------------------------ */

static void set_security_headers(struct ep_http *x)
{
	ep_http_set_header(x, "X-Content-Type-Options", "nosniff");
	ep_http_set_header(x, "Referrer-Policy", "no-referrer");
	ep_http_set_header(x, "X-Frame-Options", "DENY");
	ep_http_set_header(x, "Cross-Origin-Resource-Policy", "same-origin");
	ep_http_set_header(x, "Content-Security-Policy",
			   "default-src 'none'; script-src 'self'; style-src 'self'; "
			   "img-src 'self' data:; connect-src 'self'; form-action 'self'; "
			   "base-uri 'none'; frame-ancestors 'none'");
}

/* A request that a page makes must come from this page. */
static bool is_own_origin(const struct ep_http *x)
{
	struct ep_slice origin = ep_http_header(x, "origin");
	static const char scheme[] = "http://";
	size_t n = sizeof(scheme) - 1;
	return !origin.p || (origin.n == n + x->host.n && !memcmp(origin.p, scheme, n) &&
			     !strncasecmp(origin.p + n, x->host.p, x->host.n));
}

static bool is_own_host(const struct ep_http *x)
{
	return !x->host.p || ep_addr_is_loopback_name(ep_addr_host(x->host));
}

static bool admit(void *room, struct ep_http *x)
{
	const struct ep_web *w = room;
	const struct ep_route_table table = {routes, sizeof(routes) / sizeof(routes[0]), room};
	int status = 404;
	const char *allow = NULL;
	set_security_headers(x);
	if ((w->is_local && (!x->is_loopback_peer || !is_own_host(x))) || !is_own_origin(x)) {
		ep_http_text(x, 403, "permission denied\n");
		return false;
	}
	x->route = ep_route_find(&table, 1, x, &x->room, &status, &allow);
	if (x->route)
		return true;
	if (allow)
		ep_http_set_header(x, "Allow", allow);
	ep_http_fail(x, status, status == 405 ? "unimplemented" : "not_found",
		     status == 405 ? "this route takes another method" : "no such route");
	return false;
}

/* Over a wire it pays; within a machine it does not. */
static void pack(struct ep_http *x)
{
	struct ep_buf packed;
	if (x->is_loopback_peer || x->out_static || x->out.len < MIN_GZIP ||
	    !x->content_type || strncmp(x->content_type, "application/json", 16) != 0 ||
	    !ep_http_takes_gzip(x))
		return;
	ep_buf_init(&packed, x->out.len);
	if (ep_gzip_pack(x->out.data, x->out.len, EP_GZIP_FAST, &packed, NULL) < 0) {
		ep_buf_fini(&packed);
		return;
	}
	ep_buf_fini(&x->out);
	x->out = packed;
	ep_http_set_header(x, "Content-Encoding", "gzip");
}

static void handle(void *room, struct ep_http *x)
{
	(void)room;
	x->route->handle(x->room, x);
	pack(x);
	for (uint32_t i = 0; i < x->n_reply_headers; i++)
		if (!strcmp(x->reply_headers[i].name, "Cache-Control"))
			return;
	ep_http_set_header(x, "Cache-Control", "no-store");
}

/* --- the address ------------------------------------------------------------------------ */

struct place {
	char host[256]; /* without brackets */
	unsigned port;	/* 0: any */
};

static int parse_port(const char *text, unsigned *ret, struct ep_err *err)
{
	char *end;
	errno = 0;
	long port = strtol(text, &end, 10);
	if (*end || end == text || isspace((unsigned char)*text))
		return ep_fail(err, -EINVAL, 0,
			       "invalid port number: strconv.Atoi: parsing \"%s\": invalid syntax",
			       text);
	if (errno || port < 0 || port > 65535)
		return ep_fail(err, -EINVAL, 0, "listen tcp: address %s: invalid port", text);
	*ret = (unsigned)port;
	return 0;
}

static int split(const char *hostport, struct place *p, struct ep_err *err)
{
	const char *colon = strrchr(hostport, ':');
	bool is_v6 = hostport[0] == '[';
	if (!colon || (is_v6 && colon[-1] != ']'))
		return ep_fail(err, -EINVAL, 0,
			       "could not split http address: address %s: missing port in address",
			       hostport);
	size_t n = (size_t)(colon - hostport);
	const char *host = hostport;
	if (is_v6) {
		host++;
		n -= 2;
	} else if (memchr(host, ':', n)) {
		return ep_fail(err, -EINVAL, 0,
			       "could not split http address: address %s: too many colons in "
			       "address",
			       hostport);
	}
	if (n >= sizeof(p->host))
		return ep_fail(err, -EINVAL, 0, "the host's name is too long");
	(void)snprintf(p->host, sizeof(p->host), "%.*s", (int)n, host);
	if (!n)
		(void)snprintf(p->host, sizeof(p->host), "localhost");
	p->port = 0;
	return colon[1] ? parse_port(colon + 1, &p->port, err) : 0;
}

/* A name to an address, since the loop listens on addresses. */
static int find_address(const struct place *p, char *ret, size_t size, struct ep_err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
	char host[NI_MAXHOST];
	int rc = getaddrinfo(strcasecmp(p->host, "localhost") ? p->host : "127.0.0.1", NULL, &hints,
			     &found);
	if (rc)
		return ep_fail(err, -EINVAL, 0, "listen tcp: lookup %s: %s", p->host,
			       gai_strerror(rc));
	rc = getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof(host), NULL, 0,
			 NI_NUMERICHOST);
	(void)snprintf(ret, size, found->ai_family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, p->port);
	freeaddrinfo(found);
	return rc ? ep_fail(err, -EINVAL, 0, "listen tcp: %s: %s", p->host, gai_strerror(rc)) : 0;
}

/* The names that the reference serves to this machine alone. */
static bool is_local(const char *host)
{
	return !strcmp(host, "localhost") || !strcmp(host, "127.0.0.1") || !strcmp(host, "::1");
}

/* --- the browser ------------------------------------------------------------------------ */

static void *open_browser(void *url)
{
	struct ep_err err = {0};
	/* The socket listens already: what comes early waits there. */
	if (ep_viewer_show(EP_VIEWER_BROWSER, url, false, &err) < 0)
		ep_ui_error(url);
	return NULL;
}

static void start_browser(const struct ep_web *w, const char *url, struct ep_buf *with_flags)
{
	pthread_t thread;
	ep_buf_add_str(with_flags, url);
	ep_webvars_query(w, with_flags);
	if (pthread_create(&thread, NULL, open_browser, (void *)ep_buf_cstr(with_flags)) == 0)
		(void)pthread_detach(thread);
}

/* --- the whole -------------------------------------------------------------------------- */

static void find_settings(struct ep_web *w)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	const char *folder = xdg && xdg[0] == '/' ? xdg : home;
	if (folder && *folder)
		(void)snprintf(w->settings_path, sizeof(w->settings_path),
			       "%s%s/pprof/settings.json", folder, folder == xdg ? "" : "/.config");
}

static int serve(struct ep_web *w, const struct place *p, bool no_browser, struct ep_err *err)
{
	ep_auto(ep_serve) serve = NULL;
	ep_auto_buf browser;
	char listen[NI_MAXHOST + 16], url[320];
	ep_buf_init(&browser, 1 << 20);
	EP_TRY(find_address(p, listen, sizeof(listen), err));
	const struct ep_serve_config config = {.listen = listen, .admit = admit, .handle = handle,
					       .room = w, .n_workers = N_WORKERS,
					       .max_body_bytes = 1 << 20};
	struct ep_err why = {0};
	int rc = ep_serve_new(&config, &serve, &why);
	if (rc == -EEXIST || rc == -EACCES) /* the server's words name the server's flags */
		return ep_fail(err, rc, 0, "listen tcp %s: bind: %s", listen,
			       rc == -EEXIST ? "address already in use" : "permission denied");
	if (rc < 0)
		return ep_fail(err, rc, 0, "%s", why.text);
	const char *colon = strrchr(ep_serve_address(serve), ':');
	(void)snprintf(url, sizeof(url), strchr(p->host, ':') ? "http://[%s]%s" : "http://%s%s",
		       p->host, colon);
	ep_note(&w->session->notes, "Serving web UI on %s", url);
	if (!no_browser)
		start_browser(w, url, &browser);
	rc = ep_serve_run(serve);
	return rc < 0 ? ep_fail(err, rc, 0, "the event loop failed") : 0;
}

int ep_web_run(const struct ep_session *s, const char *hostport, bool no_browser,
	       struct ep_err *err)
{
	struct ep_web w = {.session = s,
			   .objects_lock = PTHREAD_MUTEX_INITIALIZER,
			   .settings_lock = PTHREAD_MUTEX_INITIALIZER};
	struct place p;
	EP_TRY(split(hostport, &p, err));
	w.host = p.host;
	w.is_local = is_local(p.host);
	find_settings(&w);
	(void)signal(SIGPIPE, SIG_IGN); /* a browser may close any time */
	return serve(&w, &p, no_browser, err);
}
