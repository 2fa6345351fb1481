/* ids.c - see ids.h. */
#include "profile/ids.h"

#include "base/hash.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

enum { CLOSE = 4, CLOSE_AT_LEAST = 1024 }; /* slots an element, slots in all */

static int init_direct(struct ep_ids *ids, uint64_t max)
{
	ids->n_direct = max + 1;
	ids->direct = ep_alloc(ids->n_direct * sizeof(*ids->direct));
	if (!ids->direct)
		return -ENOMEM;
	memset(ids->direct, 0xff, ids->n_direct * sizeof(*ids->direct));
	return 0;
}

static int init_sparse(struct ep_ids *ids, uint32_t n)
{
	/* Without the seed, who writes the file could make all ids collide.  When the
	 * kernel has none to give, an address is better than nothing. */
	if (getrandom(&ids->seed, sizeof(ids->seed), GRND_NONBLOCK) !=
	    sizeof(ids->seed))
		ids->seed = (uintptr_t)ids * 0x9e3779b97f4a7c15ull;
	ids->sparse = ep_alloc((size_t)n * sizeof(*ids->sparse));
	if (!ids->sparse)
		return -ENOMEM;
	return ep_index_reserve(&ids->index, n);
}

int ep_ids_init(struct ep_ids *ids, struct ep_id_range range)
{
	*ids = (struct ep_ids){.n = range.n, .in_order = !range.out_of_order};
	if (ids->in_order)
		return 0;
	if (range.max < (uint64_t)range.n * CLOSE + CLOSE_AT_LEAST)
		return init_direct(ids, range.max);
	return init_sparse(ids, range.n);
}

void ep_ids_fini(struct ep_ids *ids)
{
	ep_free(ids->direct);
	ep_free(ids->sparse);
	ep_index_fini(&ids->index);
	*ids = (struct ep_ids){0};
}

uint32_t ep_ids_find_sparse(const struct ep_ids *ids, uint64_t id)
{
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&ids->index, ep_hash_mix(ids->seed, id), &it);
	     i != EP_INDEX_NONE; i = ep_index_next(&ids->index, &it))
		if (ids->sparse[i] == id)
			return i;
	return EP_INDEX_NONE;
}

int ep_ids_add(struct ep_ids *ids, uint64_t id, uint32_t i)
{
	if (ids->in_order)
		return 0;
	if (ep_ids_find(ids, id) != EP_INDEX_NONE)
		return -EEXIST;
	if (ids->direct) {
		ids->direct[id] = i;
		return 0;
	}
	ids->sparse[i] = id;
	return ep_index_add(&ids->index, ep_hash_mix(ids->seed, id), i);
}
