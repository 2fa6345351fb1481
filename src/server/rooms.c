/* rooms.c - see rooms.h. */
#include "server/rooms.h"

#include "server/datadir.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct ep_rooms {
	const char *dir;
	struct ep_tenants *tenants;
	pthread_mutex_t lock; /* of opening */
};

int ep_rooms_new(const char *dir, struct ep_tenants *tenants, struct ep_rooms **ret_r,
		 struct ep_err *err)
{
	struct ep_rooms *r = ep_zalloc(sizeof(*r));
	if (!r)
		return ep_fail(err, -ENOMEM, 0, "no memory to start");
	r->dir = dir;
	r->tenants = tenants;
	pthread_mutex_init(&r->lock, NULL);
	*ret_r = r;
	return 0;
}

static int path_of(const struct ep_rooms *r, const struct ep_tenant *t, const char *name,
		   char ret_path[PATH_MAX], struct ep_err *err)
{
	bool is_first = !strcmp(t->name, EP_TENANT_ANONYMOUS);
	int n = is_first ? snprintf(ret_path, PATH_MAX, "%s/%s", r->dir, name)
			 : snprintf(ret_path, PATH_MAX, "%s/tenants/%s/%s", r->dir, t->name, name);
	return n < PATH_MAX ? 0 : ep_fail(err, -EINVAL, 0, "--data: the path is too long");
}

static int open_both(struct ep_rooms *r, struct ep_tenant *t, struct ep_err *err)
{
	char path[PATH_MAX];
	struct ep_store *store = NULL;
	struct ep_symcache *symbols = NULL;
	EP_TRY(path_of(r, t, "symbols", path, err));
	EP_TRY(ep_datadir_make(path, err));
	if (!atomic_load(&t->symbols)) {
		EP_TRY(ep_symcache_new(path, &symbols, err));
		atomic_store(&t->symbols, symbols);
	}
	EP_TRY(path_of(r, t, "store", path, err));
	EP_TRY(ep_store_open(path, &store, err));
	atomic_store(&t->store, store); /* last: who sees it sees both */
	return 0;
}

int ep_rooms_open(struct ep_rooms *r, struct ep_tenant *t, struct ep_err *err)
{
	if (atomic_load(&t->store))
		return 0;
	pthread_mutex_lock(&r->lock);
	int rc = atomic_load(&t->store) ? 0 : open_both(r, t, err);
	pthread_mutex_unlock(&r->lock);
	return rc;
}

void ep_rooms_stats(struct ep_rooms *r, struct ep_store_stats *ret_stats)
{
	struct ep_tenant *t;
	*ret_stats = (struct ep_store_stats){0};
	for (size_t i = 0; (t = ep_tenants_nth(r->tenants, i)); i++) {
		struct ep_store *s = atomic_load(&t->store);
		struct ep_store_stats one;
		if (!s)
			continue;
		ep_store_stats(s, &one);
		ret_stats->appended += one.appended;
		ret_stats->refused += one.refused;
		ret_stats->commits += one.commits;
		ret_stats->heads += one.heads;
	}
}

void ep_rooms_free(struct ep_rooms *r)
{
	struct ep_tenant *t;
	if (!r)
		return;
	for (size_t i = 0; (t = ep_tenants_nth(r->tenants, i)); i++) {
		ep_store_close(atomic_exchange(&t->store, NULL));
		ep_symcache_free(atomic_exchange(&t->symbols, NULL));
	}
	pthread_mutex_destroy(&r->lock);
	ep_free(r);
}
