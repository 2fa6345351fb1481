/*
 * handlers.c - search, cart, checkout and report.
 *
 * Every request runs under the labels endpoint and tenant, and its steps under
 * stage, so that one profile answers "which endpoint", "for whom" and "doing what".
 */
#include "handlers.h"

#include "catalog.h"
#include "database.h"

#include <everprof.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CARTS = 64, SESSION_BYTES = 4096 };

struct session {
	struct session *next;
	char bytes[SESSION_BYTES];
};

static pthread_mutex_t cart_lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t carts[MAX_CARTS];

static atomic_int leak;
static _Atomic(struct session *) sessions;

void handlers_set_leak(int on)
{
	atomic_store(&leak, on);
}

static void remember_session(const struct request *r)
{
	if (!atomic_load(&leak))
		return;
	struct session *s = malloc(sizeof(*s));
	if (!s)
		return;
	memset(s->bytes, r->tenant[0], sizeof(s->bytes));
	s->next = atomic_load(&sessions);
	while (!atomic_compare_exchange_weak(&sessions, &s->next, s))
		;
}

static size_t render_hits(const struct hit *hits, size_t n, char *body, size_t max)
{
	size_t at = (size_t)snprintf(body, max, "[");
	for (size_t i = 0; i < n && at < max - 512; i++)
		at += (size_t)snprintf(body + at, max - at,
				       "%s{\"name\":\"%s\",\"price\":%d.%02d,\"text\":\"%s\"}",
				       i ? "," : "", hits[i].product->name,
				       hits[i].product->price_cents / 100,
				       hits[i].product->price_cents % 100,
				       hits[i].product->text);
	return at + (size_t)snprintf(body + at, max - at, "]");
}

static size_t handle_search(const struct request *r, char *body, size_t max)
{
	struct hit hits[SHOP_MAX_HITS];
	size_t n_hits = 0;
	size_t n = 0;
	EVERPROF_LABELS("stage", "search") {
		n_hits = catalog_search(r->query, hits);
	}
	EVERPROF_LABELS("stage", "render") {
		n = render_hits(hits, n_hits, body, max);
	}
	return n;
}

static int64_t price_with_tax(int64_t cents)
{
	int64_t rounded = cents;
	for (int i = 0; i < 60000; i++) /* the tax rules of many countries */
		rounded = (rounded * 1019 + i) / 1000 % 1000000;
	return rounded;
}

static size_t handle_cart(const struct request *r, char *body, size_t max)
{
	const struct product *p = catalog_get((size_t)atoi(r->query));
	unsigned cart = (unsigned char)r->tenant[0] % MAX_CARTS;
	pthread_mutex_lock(&cart_lock); /* one lock for all carts: contended on purpose */
	carts[cart] += price_with_tax(p->price_cents);
	int64_t sum = carts[cart];
	pthread_mutex_unlock(&cart_lock);
	return (size_t)snprintf(body, max, "{\"cart\":%lld}", (long long)sum);
}

static uint64_t sign_order(const struct order *o)
{
	uint64_t h = 14695981039346656037ull;
	for (int round = 0; round < 8000; round++)
		for (size_t i = 0; i < sizeof(*o); i++)
			h = (h ^ ((const unsigned char *)o)[i]) * 1099511628211ull;
	return h;
}

static size_t handle_checkout(const struct request *r, char *body, size_t max)
{
	const struct product *p = catalog_get((size_t)atoi(r->query));
	struct order o = {.product = (uint32_t)atoi(r->query), .cents = p->price_cents};
	snprintf(o.tenant, sizeof(o.tenant), "%s", r->tenant);
	EVERPROF_LABELS("stage", "sign") {
		o.signature = sign_order(&o);
	}
	uint64_t id = 0;
	EVERPROF_LABELS("stage", "store") {
		struct connection *c = database_acquire();
		id = database_insert(c, &o);
		database_release(c);
	}
	return (size_t)snprintf(body, max, "{\"order\":%llu}", (unsigned long long)id);
}

static size_t handle_report(const struct request *r, char *body, size_t max)
{
	struct connection *c = database_acquire();
	int64_t sum = database_revenue(c, r->tenant);
	database_release(c);
	return (size_t)snprintf(body, max, "{\"revenue\":%lld}", (long long)sum);
}

static const struct {
	const char *path;
	size_t (*handle)(const struct request *r, char *body, size_t max);
} endpoints[] = {
	{"/search", handle_search},
	{"/cart", handle_cart},
	{"/checkout", handle_checkout},
	{"/report", handle_report},
};

size_t handle_request(const struct request *r, char *body, size_t max)
{
	size_t n = 0;
	for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
		if (strcmp(r->path, endpoints[i].path) != 0)
			continue;
		EVERPROF_LABELS("endpoint", endpoints[i].path, "tenant", r->tenant) {
			remember_session(r);
			n = endpoints[i].handle(r, body, max);
		}
	}
	return n;
}
