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
	const char *tls_cert, *tls_key, *tls_ca; /* PEM files; NULL or "": none */
	const char *token_file;	 /* Bearer token for everprof's own endpoints; NULL: none */
};

/* Loads and checks nothing yet.  The strings are copied.  -ENOMEM. */
int ep_fetch_new(const struct ep_fetch_options *o, struct ep_fetch **ret_f, struct ep_err *err);
void ep_fetch_free(struct ep_fetch *f);
EP_DEFINE_AUTO(ep_fetch);

struct ep_fetch_request {
	/* http://, https://, https+insecure:// (no certificate is checked), or
	 * unix:SOCKET:/PATH */
	const char *url;
	struct ep_slice body;	/* POST when `post`, else not read */
	bool post;
	uint64_t timeout_ns;	/* until the head of the answer is there; 0: none */
	size_t max_bytes;	/* of the answer, unpacked; 0: 1 GiB */
};

/*
 * ep_fetch_url - the body of a 200 answer, appended to out.
 *
 * Follows ten redirects, uses the proxies of the environment (never for loopback), and
 * gives up when a body stands still for a minute.
 *
 * errors   -ECONNREFUSED nobody there, or no such host; -ETIMEDOUT, -EACCES (401, 403),
 *          -ENOENT (404), -EIO any other answer: "server response: STATUS", with the
 *          server's own words behind " - " when it sent X-Go-Pprof; -EINVAL the URL or
 *          the TLS files; -E2BIG; -ENOTSUP without libcurl; -ENOMEM
 * threads  any thread, many at once with one object
 */
int ep_fetch_url(const struct ep_fetch *f, const struct ep_fetch_request *rq,
		 struct ep_buf *out, struct ep_err *err);

/*
 * ep_fetch_file - a whole file, or standard input for "-", appended to out.
 *
 * in       max_bytes  0: 4 GiB
 * errors   -ENOENT, -EACCES, -EIO "open PATH: no such file or directory"; -E2BIG, -ENOMEM
 */
int ep_fetch_file(const char *path, size_t max_bytes, struct ep_buf *out, struct ep_err *err);

#endif
