/*
 * bytes.h - varints out and in: what stored records are made of.
 *
 * A reader that runs over its end, or meets a varint over 64 bits, remembers it
 * and returns zeros, so a decoder asks once with ep_cursor_ok().
 */
#ifndef EP_STORE_BYTES_H
#define EP_STORE_BYTES_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

static inline void ep_put_varint(struct ep_buf *b, uint64_t v)
{
	uint8_t *p = ep_buf_reserve(b, 10);
	if (!p)
		return;
	size_t n = 0;
	while (v >= 0x80) {
		p[n++] = (uint8_t)v | 0x80;
		v >>= 7;
	}
	p[n++] = (uint8_t)v;
	b->len += n;
}

static inline void ep_put_zigzag(struct ep_buf *b, int64_t v)
{
	ep_put_varint(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

static inline void ep_put_slice(struct ep_buf *b, struct ep_slice s)
{
	ep_put_varint(b, s.n);
	ep_buf_add(b, s.p, s.n);
}

static inline void ep_put_u32(struct ep_buf *b, uint32_t v)
{
	uint8_t le[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
	ep_buf_add(b, le, 4);
}

struct ep_cursor {
	const uint8_t *p, *end;
	bool bad;
};

static inline struct ep_cursor ep_cursor_of(const void *p, size_t n)
{
	return (struct ep_cursor){p, (const uint8_t *)p + n, false};
}

static inline bool ep_cursor_ok(const struct ep_cursor *c)
{
	return !c->bad;
}

static inline size_t ep_cursor_left(const struct ep_cursor *c)
{
	return (size_t)(c->end - c->p);
}

static inline uint64_t ep_get_varint(struct ep_cursor *c)
{
	uint64_t v = 0;
	for (unsigned shift = 0; c->p < c->end && shift < 64; shift += 7) {
		uint8_t byte = *c->p++;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
	}
	c->bad = true;
	c->p = c->end;
	return 0;
}

/* A varint that must be below `limit`; 0 and bad otherwise. */
static inline uint32_t ep_get_below(struct ep_cursor *c, uint64_t limit)
{
	uint64_t v = ep_get_varint(c);
	if (v >= limit) {
		c->bad = true;
		return 0;
	}
	return (uint32_t)v;
}

static inline int64_t ep_get_zigzag(struct ep_cursor *c)
{
	uint64_t v = ep_get_varint(c);
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* Points into the input. */
static inline struct ep_slice ep_get_slice(struct ep_cursor *c)
{
	uint64_t n = ep_get_varint(c);
	if (c->bad || n > ep_cursor_left(c)) {
		c->bad = true;
		return (struct ep_slice){NULL, 0};
	}
	struct ep_slice s = {(const char *)c->p, (size_t)n};
	c->p += n;
	return s;
}

static inline uint8_t ep_get_u8(struct ep_cursor *c)
{
	if (c->p < c->end)
		return *c->p++;
	c->bad = true;
	return 0;
}

static inline uint32_t ep_load_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

#endif
