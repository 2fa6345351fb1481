/*
 * cursor.h - reading bytes that may be hostile, with the fault remembered.
 *
 * A read past the end gives 0 and sets `bad`, so a parser reads freely and asks
 * once.
 */
#ifndef EP_UNWIND_BUILD_CURSOR_H
#define EP_UNWIND_BUILD_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ep_cursor {
	const uint8_t *p, *end;
	bool bad;
};

static inline size_t ep_cursor_left(const struct ep_cursor *c)
{
	return (size_t)(c->end - c->p);
}

/* n bytes, or NULL. */
static inline const uint8_t *ep_cursor_bytes(struct ep_cursor *c, uint64_t n)
{
	if (c->bad || n > ep_cursor_left(c)) {
		c->bad = true;
		return NULL;
	}
	const uint8_t *p = c->p;
	c->p += n;
	return p;
}

/* An unsigned little-endian number of n_bytes <= 8. */
static inline uint64_t ep_cursor_uint(struct ep_cursor *c, size_t n_bytes)
{
	const uint8_t *p = ep_cursor_bytes(c, n_bytes);
	uint64_t v = 0;
	if (p)
		memcpy(&v, p, n_bytes);
	return v;
}

static inline uint64_t ep_cursor_uleb(struct ep_cursor *c)
{
	uint64_t v = 0;
	for (unsigned shift = 0;; shift += 7) {
		const uint8_t *p = ep_cursor_bytes(c, 1);
		if (!p)
			return 0;
		if (shift < 64)
			v |= (uint64_t)(*p & 0x7f) << shift;
		if (!(*p & 0x80))
			return v;
	}
}

static inline int64_t ep_cursor_sleb(struct ep_cursor *c)
{
	uint64_t v = 0;
	for (unsigned shift = 0;;) {
		const uint8_t *p = ep_cursor_bytes(c, 1);
		if (!p)
			return 0;
		if (shift < 64)
			v |= (uint64_t)(*p & 0x7f) << shift;
		shift += 7;
		if (!(*p & 0x80)) {
			if (shift < 64 && (*p & 0x40))
				v |= ~(uint64_t)0 << shift;
			return (int64_t)v;
		}
	}
}

#endif
