/* sites.c - see sites.h. */
#include "inproc/sig/sites.h"

enum { FREE = 0, MAKING = 1 };

size_t ep_sites_bytes(uint32_t n_slots, uint32_t max_frames)
{
	return n_slots * sizeof(struct ep_site) + max_frames * sizeof(uint64_t);
}

void ep_sites_init(struct ep_sites *s, void *memory, uint32_t n_slots, uint32_t max_frames)
{
	s->slots = memory;
	s->frames = (uint64_t *)(s->slots + n_slots);
	s->n_slots = n_slots;
	s->max_frames = max_frames;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

/* Four at a time: each multiplication waits for the one before it in its own row only. */
static uint64_t hash_of(const uint64_t *frames, uint32_t n, const void *labels)
{
	uint64_t h = mix(n, (uintptr_t)labels), a = h, b = h + 1, c = h + 2;
	uint32_t i = 0;
	for (; i + 4 <= n; i += 4) {
		h = mix(h, frames[i]);
		a = mix(a, frames[i + 1]);
		b = mix(b, frames[i + 2]);
		c = mix(c, frames[i + 3]);
	}
	for (; i < n; i++)
		h = mix(h, frames[i]);
	h = mix(mix(mix(h, a), b), c);
	return h > MAKING ? h : h + 2;
}

static bool is_same(const struct ep_sites *s, const struct ep_site *site,
		    const uint64_t *frames, uint32_t n, const void *labels)
{
	if (site->n_frames != n || site->labels != labels)
		return false;
	const uint64_t *have = s->frames + site->first_frame;
	for (uint32_t i = 0; i < n; i++)
		if (have[i] != frames[i])
			return false;
	return true;
}

/* The slot is ours; false when there is no room for the frames. */
static bool fill(struct ep_sites *s, struct ep_site *site, const uint64_t *frames, uint32_t n)
{
	uint32_t at = atomic_load_explicit(&s->n_frames, memory_order_relaxed);
	do {
		if (n > s->max_frames - at)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&s->n_frames, &at, at + n,
							memory_order_relaxed,
							memory_order_relaxed));
	for (uint32_t i = 0; i < n; i++)
		s->frames[at + i] = frames[i];
	site->first_frame = at;
	site->n_frames = n;
	return true;
}

uint32_t ep_sites_find_or_add(struct ep_sites *s, const uint64_t *frames, uint32_t n,
			      bool truncated, const void *labels)
{
	uint64_t h = hash_of(frames, n, labels);
	for (uint32_t i = 0; s->n_slots && i < EP_SITES_PROBES; i++) {
		uint32_t at = (uint32_t)(h + i) & (s->n_slots - 1);
		struct ep_site *site = &s->slots[at];
		uint64_t seen = atomic_load_explicit(&site->hash, memory_order_acquire);
		if (seen == h && is_same(s, site, frames, n, labels))
			return at;
		if (seen != FREE || !atomic_compare_exchange_strong_explicit(
					    &site->hash, &seen, MAKING, memory_order_acquire,
					    memory_order_relaxed))
			continue;
		if (!fill(s, site, frames, n)) {
			atomic_store_explicit(&site->hash, FREE, memory_order_release);
			break;
		}
		site->labels = labels;
		site->truncated = truncated;
		atomic_store_explicit(&site->hash, h, memory_order_release);
		return at;
	}
	atomic_fetch_add_explicit(&s->n_dropped, 1, memory_order_relaxed);
	return EP_SITES_NONE;
}
