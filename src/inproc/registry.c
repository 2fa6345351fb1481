/* registry.c - see registry.h. */
#include "inproc/registry.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static const struct ep_kind *_Atomic kinds[EP_REGISTRY_MAX];
static _Atomic uint32_t n_kinds;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of those who add */

/* What can stand in a path and a file name. */
static bool is_name(const char *s)
{
	size_t n = strlen(s);
	if (n == 0 || n > 64 || *s == '.')
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("_-.", *s))
			return false;
	return true;
}

bool ep_registry_is_ours(const char *name)
{
	static const char *const ours[] = {
		"allocs", "block", "cmdline", "cpu", "goroutine", "heap", "memory", "mutex",
		"off_cpu", "process_cpu", "profile", "scopes", "symbol", "tasks",
		"threadcreate", "threads", "trace", "wall",
	};
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (!strcmp(ours[i], name))
			return true;
	return false;
}

int ep_registry_add(const struct ep_kind *k)
{
	if (!is_name(k->name))
		return -EINVAL;
	pthread_mutex_lock(&lock);
	uint32_t n = atomic_load(&n_kinds);
	int rc = ep_registry_find(k->name) ? -EEXIST : n == EP_REGISTRY_MAX ? -ENOSPC : 0;
	if (rc == 0) {
		atomic_store(&kinds[n], k);
		atomic_store(&n_kinds, n + 1);
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

const struct ep_kind *ep_registry_at(uint32_t i)
{
	return i < atomic_load(&n_kinds) ? atomic_load(&kinds[i]) : NULL;
}

const struct ep_kind *ep_registry_find(const char *name)
{
	const struct ep_kind *k;
	for (uint32_t i = 0; (k = ep_registry_at(i)) != NULL; i++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}
