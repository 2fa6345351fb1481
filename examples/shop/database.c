/* database.c - see database.h. */
#include "database.h"

#include <everprof.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N_ORDERS = 1 << 16 };

struct connection {
	struct connection *next_free;
	uint64_t n_queries;
};

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t pool_freed = PTHREAD_COND_INITIALIZER;
static struct connection *free_connections;
static everprof_profile *in_use; /* who has taken a connection and not given it back */

static pthread_mutex_t orders_lock = PTHREAD_MUTEX_INITIALIZER;
static struct order orders[N_ORDERS];
static uint64_t n_orders;

void database_open(size_t n_connections)
{
	in_use = everprof_profile_new("connections_in_use");
	for (size_t i = 0; i < n_connections; i++) {
		struct connection *c = calloc(1, sizeof(*c));
		if (!c)
			abort();
		c->next_free = free_connections;
		free_connections = c;
	}
}

struct connection *database_acquire(void)
{
	pthread_mutex_lock(&pool_lock);
	while (!free_connections)
		pthread_cond_wait(&pool_freed, &pool_lock);
	struct connection *c = free_connections;
	free_connections = c->next_free;
	pthread_mutex_unlock(&pool_lock);
	everprof_profile_add(in_use, c, 0);
	return c;
}

void database_release(struct connection *c)
{
	everprof_profile_remove(in_use, c);
	pthread_mutex_lock(&pool_lock);
	c->next_free = free_connections;
	free_connections = c;
	pthread_cond_signal(&pool_freed);
	pthread_mutex_unlock(&pool_lock);
}

static void wait_for_disk(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000 * 1000}, NULL);
}

uint64_t database_insert(struct connection *c, const struct order *o)
{
	c->n_queries++;
	wait_for_disk();
	pthread_mutex_lock(&orders_lock);
	uint64_t id = n_orders++;
	orders[id % N_ORDERS] = *o;
	orders[id % N_ORDERS].id = id;
	pthread_mutex_unlock(&orders_lock);
	return id;
}

int64_t database_revenue(struct connection *c, const char *tenant)
{
	int64_t sum = 0;
	c->n_queries++;
	pthread_mutex_lock(&orders_lock); /* held too long on purpose */
	uint64_t n = n_orders < N_ORDERS ? n_orders : N_ORDERS;
	for (uint64_t i = 0; i < n; i++)
		if (!strcmp(orders[i].tenant, tenant))
			sum += orders[i].cents;
	pthread_mutex_unlock(&orders_lock);
	return sum;
}
