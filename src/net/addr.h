/*
 * addr.h - ADDR:PORT as users write it, and which names mean this machine.
 */
#ifndef EP_NET_ADDR_H
#define EP_NET_ADDR_H

#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <sys/socket.h>

struct ep_addr {
	struct sockaddr_storage sa;
	socklen_t n;
	char host[64]; /* the address without brackets */
	unsigned port;
};

/*
 * ep_addr_parse - "127.0.0.1:4040", "[::1]:4040", "localhost:4040", ":4040" (any
 * address), "4040" (loopback).  Names other than localhost are not looked up.
 *
 * errors   -EINVAL with a sentence
 * threads  any thread
 */
int ep_addr_parse(const char *text, struct ep_addr *ret_a, struct ep_err *err);
bool ep_addr_is_loopback(const struct sockaddr *sa);
/* "127.0.0.1:4040" */
void ep_addr_format(const struct sockaddr *sa, char *ret_text, size_t n);

/* The host of "HOST[:PORT]" or "[V6][:PORT]", brackets off; n 0 when malformed. */
struct ep_slice ep_addr_host(struct ep_slice authority);
/* localhost, *.localhost, 127.0.0.0/8, ::1 */
bool ep_addr_is_loopback_name(struct ep_slice host);

#endif
