/*
 * exchange.h - one HTTP/1.1 request and its answer, plain or over TLS.
 *
 * A client for one purpose: push to a server from inside somebody else's process.
 * One connection an exchange, a deadline on all of it, descriptors of 10 and up
 * that close on exec, no signal ever raised.  No redirects.
 */
#ifndef EP_PUSH_EXCHANGE_H
#define EP_PUSH_EXCHANGE_H

#include "base/buf.h"
#include "base/err.h"
#include "push/https.h"
#include "push/url.h"

#include <stddef.h>
#include <stdint.h>

struct ep_exchange {
	const struct ep_url *url;
	struct ep_https *tls; /* whom to trust, for https; NULL: plain */
	const char *method;
	const char *path;	  /* behind the prefix; with its query, encoded */
	const char *content_type; /* NULL: none */
	const char *headers;	  /* more header lines, each with \r\n; or NULL */
	const void *body;
	size_t n_body;
	uint64_t deadline_ns; /* of CLOCK_MONOTONIC, for everything */
	int (*idle)(void *arg); /* as in push.h; may be NULL */
	void *idle_arg;
};

struct ep_answer {
	int status;
	unsigned retry_after_s; /* 0: not said */
};

/*
 * ep_exchange_run - send, and read the answer.
 *
 * out      ret_body  the answer's body; what passes the buffer's maximum is an error
 * errors   -ECONNREFUSED  nobody there, or no such host
 *          -ETIMEDOUT     the deadline passed
 *          -EIO           the connection broke
 *          -EBADMSG       the answer is not HTTP/1
 *          -E2BIG         its head or body is too long
 *          -EACCES        its certificate is refused
 *          -ENOTSUP       https, and there is no OpenSSL 3 here
 * threads  any thread; not signal-safe.  A host name that is not a number is
 *          looked up with getaddrinfo(), which has time limits of its own.
 */
int ep_exchange_run(const struct ep_exchange *x, struct ep_answer *ret_answer,
		    struct ep_buf *ret_body, struct ep_err *err);

#endif
