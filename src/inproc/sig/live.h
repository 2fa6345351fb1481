/*
 * live.h - the sampled objects that are live, by their address.
 *
 * A free must find out whether its object was sampled, and nearly none was: a filter of
 * small counters answers that with one load.  Behind it stand hash tables without a
 * lock; when one is full the next, four times as large, is used, and is only then
 * touched.
 *
 * The caller owns the address it adds (it has not handed it out yet) and the one it
 * takes (nobody else frees it), so no two threads work on the same one.
 *
 * Signal-safe, allocates nothing.
 */
#ifndef EP_INPROC_SIG_LIVE_H
#define EP_INPROC_SIG_LIVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	EP_LIVE_FILTER_SHIFT = 15,
	EP_LIVE_TABLES = 5, /* 4,096 slots to 1 M: 500 GB live at one sample in 512 KB */
	EP_LIVE_FIRST_SHIFT = 12,
	EP_LIVE_PROBES = 32,
};

struct ep_live_object {
	_Atomic uint64_t key; /* 0: never used; 1: free again; 2: being written; else the address */
	_Atomic uint64_t size;
	_Atomic uint32_t site;
	_Atomic uint32_t born_s; /* of the clock of the owner */
};

/* All zero with `tables` set is empty. */
struct ep_live {
	struct ep_live_object *tables[EP_LIVE_TABLES]; /* zeroed memory, touched when needed */
	_Atomic uint32_t n_used;		       /* tables that ever held one */
	_Atomic uint64_t n_dropped;
};

/* A counter for each hash of an address: 0 means that none of them is sampled.  At 255
 * it stays for ever. */
extern _Atomic uint8_t ep_live_filter[1 << EP_LIVE_FILTER_SHIFT];

static inline uint32_t ep_live_hash(const void *p)
{
	/* Sampled objects lie anywhere; what matters is that neighbours differ. */
	uint64_t a = (uintptr_t)p;
	return (uint32_t)(a >> 4 ^ a >> (4 + EP_LIVE_FILTER_SHIFT)) &
	       ((1u << EP_LIVE_FILTER_SHIFT) - 1);
}

/* May this address be a sampled one?  The whole cost of a free that is none. */
static inline bool ep_live_maybe(const void *p)
{
	return __builtin_expect(
		atomic_load_explicit(&ep_live_filter[ep_live_hash(p)], memory_order_relaxed) != 0,
		0);
}

/* Bytes of table i. */
static inline size_t ep_live_bytes(int i)
{
	return sizeof(struct ep_live_object) << (EP_LIVE_FIRST_SHIFT + 2 * i);
}

/* p will be added soon: where to is asked for. */
void ep_live_ahead(const struct ep_live *l, const void *p);

/* false when there is no room: the object is not followed, and counted. */
bool ep_live_add(struct ep_live *l, const void *p, uint64_t size, uint32_t site, uint32_t born_s);

/* A copy of a slot's object for a walk over the tables; false when it holds none, or
 * changed meanwhile. */
bool ep_live_read(const struct ep_live_object *o, struct ep_live_object *ret);

/* Remove the object at p, if it is a sampled one. */
bool ep_live_take(struct ep_live *l, const void *p, struct ep_live_object *ret);

#endif
