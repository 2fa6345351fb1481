/*
 * debugparse.h - one HTTP/1 request in a buffer, for the library's own listener.
 *
 * Strict and small: what a browser, curl and Go send, and nothing else.
 * Source: RFC 9112.
 */
#ifndef EP_INPROC_DEBUGPARSE_H
#define EP_INPROC_DEBUGPARSE_H

#include <stddef.h>

enum {
	EP_DEBUGPARSE_HEAD = 8192, /* bytes of a request without its body */
	EP_DEBUGPARSE_BODY = 65536,
};

struct ep_debugparse {
	/* Into the buffer, which is cut up by NULs. */
	char *method, *path, *query;
	char *host, *authorization, *accept; /* NULL: not sent */
	size_t n_body;			     /* Content-Length */
};

/*
 * ep_debugparse - read a head.
 *
 * in       text   n bytes; changed on success
 * returns  bytes of the head; 0: not all there yet; -400, -413, -431, -505: refuse it
 */
int ep_debugparse(char *text, size_t n, struct ep_debugparse *ret);

#endif
