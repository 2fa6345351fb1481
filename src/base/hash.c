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
