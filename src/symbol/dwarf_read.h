/*
 * dwarf_read.h - a place in a debug section, and what is read there.
 *
 * A read past the end gives 0 and marks the place as bad, so that a reader checks
 * once after a group of reads.  Little-endian only, as elf/elf.h.
 */
#ifndef EP_SYMBOL_DWARF_READ_H
#define EP_SYMBOL_DWARF_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ep_dwarf_at {
	const uint8_t *p, *end;
	bool bad;
};

static inline struct ep_dwarf_at ep_dwarf_at(const uint8_t *p, size_t n, uint64_t offset)
{
	if (offset > n)
		return (struct ep_dwarf_at){p + n, p + n, true};
	return (struct ep_dwarf_at){p + offset, p + n, false};
}

static inline size_t ep_dwarf_left(const struct ep_dwarf_at *a)
{
	return (size_t)(a->end - a->p);
}

static inline void ep_dwarf_spoil(struct ep_dwarf_at *a)
{
	a->bad = true;
	a->p = a->end;
}

static inline void ep_dwarf_skip(struct ep_dwarf_at *a, uint64_t n)
{
	if (n > ep_dwarf_left(a))
		ep_dwarf_spoil(a);
	else
		a->p += n;
}

/* An unsigned number of n bytes, 1 to 8. */
static inline uint64_t ep_dwarf_u(struct ep_dwarf_at *a, unsigned n)
{
	uint64_t v = 0;
	if (n > ep_dwarf_left(a)) {
		ep_dwarf_spoil(a);
		return 0;
	}
	memcpy(&v, a->p, n);
	a->p += n;
	return v;
}

static inline uint8_t ep_dwarf_u8(struct ep_dwarf_at *a)
{
	if (a->p == a->end) {
		a->bad = true;
		return 0;
	}
	return *a->p++;
}

static inline uint64_t ep_dwarf_uleb(struct ep_dwarf_at *a)
{
	uint64_t v = 0;
	for (unsigned shift = 0; a->p < a->end; shift += 7) {
		uint8_t b = *a->p++;
		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
	}
	a->bad = true;
	return 0;
}

static inline int64_t ep_dwarf_sleb(struct ep_dwarf_at *a)
{
	uint64_t v = 0;
	for (unsigned shift = 0; a->p < a->end;) {
		uint8_t b = *a->p++;
		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		shift += 7;
		if (!(b & 0x80)) {
			if (shift < 64 && (b & 0x40))
				v |= ~(uint64_t)0 << shift;
			return (int64_t)v;
		}
	}
	a->bad = true;
	return 0;
}

/* A string that ends within the section; "" and bad otherwise. */
static inline const char *ep_dwarf_str(struct ep_dwarf_at *a)
{
	const uint8_t *s = a->p, *nul = memchr(s, 0, ep_dwarf_left(a));
	if (!nul) {
		ep_dwarf_spoil(a);
		return "";
	}
	a->p = nul + 1;
	return (const char *)s;
}

/* The length that opens a unit or a table: 4 or 12 bytes.  The place ends with it. */
static inline void ep_dwarf_length(struct ep_dwarf_at *a, uint8_t *ret_offset_size)
{
	uint64_t n = ep_dwarf_u(a, 4);
	*ret_offset_size = 4;
	if (n == 0xffffffff) {
		n = ep_dwarf_u(a, 8);
		*ret_offset_size = 8;
	} else if (n >= 0xfffffff0) {
		ep_dwarf_spoil(a);
	}
	if (n > ep_dwarf_left(a))
		ep_dwarf_spoil(a);
	else
		a->end = a->p + n;
}

#endif
