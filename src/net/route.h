/*
 * route.h - which function answers which path: tables, one a room.
 */
#ifndef EP_NET_ROUTE_H
#define EP_NET_ROUTE_H

#include "net/http.h"

struct ep_route {
	const char *method; /* GET answers HEAD too; "POST|PUT" is two */
	const char *path;   /* exact; one that ends in a star: all paths that begin so */
	ep_http_handler handle;
	int access; /* enum ep_role (tenant/tenant.h) that it asks for; 0: open to all */
};

struct ep_route_table {
	const struct ep_route *routes;
	size_t n;
	void *room; /* first argument of its handlers */
};

/*
 * ep_route_find - the row for a request; exact paths win over prefixes, longer
 * prefixes over shorter.
 *
 * out      ret_room
 * errors   NULL and *ret_status 404, or 405 and *ret_allow: the methods of the path
 * threads  any thread
 */
const struct ep_route *ep_route_find(const struct ep_route_table *tables, size_t n_tables,
				     const struct ep_http *x, void **ret_room,
				     int *ret_status, const char **ret_allow);

#endif
