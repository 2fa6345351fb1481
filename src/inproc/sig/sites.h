/*
 * sites.h - counters by stack and label set, filled by hooks and handlers.
 *
 * A lock-free table that only grows: once a site is there it stays, at the same index,
 * for the life of the process, so that a live object or a held lock can name its site
 * in 4 bytes.  Readers walk it at any time.  When it is full a sample is dropped and
 * counted.
 *
 * Two threads that meet with the same new site may make it twice, which costs a slot:
 * whoever writes a profile adds equal ones up.
 *
 * Signal-safe, allocates nothing: the owner hands over the memory.
 */
#ifndef EP_INPROC_SIG_SITES_H
#define EP_INPROC_SIG_SITES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EP_SITES_NONE UINT32_MAX

enum {
	EP_SITES_VALUES = 4,
	EP_SITES_PROBES = 64,
};

struct ep_site {
	_Atomic uint64_t hash; /* 0: free; 1: being made */
	const void *labels;
	uint32_t first_frame, n_frames; /* in ep_sites.frames; leaf first, as desk.h has them */
	bool truncated;
	_Atomic int64_t values[EP_SITES_VALUES]; /* the owner's */
};

/* All zero drops everything. */
struct ep_sites {
	struct ep_site *slots; /* [n_slots], zeroed; n_slots a power of two */
	uint32_t n_slots;
	uint64_t *frames; /* [max_frames] */
	uint32_t max_frames;
	_Atomic uint32_t n_frames; /* asked for; may pass the maximum */
	_Atomic uint64_t n_dropped;
};

/* Bytes of zeroed memory to give to ep_sites_init(). */
size_t ep_sites_bytes(uint32_t n_slots, uint32_t max_frames);
void ep_sites_init(struct ep_sites *s, void *memory, uint32_t n_slots, uint32_t max_frames);

/* The site of a stack under a label set; EP_SITES_NONE when there is no room. */
uint32_t ep_sites_find_or_add(struct ep_sites *s, const uint64_t *frames, uint32_t n,
			      bool truncated, const void *labels);

static inline void ep_sites_count(struct ep_sites *s, uint32_t site, int value, int64_t by)
{
	atomic_fetch_add_explicit(&s->slots[site].values[value], by, memory_order_relaxed);
}

/* A site that may be read, or NULL: for a walk over all slots. */
static inline const struct ep_site *ep_sites_at(const struct ep_sites *s, uint32_t i)
{
	return atomic_load_explicit(&s->slots[i].hash, memory_order_acquire) > 1 ? &s->slots[i]
										  : NULL;
}

#endif
