/*
 * http.h - one request and its response, whatever the protocol version.
 *
 * The loop (serve.h) fills a struct ep_http with a complete request, a worker
 * thread calls the handler, and the loop writes what the handler left behind.
 * Handlers never see a socket.
 */
#ifndef EP_NET_HTTP_H
#define EP_NET_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { EP_HTTP_LANES = 2, EP_HTTP_MAX_HEADERS = 100, EP_HTTP_MAX_REPLY_HEADERS = 16 };

struct ep_http_header {
	struct ep_slice name; /* lower case in a request */
	struct ep_slice value;
};

struct ep_http_reply_header {
	const char *name;
	const char *value; /* both outlive the response: literals, or in the arena */
};

struct ep_route;
struct ep_tenant;

struct ep_http {
	struct ep_arena *arena; /* of this exchange; freed after the response is sent */

	/* the request; slices live as long as the exchange */
	struct ep_slice method;
	struct ep_slice path;  /* decoded, starts with '/', holds no NUL */
	struct ep_slice query; /* as sent, without '?' */
	struct ep_slice host;  /* Host or :authority, as sent; empty when absent */
	struct ep_http_header headers[EP_HTTP_MAX_HEADERS];
	uint32_t n_headers;
	struct ep_slice body;  /* whole; chunks joined, Content-Encoding still on */
	bool is_http2;
	bool is_tls;
	bool is_loopback_peer;

	/* what answers: set by the guard before a worker takes over */
	const struct ep_route *route;
	void *room;
	unsigned lane; /* of the workers: below EP_HTTP_LANES; one lane never waits for another */
	/* who asks: set by the guard before a handler of a room runs (tenant/tenant.h) */
	struct ep_tenant *tenant;
	bool is_bound;    /* to that tenant by the token: nothing of the whole server is for it */
	char token[9];    /* its id; "" without one */
	const char *peer; /* numeric address of the client */

	/* the response; status 0 means the handler said nothing: 500 */
	int status;
	const char *content_type; /* NULL: none is sent */
	struct ep_http_reply_header reply_headers[EP_HTTP_MAX_REPLY_HEADERS];
	uint32_t n_reply_headers;
	struct ep_buf out;            /* the body, or … */
	const void *out_static;       /* … bytes that outlive the server */
	size_t n_out_static;
	/* gRPC: sent as trailers on HTTP/2; NULL for everything else */
	const char *grpc_status, *grpc_message;
};

/* Whoever answers: fills the response.  Runs on a worker thread, may block. */
typedef void (*ep_http_handler)(void *room, struct ep_http *x);

/* The value of a request header (name in lower case); {NULL,0} when absent. */
struct ep_slice ep_http_header(const struct ep_http *x, const char *name);

/*
 * ep_http_param - the n-th query parameter of this name, decoded (%XX and '+').
 *
 * out      an arena copy with a NUL behind it; NULL when there is none, or when
 *          memory is short
 */
const char *ep_http_param(struct ep_http *x, const char *name, unsigned nth);

/* Decode %XX (and '+' as a space) into the arena; p is NULL on a bad escape,
 * an encoded NUL, or when memory is short. */
struct ep_slice ep_http_unescape(struct ep_arena *a, struct ep_slice s, bool plus_is_space);

/* May the body be sent with Content-Encoding: gzip? */
bool ep_http_takes_gzip(const struct ep_http *x);

/* Answer with this text and type.  printf-like; the body replaces what is there. */
void ep_http_text(struct ep_http *x, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * ep_http_fail - answer with an error in the one form all of our APIs share:
 * {"code":"invalid_argument","message":"…","error":"…"}; code is a Connect code.
 */
void ep_http_fail(struct ep_http *x, int status, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void ep_http_set_header(struct ep_http *x, const char *name, const char *value);
/* "Not Found" for 404, … */
const char *ep_http_reason(int status);

#endif
