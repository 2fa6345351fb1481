/*
 * protobuf.h - reading and writing protobuf's wire format, by hand.
 *
 * A reader walks the fields of one message; a nested message is a reader of its
 * own.  Nothing is copied.  It remembers its first fault, after which every call
 * fails, so a loop may check once at its end.
 *
 *     struct ep_pb_reader r = ep_pb_open(data, n);
 *     while (ep_pb_next(&r)) {
 *             if (r.field == 3 && r.wire == EP_PB_LEN)
 *                     name = ep_pb_bytes(&r);
 *             else
 *                     ep_pb_skip(&r);
 *     }
 *     if (r.fault) ...
 *
 * Source: protobuf.dev/programming-guides/encoding.
 */
#ifndef EP_CODEC_PROTOBUF_H
#define EP_CODEC_PROTOBUF_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum ep_pb_wire {
	EP_PB_VARINT = 0,
	EP_PB_FIXED64 = 1,
	EP_PB_LEN = 2,
	EP_PB_FIXED32 = 5
};

enum ep_pb_fault {
	EP_PB_OK = 0,
	EP_PB_CUT,	   /* a number or a field goes past the end of its message */
	EP_PB_LONG_VARINT, /* more than 10 bytes */
	EP_PB_BAD_WIRE,	   /* a group, or wire type 6 or 7 */
	EP_PB_WRONG_WIRE,  /* a known field with another wire type than its own */
};

struct ep_pb_reader {
	const uint8_t *at, *end;
	const uint8_t *tag; /* where the current field begins */
	uint64_t field;
	uint32_t wire;
	enum ep_pb_fault fault; /* at `tag` or `at` */
};

static inline struct ep_pb_reader ep_pb_open(const void *data, size_t n)
{
	const uint8_t *p = data;
	return (struct ep_pb_reader){.at = p, .end = p + n, .tag = p};
}

/* The reader is at its end from now on.  0, so that a caller can return it. */
static inline uint64_t ep_pb_fail(struct ep_pb_reader *r, enum ep_pb_fault fault)
{
	if (!r->fault)
		r->fault = fault;
	r->end = r->at;
	return 0;
}

/* The long way, out of line, so that the readers around it can live in registers.
 * *ret_at: the place behind the number, NULL when there is none. */
static __attribute__((noinline, unused)) uint64_t
ep_pb_parse_varint(const uint8_t *p, const uint8_t *end, const uint8_t **ret_at)
{
	size_t left = (size_t)(end - p);
	size_t most = left < 10 ? left : 10;
	uint64_t v = 0;
	for (size_t i = 0; i < most; i++) {
		v |= (uint64_t)(p[i] & 0x7f) << (7 * i);
		if (p[i] < 0x80) {
			*ret_at = p + i + 1;
			return v;
		}
	}
	*ret_at = NULL;
	return 0;
}

static inline uint64_t ep_pb_varint_long(struct ep_pb_reader *r)
{
	const uint8_t *at;
	uint64_t v = ep_pb_parse_varint(r->at, r->end, &at);
	if (!at)
		return ep_pb_fail(r,
				  r->end - r->at < 10 ? EP_PB_CUT : EP_PB_LONG_VARINT);
	r->at = at;
	return v;
}

/* A varint at the reader's place; 0 after a fault.  What the tenth byte holds over
 * 64 bits is ignored, as every reader does. */
static inline uint64_t ep_pb_varint(struct ep_pb_reader *r)
{
	if (__builtin_expect(r->at < r->end && *r->at < 0x80, 1))
		return *r->at++;
	return ep_pb_varint_long(r);
}

/* The next field's number and wire type; false at the end and after a fault. */
static inline bool ep_pb_next(struct ep_pb_reader *r)
{
	if (r->at >= r->end)
		return false;
	r->tag = r->at;
	uint64_t key = ep_pb_varint(r);
	r->field = key >> 3;
	r->wire = (uint32_t)(key & 7);
	return !r->fault;
}

/* The bytes of a field of wire type EP_PB_LEN; empty after a fault. */
static inline struct ep_slice ep_pb_bytes(struct ep_pb_reader *r)
{
	uint64_t n = ep_pb_varint(r);
	if (n > (uint64_t)(r->end - r->at)) {
		(void)ep_pb_fail(r, EP_PB_CUT); /* remembered in the reader */
		return (struct ep_slice){NULL, 0};
	}
	struct ep_slice s = {(const char *)r->at, (size_t)n};
	r->at += n;
	return s;
}

/* A nested message: the same bytes as a reader. */
static inline struct ep_pb_reader ep_pb_message(struct ep_pb_reader *r)
{
	struct ep_slice s = ep_pb_bytes(r);
	return ep_pb_open(s.p ? (const void *)s.p : (const void *)r->at, s.n);
}

