/*
 * url.h - the address of a server, taken apart.
 */
#ifndef EP_PUSH_URL_H
#define EP_PUSH_URL_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct ep_url {
	bool tls;	  /* https */
	char user[256];	  /* "USER:PASSWORD", %XX decoded; "": none */
	char host[256];	  /* a name or an address, without brackets */
	uint16_t port;	  /* 80, or 443 of https, when not given */
	char prefix[512]; /* "" or "/path" without a slash at the end */
};

/*
 * ep_url_parse - http[s]://[USER:PASSWORD@]HOST[:PORT][/PREFIX], [v6] in brackets.
 *
 * errors   -EINVAL  anything else; err says which part, and never the password
 * threads  any thread
 */
int ep_url_parse(const char *text, struct ep_url *ret_url, struct ep_err *err);

#endif
