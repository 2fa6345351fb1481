/*
 * debugroutes.c - the answers of /debug/pprof, as Go's net/http/pprof gives them.
 *
 * Says nothing of how a request came in; the listener (debughttp.c), or the program's
 * own server, is in front.
 */
#include "inproc/debugroutes.h"

#include "base/clock.h"
#include "inproc/capture.h"
#include "inproc/debugindex.h"
#include "inproc/debugsymbol.h"
#include "inproc/drain.h"
#include "inproc/fd.h"
#include "inproc/registry.h"
#include "inproc/snapshot.h"
#include "inproc/start.h"
#include "inproc/tokens.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DEFAULT_PROFILE_S = 30, LOOK_MS = 100, MAX_ANSWER_HEADERS = 12 };
#define MAX_BYTES ((size_t)256 << 20)
#define DEFAULT_WALL_S "10" /* of what is on for a request only */

static struct ep_debugroutes_limits limits = {.profile_s = 60, .trace_s = 10};
static _Atomic bool capturing;

void ep_debugroutes_limit(const struct ep_debugroutes_limits *l)
{
	limits = *l;
}

/* ---- the request ----------------------------------------------------------------------- */

/* A query parameter's value, "" when it is not there; cut at 31 bytes. */
static const char *parameter(const char *query, const char *name, char ret[32])
{
	size_t n = strlen(name);
	ret[0] = '\0';
	for (const char *p = query ? query : ""; *p; p += *p == '&') {
		size_t k = strcspn(p, "&");
		if (k > n && !strncmp(p, name, n) && p[n] == '=')
			snprintf(ret, 32, "%.*s", (int)(k - n - 1 < 31 ? k - n - 1 : 31), p + n + 1);
		p += k;
	}
	return ret;
}

static bool wants_json(const everprof_http_request *rq)
{
	char format[32];
	return !strcmp(parameter(rq->query, "format", format), "json") ||
	       (rq->accept && strstr(rq->accept, "application/json"));
}

/* ---- the answer ------------------------------------------------------------------------- */

static int answer(const everprof_http_writer *w, int status, const char *const *more,
		  const void *body, size_t n)
{
	const char *headers[MAX_ANSWER_HEADERS + 1] = {"X-Content-Type-Options", "nosniff",
						       "Cache-Control", "no-store"};
	int k = 4;
	for (int i = 0; more && more[i] && k < MAX_ANSWER_HEADERS; i++)
		headers[k++] = more[i];
	headers[k] = NULL;
	int rc = w->head(w->ctx, status, headers, n);
	return rc < 0 ? rc : n ? w->write(w->ctx, body, n) : 0;
}

/* Text that `go tool pprof` shows its user. */
static int refuse(const everprof_http_writer *w, int status, const char *const *more,
		  const char *sentence)
{
	const char *headers[9] = {"Content-Type", "text/plain; charset=utf-8", "X-Go-Pprof", "1"};
	char text[256];
	for (int i = 0; more && more[i] && i < 4; i++)
		headers[4 + i] = more[i];
	int n = snprintf(text, sizeof(text), "%s\n", sentence);
	return answer(w, status, headers, text, (size_t)n);
}

static int say(const everprof_http_writer *w, const char *type, const struct ep_buf *b)
{
	const char *const headers[] = {"Content-Type", type, NULL};
	if (ep_buf_failed(b))
		return refuse(w, 500, NULL, "out of memory");
	return answer(w, 200, headers, b->data, b->len);
}

static int hand_over(const everprof_http_writer *w, const char *name, const struct ep_buf *b)
{
	char disposition[128];
	snprintf(disposition, sizeof(disposition), "attachment; filename=\"%s\"", name);
	const char *const headers[] = {"Content-Type", "application/octet-stream",
				       "Content-Disposition", disposition, NULL};
	return answer(w, 200, headers, b->data, b->len);
}

/* ---- captures ------------------------------------------------------------------------------ */

/* false when the client has gone. */
static bool wait_seconds(const everprof_http_writer *w, unsigned seconds)
{
	uint64_t end = ep_clock_mono_ns() + seconds * EP_NS_PER_S;
	const struct timespec look = {0, LOOK_MS * 1000000L};
	while (ep_clock_mono_ns() < end) {
		if (w->gone && w->gone(w->ctx))
			return false;
		(void)nanosleep(&look, NULL); /* cut short by a signal: the clock decides */
	}
	return true;
}

static bool begin_capture(const everprof_http_writer *w, int *ret_rc)
{
	static const char *const later[] = {"Retry-After", "10", NULL};
	if (!atomic_exchange(&capturing, true))
		return true;
	*ret_rc = refuse(w, 429, later,
			 "another capture is running; only one at a time, try again later");
	return false;
}

