/*
 * rooms.h - a store and a folder of symbols for each tenant, opened when they are first
 * needed.  Internal to the room.
 *
 * "anonymous" has DATA/store and DATA/symbols; others DATA/tenants/NAME/store and
 * DATA/tenants/NAME/symbols.
 */
#ifndef EP_SERVER_ROOMS_H
#define EP_SERVER_ROOMS_H

#include "store/store.h"
#include "symbol/symbol.h"
#include "tenant/tenant.h"

struct ep_rooms;

/* Any errors of the folder; dir is kept, not copied. */
int ep_rooms_new(const char *dir, struct ep_tenants *tenants, struct ep_rooms **ret_r,
		 struct ep_err *err);
void ep_rooms_free(struct ep_rooms *r);
EP_DEFINE_AUTO(ep_rooms);

/*
 * ep_rooms_open - see to it that t->store and t->symbols are there.
 *
 * errors   of ep_store_open(); the next call tries again
 * threads  any; may wait for the disk
 */
int ep_rooms_open(struct ep_rooms *r, struct ep_tenant *t, struct ep_err *err);

/* The numbers of all stores that are open, added up. */
void ep_rooms_stats(struct ep_rooms *r, struct ep_store_stats *ret_stats);

#endif
