/*
 * knock.h - one GET to a process of this machine, to see who is answered and how soon.
 *
 * Not a client for data (that is fetch): it takes plain HTTP/1.1 over TCP or a Unix
 * socket, follows nothing, and may be left in the middle of an answer.
 */
#ifndef EP_PROOF_KNOCK_H
#define EP_PROOF_KNOCK_H

#include "base/buf.h"

#include <stdbool.h>
#include <sys/socket.h>

struct ep_knock_address {
	struct sockaddr_storage sa;
	socklen_t n;
	char text[160]; /* "127.0.0.1:6060", "unix:/run/shop.sock" */
};

/* Is it an address of this machine alone?  A Unix socket is. */
bool ep_knock_is_loopback(const struct ep_knock_address *a);
/* 0.0.0.0 or [::]. */
bool ep_knock_is_any(const struct ep_knock_address *a);
/* Its text, from sa. */
void ep_knock_name(struct ep_knock_address *a);
/* The same port at an address of this machine that is not loopback; false: it has none. */
bool ep_knock_elsewhere(const struct ep_knock_address *a, struct ep_knock_address *ret);

/*
 * ep_knock_ask - send a GET.
 *
 * in       token  Bearer; NULL: none
 * returns  a descriptor, for ep_knock_answer() and close(); -ECONNREFUSED, -ETIMEDOUT, -EIO
 */
int ep_knock_ask(const struct ep_knock_address *a, const char *path, const char *token);
/*
 * ep_knock_answer - wait for the whole answer.
 *
 * out      body  what came behind the head; at most the buffer's maximum
 * returns  its status; -ETIMEDOUT: not within so long; -EBADMSG: no HTTP; -EIO
 */
int ep_knock_answer(int fd, int timeout_ms, struct ep_buf *body);
/* Both.  body may be NULL. */
int ep_knock_get(const struct ep_knock_address *a, const char *path, const char *token,
		 struct ep_buf *body);

#endif