/* Does the field have the wire type it must?  If not, that is a fault. */
static inline bool ep_pb_expect(struct ep_pb_reader *r, enum ep_pb_wire wire)
{
	if (__builtin_expect(r->wire == wire, 1))
		return true;
	r->at = r->tag;
	(void)ep_pb_fail(r, EP_PB_WRONG_WIRE); /* remembered in the reader */
	return false;
}

/* The value of a field of a known type; nothing (0, empty) after a fault. */
static inline uint64_t ep_pb_get_varint(struct ep_pb_reader *r)
{
	return ep_pb_expect(r, EP_PB_VARINT) ? ep_pb_varint(r) : 0;
}

static inline struct ep_slice ep_pb_get_bytes(struct ep_pb_reader *r)
{
	return ep_pb_expect(r, EP_PB_LEN) ? ep_pb_bytes(r) : (struct ep_slice){NULL, 0};
}

static inline struct ep_pb_reader ep_pb_get_message(struct ep_pb_reader *r)
{
	return ep_pb_expect(r, EP_PB_LEN) ? ep_pb_message(r) : ep_pb_open(r->at, 0);
}

static inline uint64_t ep_pb_fixed(struct ep_pb_reader *r, size_t n_bytes)
{
	if ((size_t)(r->end - r->at) < n_bytes)
		return ep_pb_fail(r, EP_PB_CUT);
	uint64_t v = 0;
	for (size_t i = 0; i < n_bytes; i++)
		v |= (uint64_t)r->at[i] << (8 * i);
	r->at += n_bytes;
	return v;
}

static inline uint64_t ep_pb_fixed64(struct ep_pb_reader *r)
{
	return ep_pb_fixed(r, 8);
}

static inline uint32_t ep_pb_fixed32(struct ep_pb_reader *r)
{
	return (uint32_t)ep_pb_fixed(r, 4);
}

/* Step over the current field, whatever it is. */
static inline void ep_pb_skip(struct ep_pb_reader *r)
{
	switch (r->wire) {
	case EP_PB_VARINT:
		(void)ep_pb_varint(r); /* only stepped over */
		break;
	case EP_PB_FIXED64:
		(void)ep_pb_fixed(r, 8);
		break;
	case EP_PB_LEN:
		(void)ep_pb_bytes(r);
		break;
	case EP_PB_FIXED32:
		(void)ep_pb_fixed(r, 4);
		break;
	default:
		r->at = r->tag;
		(void)ep_pb_fail(r, EP_PB_BAD_WIRE); /* remembered in the reader */
	}
}

/* --- writing ------------------------------------------------------------------ */

enum { EP_PB_MAX_VARINT = 10 };

static inline size_t ep_pb_varint_size(uint64_t v)
{
	return (size_t)(70 - __builtin_clzll(v | 1)) / 7;
}

/* At p, where there must be room; the place behind it. */
static inline uint8_t *ep_pb_put_varint(uint8_t *p, uint64_t v)
{
	if (v < 0x80) {
		*p = (uint8_t)v;
		return p + 1;
	}
	if (v < 0x4000) {
		p[0] = (uint8_t)(v | 0x80);
		p[1] = (uint8_t)(v >> 7);
		return p + 2;
	}
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

/* Appending to a buffer; a failure is remembered there.  Zero values are written,
 * so a caller of proto3 leaves them out itself. */
static inline void ep_pb_add_raw_varint(struct ep_buf *b, uint64_t v)
{
	uint8_t *p = ep_buf_reserve(b, EP_PB_MAX_VARINT);
	if (p)
		b->len += (size_t)(ep_pb_put_varint(p, v) - p);
}

static inline void ep_pb_add_varint(struct ep_buf *b, uint32_t field, uint64_t v)
{
	ep_pb_add_raw_varint(b, (uint64_t)field << 3 | EP_PB_VARINT);
	ep_pb_add_raw_varint(b, v);
}

static inline void ep_pb_add_bytes(struct ep_buf *b, uint32_t field, const void *p,
				   size_t n)
{
	ep_pb_add_raw_varint(b, (uint64_t)field << 3 | EP_PB_LEN);
	ep_pb_add_raw_varint(b, n);
	ep_buf_add(b, p, n);
}

static inline void ep_pb_add_str(struct ep_buf *b, uint32_t field, const char *s)
{
	ep_pb_add_bytes(b, field, s, strlen(s));
}

static inline void ep_pb_add_fixed64(struct ep_buf *b, uint32_t field, uint64_t v)
{
	uint8_t le[8];
	for (int i = 0; i < 8; i++)
		le[i] = (uint8_t)(v >> (8 * i));
	ep_pb_add_raw_varint(b, (uint64_t)field << 3 | EP_PB_FIXED64);
	ep_buf_add(b, le, sizeof(le));
}

#endif
