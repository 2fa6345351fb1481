/* index.c - open addressing, linear probing, at most two thirds full. */
#include "base/index.h"

#include "base/mem.h"
#include "base/pages.h"

#include <errno.h>
#include <string.h>

/* The tag picks the slot too, so that growing needs no call to rehash keys. */
static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)hash;
}

static size_t home(const struct ep_index *ix, uint32_t tag)
{
	return (size_t)((tag * 0x9e3779b97f4a7c15ull) >> 32) & (ix->n_slots - 1);
}

void ep_index_fini(struct ep_index *ix)
{
	ep_free(ix->slots);
	*ix = (struct ep_index){0};
}

void ep_index_clear(struct ep_index *ix)
{
	if (ix->slots)
		memset(ix->slots, 0, ix->n_slots * sizeof(*ix->slots));
	ix->n = 0;
}

static void place(struct ep_index *ix, uint64_t slot)
{
	size_t i = home(ix, (uint32_t)(slot >> 32));
	while (ix->slots[i])
		i = (i + 1) & (ix->n_slots - 1);
	ix->slots[i] = slot;
}

int ep_index_reserve(struct ep_index *ix, size_t n)
{
	if (n * 3 <= ix->n_slots * 2)
		return 0;
	struct ep_index bigger = {.n_slots = ix->n_slots ? ix->n_slots : 16, .n = ix->n};
	while (n * 3 > bigger.n_slots * 2)
		bigger.n_slots *= 2;
	bigger.slots = ep_zalloc(bigger.n_slots * sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	ep_pages_expect(bigger.slots, bigger.n_slots * sizeof(*bigger.slots));
	for (size_t i = 0; i < ix->n_slots; i++)
		if (ix->slots[i])
			place(&bigger, ix->slots[i]);
	ep_free(ix->slots);
	*ix = bigger;
	return 0;
}

int ep_index_add(struct ep_index *ix, uint64_t hash, uint32_t id)
{
	int rc = ep_index_reserve(ix, ix->n + 1);
	if (rc < 0)
		return rc;
	place(ix, (uint64_t)tag_of(hash) << 32 | (uint64_t)(id + 1));
	ix->n++;
	return 0;
}

void ep_index_prefetch(const struct ep_index *ix, uint64_t hash)
{
	if (ix->n_slots)
		__builtin_prefetch(&ix->slots[home(ix, tag_of(hash))]);
}

uint32_t ep_index_first(const struct ep_index *ix, uint64_t hash, struct ep_index_iter *it)
{
	it->tag = tag_of(hash);
	if (!ix->n_slots)
		return EP_INDEX_NONE;
	it->at = home(ix, it->tag);
	return ep_index_next(ix, it);
}

uint32_t ep_index_next(const struct ep_index *ix, struct ep_index_iter *it)
{
	for (;;) {
		uint64_t slot = ix->slots[it->at];
		if (!slot)
			return EP_INDEX_NONE;
		it->at = (it->at + 1) & (ix->n_slots - 1);
		if ((uint32_t)(slot >> 32) == it->tag)
			return (uint32_t)slot - 1;
	}
}
