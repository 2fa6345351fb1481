/*
 * database.h - orders behind a pool of connections.
 *
 * There are fewer connections than workers, so under load workers wait for one:
 * something for lock and block profiles to show.
 */
#ifndef SHOP_DATABASE_H
#define SHOP_DATABASE_H

#include <stddef.h>
#include <stdint.h>

struct connection;

struct order {
	uint64_t id;
	char tenant[16];
	uint32_t product;
	int cents;
	uint64_t signature;
};

/* Start-up only. */
void database_open(size_t n_connections);

/* Waits until a connection is free.  Any thread. */
struct connection *database_acquire(void);
void database_release(struct connection *c);

/* Takes about a millisecond of waiting, as a round trip would.  Any thread that
 * holds a connection. */
uint64_t database_insert(struct connection *c, const struct order *o);

/* Revenue of a tenant over all orders kept (the last 65,536). */
int64_t database_revenue(struct connection *c, const char *tenant);

#endif
