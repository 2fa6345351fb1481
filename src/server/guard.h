/*
 * guard.h - before a request reaches a room: Host, Origin, route, token.  After
 * it: security headers, gzip.  Internal to the room.
 */
#ifndef EP_SERVER_GUARD_H
#define EP_SERVER_GUARD_H

#include "net/addr.h"
#include "net/route.h"
#include "server/rooms.h"
#include "tenant/tenant.h"

#include <stdatomic.h>

enum { EP_GUARD_MAX_TABLES = 6, EP_GUARD_MAX_HOSTS = 32 };

struct ep_guard {
	struct ep_route_table tables[EP_GUARD_MAX_TABLES];
	size_t n_tables;
	struct ep_tenants *tenants;
	struct ep_rooms *rooms;
	const char *audit; /* path */
	uint64_t refusals_since_ns; /* loop thread: of refused tokens in the audit log */
	unsigned n_refusals;
	bool is_wildcard; /* listens on every address: any address is a good Host */
	char hosts[EP_GUARD_MAX_HOSTS][256];
	unsigned n_hosts;
	_Atomic uint64_t by_class[6]; /* answers by status / 100 */
};

/* The names this server goes by: of the listen address, this machine, and `more`
 * (comma-separated, or NULL).  -EINVAL: too many, or one too long. */
int ep_guard_set_hosts(struct ep_guard *g, const struct ep_addr *listen, const char *more,
		       struct ep_err *err);

/* struct ep_serve_config's admit and handle; room is the guard. */
bool ep_guard_admit(void *guard, struct ep_http *x);
void ep_guard_handle(void *guard, struct ep_http *x);

#endif
