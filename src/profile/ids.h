/*
 * ids.h - from the ids of a file to dense indexes.
 *
 * A file may number its mappings, functions and locations as it likes.  Most count
 * from 1, for which nothing is stored; ids that lie close are looked up in an
 * array, others in a hash index with a secret seed.  No input makes it quadratic.
 */
#ifndef EP_PROFILE_IDS_H
#define EP_PROFILE_IDS_H

#include "base/index.h"

#include <stdbool.h>
#include <stdint.h>

/* What a first pass learns of the ids of one kind. */
struct ep_id_range {
	uint32_t n;
	bool out_of_order; /* some id is not its index + 1 */
	uint64_t max;
};

static inline void ep_ids_note(struct ep_id_range *r, uint64_t id)
{
	r->n++;
	r->out_of_order |= id != r->n;
	if (id > r->max)
		r->max = id;
}

struct ep_ids {
	uint32_t n; /* of a file in order: 1..n are taken */
	bool in_order;
	uint32_t *direct; /* by id, EP_INDEX_NONE where there is none */
	uint64_t n_direct;
	uint64_t *sparse; /* by index */
	struct ep_index index;
	uint64_t seed;
};

/*
 * 0, or -ENOMEM.  Afterwards ep_ids_fini() is due, also on failure.  One thread at a
 * time per object, like all here.
 */
int ep_ids_init(struct ep_ids *ids, struct ep_id_range range);
void ep_ids_fini(struct ep_ids *ids);

/* Element `i` has this id.  0, -EEXIST when another has it, -ENOMEM. */
int ep_ids_add(struct ep_ids *ids, uint64_t id, uint32_t i);

uint32_t ep_ids_find_sparse(const struct ep_ids *ids, uint64_t id);

/* The index of the element, EP_INDEX_NONE when there is none.  Id 0 is nobody's. */
static inline uint32_t ep_ids_find(const struct ep_ids *ids, uint64_t id)
{
	if (__builtin_expect(ids->in_order, 1))
		return id - 1 < ids->n ? (uint32_t)(id - 1) : EP_INDEX_NONE;
	if (ids->direct)
		return id < ids->n_direct ? ids->direct[id] : EP_INDEX_NONE;
	return ep_ids_find_sparse(ids, id);
}

#endif