static int send_batch(const everprof_http_writer *w, const char *name, struct ep_batch *b)
{
	ep_auto_buf bytes;
	ep_buf_init(&bytes, MAX_BYTES);
	int rc = ep_batch_write(b, true, &bytes);
	ep_batch_fini(b);
	return rc < 0 ? refuse(w, 500, NULL, "failed to collect profile")
		      : hand_over(w, name, &bytes);
}

static int profile(const everprof_http_request *rq, const everprof_http_writer *w)
{
	struct ep_batch b;
	char text[32];
	long seconds = strtol(parameter(rq->query, "seconds", text), NULL, 10);
	if (seconds <= 0)
		seconds = DEFAULT_PROFILE_S;
	if (seconds > (long)limits.profile_s)
		seconds = (long)limits.profile_s;
	int rc = ep_start_engine();
	if (rc == 0)
		rc = ep_capture_begin(EP_CAPTURE_HTTP);
	if (rc < 0)
		return refuse(w, 500, NULL,
			      rc == -EBUSY ? "Could not enable CPU profiling: cpu profiling already "
					     "in use, or this program has a SIGPROF handler of its own"
					   : "Could not enable CPU profiling: no timer to be had");
	bool there = wait_seconds(w, (unsigned)seconds);
	rc = ep_capture_end(EP_CAPTURE_HTTP, &b);
	if (rc < 0)
		return refuse(w, 500, NULL, "failed to collect profile");
	if (there)
		return send_batch(w, "profile", &b);
	ep_batch_fini(&b);
	return -EPIPE;
}

static bool snapshot(const struct ep_kind *k, struct ep_batch *ret_b)
{
	ep_drain_lock();
	bool ok = k->take(k, EP_KIND_TOTAL, ret_b);
	ep_drain_unlock();
	return ok;
}

static int difference(const struct ep_kind *k, unsigned seconds, const everprof_http_writer *w)
{
	struct ep_batch first, second;
	char name[96];
	bool begun = !k->begin || k->begin() == 0;
	if (!begun || !snapshot(k, &first)) {
		if (begun && k->end)
			k->end();
		return refuse(w, 500, NULL, "failed to collect profile");
	}
	bool there = wait_seconds(w, seconds), ok = there && snapshot(k, &second);
	if (k->end)
		k->end();
	if (!ok) {
		ep_batch_fini(&first);
		return there ? refuse(w, 500, NULL, "failed to collect profile") : -EPIPE;
	}
	ep_batch_subtract(&second, &first);
	ep_batch_fini(&first);
	snprintf(name, sizeof(name), "%s-delta", k->name);
	return send_batch(w, name, &second);
}

/* ---- snapshots ------------------------------------------------------------------------------- */

static int whole(const struct ep_kind *k, enum ep_kind_form form, int debug,
		 const everprof_http_writer *w)
{
	ep_auto_buf bytes;
	ep_buf_init(&bytes, MAX_BYTES);
	if (ep_snapshot(k, form, debug, &bytes) < 0)
		return refuse(w, 500, NULL, "failed to collect profile");
	return debug ? say(w, "text/plain; charset=utf-8", &bytes) : hand_over(w, k->name, &bytes);
}

static int named(const char *name, const everprof_http_request *rq, const everprof_http_writer *w)
{
	const struct ep_kind *k = ep_registry_find(name);
	char text[32], *end;
	if (!k && (!strcmp(name, "mutex") || !strcmp(name, "block")))
		return refuse(w, 404, NULL, "Unknown profile: it is on with mutex,block in EVERPROF_TYPES");
	if (!k)
		return refuse(w, 404, NULL, "Unknown profile");
	int debug = (int)strtol(parameter(rq->query, "debug", text), NULL, 10);
	bool interrupt = !strcmp(parameter(rq->query, "interrupt", text), "1");
	enum ep_kind_form form = interrupt ? EP_KIND_INTERRUPT : EP_KIND_TOTAL;
	if (!*parameter(rq->query, "seconds", text) && k->begin && !debug)
		strcpy(text, DEFAULT_WALL_S);
	if (!*text)
		return whole(k, form, debug, w);
	long seconds = strtol(text, &end, 10);
	if (*end || seconds <= 0)
		return refuse(w, 400, NULL,
			      "invalid value for \"seconds\" - must be a positive integer");
	if (!k->can_delta)
		return refuse(w, 400, NULL,
			      "\"seconds\" parameter is not supported for this profile type");
	if (debug)
		return refuse(w, 400, NULL, "seconds and debug params are incompatible");
	int rc;
	if (!begin_capture(w, &rc))
		return rc;
	rc = difference(k, seconds > (long)limits.profile_s ? limits.profile_s : (unsigned)seconds,
			w);
	atomic_store(&capturing, false);
	return rc;
}

