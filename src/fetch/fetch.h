/*
 * fetch.h - bytes from a URL or a path.
 *
 * HTTP and HTTPS by libcurl, which is loaded at the first URL and not before, so that
 * commands on local files start at once and need no network library.
 */
#ifndef EP_FETCH_FETCH_H
#define EP_FETCH_FETCH_H

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"

struct ep_fetch;

struct ep_fetch_options {
	const char *tls_cert, *tls_key, *tls_ca; /* PEM files; NULL: none */
	const char *token_file;	 /* Bearer token for everprof's own endpoints; NULL: none */
};

/* Loads nothing yet.  One thread at a time per object. */
int ep_fetch_new(const struct ep_fetch_options *o, struct ep_fetch **ret_f, struct ep_err *err);
void ep_fetch_free(struct ep_fetch *f);
EP_DEFINE_AUTO(ep_fetch);

struct ep_fetch_request {
	const char *url;	/* http, https, https+insecure, unix */
	struct ep_slice body;	/* POST when `post`, else not read */
	bool post;
	uint64_t timeout_ns;	/* of the whole; 0: none */
	size_t max_bytes;	/* of the answer; 0: 1 GiB */
};

/*
 * ep_fetch_url - the body of a 200 answer.
 *
 * errors   -ECONNREFUSED nobody there, -ETIMEDOUT, -EACCES (401, 403), -ENOENT (404),
 *          -EIO any other answer: "server response: STATUS", with the server's own
 *          words behind " - " when it sent X-Go-Pprof; -E2BIG; -ENOTSUP without libcurl
 */
int ep_fetch_url(struct ep_fetch *f, const struct ep_fetch_request *rq, struct ep_buf *out,
		 struct ep_err *err);

/* A whole file, or standard input for "-".  max_bytes 0: 4 GiB. */
int ep_fetch_file(const char *path, size_t max_bytes, struct ep_buf *out, struct ep_err *err);

#endif
