/* hash.c - XXH3 of libxxhash, compiled in.  See hash.h. */
#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t ep_hash64(const void *p, size_t n_bytes)
{
	return XXH3_64bits(p, n_bytes);
}

struct ep_hash128 ep_hash128(const void *p, size_t n_bytes)
{
	XXH128_hash_t h = XXH3_128bits(p, n_bytes);
	return (struct ep_hash128){h.low64, h.high64};
}

uint64_t ep_hash64_sealed(const void *p, size_t n_bytes, size_t zero_at)
{
	static const uint8_t zero[8];
	XXH3_state_t s;
	(void)XXH3_64bits_reset(&s); /* these fail for NULL alone */
	(void)XXH3_64bits_update(&s, p, zero_at);
	(void)XXH3_64bits_update(&s, zero, sizeof(zero));
	zero_at += sizeof(zero);
	(void)XXH3_64bits_update(&s, (const uint8_t *)p + zero_at, n_bytes - zero_at);
	return XXH3_64bits_digest(&s);
}

uint64_t ep_hash64_two(const void *p, size_t n_p, const void *q, size_t n_q)
{
	XXH3_state_t s;
	(void)XXH3_64bits_reset(&s);
	(void)XXH3_64bits_update(&s, p, n_p);
	(void)XXH3_64bits_update(&s, q, n_q);
	return XXH3_64bits_digest(&s);
}
