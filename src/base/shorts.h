/*
 * shorts.h - short byte strings as one or two words: hashed, compared and ordered inline.
 *
 * Names and values of labels are mostly below 16 bytes, where a call of memcmp() or of a
 * general hash costs more than the work in it.  Nothing outside of the string is read.
 * Hashes are of this process and this build: not to be stored.
 */
#ifndef EP_BASE_SHORTS_H
#define EP_BASE_SHORTS_H

#include "base/hash.h"
#include "base/slice.h"

#include <stdint.h>

enum { EP_SHORTS_MAX = 16 };

static inline uint64_t ep_shorts_load64(const char *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

/* A string of up to 16 bytes, in two words that may overlap; of a longer one they are the
 * first 8 bytes and the last. */
struct ep_shorts {
	uint64_t first; /* byte 0 lowest, zeros behind the end */
	uint64_t last;	/* the last 8 of more than 8 bytes, else 0 */
};

static inline struct ep_shorts ep_shorts_of(struct ep_slice s)
{
	uint32_t lo, hi;
	if (s.n >= 8)
		return (struct ep_shorts){ep_shorts_load64(s.p),
					  s.n > 8 ? ep_shorts_load64(s.p + s.n - 8) : 0};
	if (s.n >= 4) {
		memcpy(&lo, s.p, 4);
		memcpy(&hi, s.p + s.n - 4, 4);
		return (struct ep_shorts){lo | (uint64_t)hi << 8 * (s.n - 4), 0};
	}
	const unsigned char *c = (const unsigned char *)s.p;
	if (!s.n)
		return (struct ep_shorts){0, 0};
	return (struct ep_shorts){c[0] | (uint64_t)c[s.n / 2] << 8 * (s.n / 2) |
					  (uint64_t)c[s.n - 1] << 8 * (s.n - 1),
				  0};
}

static inline uint64_t ep_shorts_hash(struct ep_slice s, struct ep_shorts w)
{
	if (s.n > EP_SHORTS_MAX)
		return ep_hash64(s.p, s.n);
	unsigned __int128 m = (unsigned __int128)(w.first ^ 0x9e3779b97f4a7c15ull) *
			      (w.last ^ (0xd6e8feb86659fd93ull + s.n));
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Are they equal?  v and w are theirs. */
static inline bool ep_shorts_eq(struct ep_slice a, struct ep_shorts v, struct ep_slice b,
				struct ep_shorts w)
{
	return ((a.n ^ b.n) | (v.first ^ w.first) | (v.last ^ w.last)) == 0 &&
	       (a.n <= EP_SHORTS_MAX || memcmp(a.p, b.p, a.n) == 0);
}

/* Of two strings without a NUL, the one with the smaller number comes first in the order of
 * ep_slice_cmp(); equal numbers leave it open. */
static inline uint64_t ep_shorts_order(struct ep_shorts w)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_bswap64(w.first);
#else
	return w.first;
#endif
}

#endif