static int index_page(const everprof_http_request *rq, const everprof_http_writer *w)
{
	ep_auto_buf b;
	ep_buf_init(&b, MAX_BYTES);
	if (wants_json(rq)) {
		ep_debugindex_json(&b, limits.profile_s, limits.trace_s);
		return say(w, "application/json", &b);
	}
	ep_debugindex_html(&b);
	const char *const headers[] = {"Content-Type", "text/html; charset=utf-8",
				       "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'",
				       NULL};
	return answer(w, 200, headers, b.data, b.len);
}

static int cmdline(const everprof_http_writer *w)
{
	char text[4096];
	if (!limits.cmdline)
		return refuse(w, 403, NULL,
			      "the command line is not shown; EVERPROF_HTTP_CMDLINE=1 allows it");
	int fd = ep_fd_open("/proc/self/cmdline", O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));
	if (fd >= 0)
		close(fd);
	const char *const headers[] = {"Content-Type", "text/plain; charset=utf-8", NULL};
	return answer(w, 200, headers, text, n > 0 ? (size_t)n - (text[n - 1] == '\0') : 0);
}

static int symbol(const everprof_http_request *rq, const everprof_http_writer *w)
{
	ep_auto_buf b;
	ep_buf_init(&b, MAX_BYTES);
	bool post = !strcmp(rq->method, "POST");
	struct ep_slice addresses = post ? (struct ep_slice){rq->body, rq->n_body}
					 : ep_slice_of(rq->query ? rq->query : "");
	ep_debugsymbol(addresses, &b);
	return say(w, "text/plain; charset=utf-8", &b);
}

/* ---- the door ---------------------------------------------------------------------------------- */

/* "/debug/pprof/heap" and "/heap" and "heap" are "heap". */
static const char *name_of(const char *path)
{
	const char *at = strstr(path, "/debug/pprof");
	if (at)
		path = at + strlen("/debug/pprof");
	return path + (*path == '/');
}

static bool is_loopback(const char *peer)
{
	return peer && (!strncmp(peer, "127.", 4) || !strcmp(peer, "::1") ||
			!strncmp(peer, "::ffff:127.", 11) || !strncmp(peer, "unix", 4));
}

/* 0: may pass; else the answer was given, and *ret_rc is its result. */
static bool may_pass(const everprof_http_request *rq, const everprof_http_writer *w, int *ret_rc)
{
	static const char *const ask[] = {"WWW-Authenticate", "Bearer realm=\"everprof\", Basic "
							      "realm=\"everprof\"",
					  NULL};
	if (ep_tokens_asked()) {
		if (ep_tokens_admit(rq->authorization))
			return true;
		*ret_rc = refuse(w, 401, ask, "a token is needed: Authorization: Bearer TOKEN");
		return false;
	}
	if (is_loopback(rq->peer))
		return true;
	*ret_rc = refuse(w, 403, NULL,
			 "profiles are for this machine only, until EVERPROF_TOKEN_FILE names tokens");
	return false;
}

bool ep_debugroutes_waits(const everprof_http_request *rq)
{
	char text[32];
	const char *name = name_of(rq->path);
	const struct ep_kind *k = ep_registry_find(name);
	return !strcmp(name, "profile") || (k && k->begin) || *parameter(rq->query, "seconds", text);
}

static int route(const char *name, const everprof_http_request *rq, const everprof_http_writer *w)
{
	int rc;
	if (!*name)
		return index_page(rq, w);
	if (!strcmp(name, "symbol"))
		return symbol(rq, w);
	if (!strcmp(name, "cmdline"))
		return cmdline(w);
	if (!strcmp(name, "trace"))
		return refuse(w, 501, NULL, "execution traces are not there yet");
	if (strcmp(name, "profile"))
		return named(name, rq, w);
	if (!begin_capture(w, &rc))
		return rc;
	rc = profile(rq, w);
	atomic_store(&capturing, false);
	return rc;
}

__attribute__((visibility("default"))) int
everprof_http_handle(const everprof_http_request *rq, const everprof_http_writer *w)
{
	static const char *const get_only[] = {"Allow", "GET, HEAD", NULL};
	int saved = errno, rc;
	const char *name = name_of(rq->path);
	bool is_symbol = !strcmp(name, "symbol");
	if (!may_pass(rq, w, &rc))
		;
	else if (strcmp(rq->method, "GET") && strcmp(rq->method, "HEAD") &&
		 !(is_symbol && !strcmp(rq->method, "POST")))
		rc = refuse(w, 405, get_only, "Method Not Allowed");
	else
		rc = route(name, rq, w);
	errno = saved;
	return rc;
}
