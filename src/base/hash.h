/*
 * hash.h - non-cryptographic hashes (XXH3), stable across machines and versions.
 *
 * Stored files hold 128-bit hashes as identities, so the algorithm never changes.
 */
#ifndef EP_BASE_HASH_H
#define EP_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct ep_hash128 {
	uint64_t lo, hi;
};

/* Any thread; signal-safe; no allocation. */
uint64_t ep_hash64(const void *p, size_t n_bytes);
struct ep_hash128 ep_hash128(const void *p, size_t n_bytes);
/* The hash as if the 8 bytes at `zero_at` were 0: of what holds its own checksum there. */
uint64_t ep_hash64_sealed(const void *p, size_t n_bytes, size_t zero_at);
/* The hash of two pieces, one behind the other. */
uint64_t ep_hash64_two(const void *p, size_t n_p, const void *q, size_t n_q);

/* Mix one word into a running hash; for keys made of integers.  Every bit of v
 * reaches the low half, which is what ep_index tells elements apart by.  Spool files
 * are sealed with it (docs/formats/spool.md), so it never changes either. */
static inline uint64_t ep_hash_mix(uint64_t h, uint64_t v)
{
	h ^= v + 0x9e3779b97f4a7c15ull + (h << 6) + (h >> 2);
	h *= 0xff51afd7ed558ccdull;
	h ^= h >> 29;
	h *= 0xc4ceb9fe1a85ec53ull;
	return h ^ (h >> 32);
}

#endif
