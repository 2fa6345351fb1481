/*
 * http1.h - HTTP/1.1 as bytes: the head of a request, chunks, the head of a response.
 *
 * Strict where tolerance lets two readers disagree (request smuggling): no bare
 * LF, no folded lines, no space around a header's name, one length and not two,
 * no encoding but chunked.  No sockets here.
 * Source: RFC 9110, RFC 9112.
 */
#ifndef EP_NET_HTTP1_H
#define EP_NET_HTTP1_H

#include "net/http.h"

enum {
	EP_HTTP1_MAX_LINE = 16 << 10, /* request line; names with many labels are long */
	EP_HTTP1_MAX_HEAD = 32 << 10, /* request line and headers */
};

enum ep_http1_body { EP_HTTP1_NO_BODY, EP_HTTP1_LENGTH, EP_HTTP1_CHUNKED };

struct ep_http1_head {
	enum ep_http1_body body;
	uint64_t n_body; /* of EP_HTTP1_LENGTH */
	bool keep_alive;
	bool expects_continue;
};

/*
 * ep_http1_parse_head - read a request line and its headers, whole.
 *
 * in       p, n      from the first byte of the request on
 * out      x         method, path, query, host, headers: copied into x->arena
 * returns  bytes of the head; 0 when it is not whole yet
 * errors   -EBADMSG  status 400
 *          -E2BIG    status 414 or 431
 *          -ENOTSUP  status 501 (a transfer encoding), 505 (a version), 417
 *          -ENOMEM   status 503
 *          *ret_status holds the status, err the sentence
 * threads  any thread
 */
int ep_http1_parse_head(const char *p, size_t n, struct ep_http *x,
			struct ep_http1_head *ret_head, int *ret_status, struct ep_err *err);

/* The reader of a chunked body; all zero is the start. */
struct ep_http1_chunks {
	uint64_t left;  /* of the current chunk */
	int state;
	unsigned n_line;    /* bytes of the current size line or trailer line */
	unsigned n_trailer; /* bytes of trailers in all */
};

/*
 * ep_http1_read_chunks - take what is there of a chunked body.
 *
 * in       p, n
 * out      out       the content is appended
 *          ret_used  bytes taken of p; trailers are read and dropped
 * returns  1 at the end of the body, 0 when more is needed
 * errors   -EBADMSG malformed; -E2BIG the buffer's maximum, a line or trailers
 */
int ep_http1_read_chunks(struct ep_http1_chunks *c, const char *p, size_t n,
			 struct ep_buf *out, size_t *ret_used, struct ep_err *err);

/* The status line and headers of x's response, with the length of its body. */
void ep_http1_format_head(const struct ep_http *x, size_t n_body, bool keep_alive,
			  struct ep_buf *out);

#endif
