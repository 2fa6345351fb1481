/*
 * gzip.c - gzip by libdeflate.  See gzip.h.
 *
 * libdeflate has no streams: it wants the whole output in one piece.  The size
 * of that is guessed from the hint at the end of the file, and doubled when the
 * guess was low, so the work stays within a small multiple of the content.
 */
#include "codec/gzip.h"

#include "base/mem.h"
#include "base/pages.h"

#include <libdeflate.h>
#include <pthread.h>

enum {
	SMALLEST_MEMBER = 18, /* header 10, an empty block's 2 rounded, trailer 8 */
	LARGEST_RATIO = 1032, /* of deflate: 258 bytes from 2 bits */
	USUAL_RATIO = 6,
	LEAST_GUESS = 512,
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void use_our_memory(void)
{
	libdeflate_set_memory_allocator(ep_alloc, ep_free);
}

static void set_up(void)
{
	(void)pthread_once(&once,
			   use_our_memory); /* fails only for an invalid argument */
}

static void unpacker_free(struct libdeflate_decompressor **d)
{
	libdeflate_free_decompressor(*d);
}

static void packer_free(struct libdeflate_compressor **c)
{
	libdeflate_free_compressor(*c);
}

bool ep_gzip_is(const void *data, size_t n)
{
	const uint8_t *p = data;
	return n >= 2 && p[0] == 0x1f && p[1] == 0x8b;
}

static int no_memory(struct ep_err *err, size_t n)
{
	return ep_fail(err, -ENOMEM, 0, "no memory for %zu bytes of gzip", n);
}

/* Room for exactly `room` more bytes; ep_buf_reserve() would double. */
static int make_room(struct ep_buf *out, size_t room, struct ep_err *err)
{
	size_t cap = out->len + room;
	if (cap <= out->cap)
		return 0;
	uint8_t *data = ep_realloc(out->data, cap);
	if (!data)
		return no_memory(err, cap);
	ep_pages_expect(data, cap);
	out->data = data;
	out->cap = cap;
	return 0;
}

/* What the rest of the file may unpack to: enough, or a start. */
static size_t guess(const uint8_t *p, size_t n)
{
	const uint8_t *t = p + n - 4;
	size_t hint = (size_t)t[0] | (size_t)t[1] << 8 | (size_t)t[2] << 16 |
		      (size_t)t[3] << 24;
	size_t most = n > SIZE_MAX / LARGEST_RATIO ? SIZE_MAX : n * LARGEST_RATIO;
	/* A small hint belongs to a small last member, so tells nothing of the rest. */
	if (hint > most || hint < n / 2)
		hint = n > most / USUAL_RATIO ? most : n * USUAL_RATIO;
	return hint < LEAST_GUESS ? LEAST_GUESS : hint;
}

static int too_big(const struct ep_buf *out, uint64_t pos, struct ep_err *err)
{
	return ep_fail(err, -E2BIG, pos,
		       "gzip unpacks to more than the limit of %zu bytes", out->max);
}

/* Unpack the member at p, enlarging the room until it fits.  *ret_n: its length. */
static int unpack_member(struct libdeflate_decompressor *d, const uint8_t *p, size_t n,
			 uint64_t pos, struct ep_buf *out, size_t *ret_n,
			 struct ep_err *err)
{
	size_t room = out->cap - out->len;
	if (room < LEAST_GUESS)
		room = guess(p, n);
	for (;;) {
		size_t left = out->max - out->len;
		if (room > left)
			room = left;
		EP_TRY(make_room(out, room, err));
		size_t got;
		enum libdeflate_result rc = libdeflate_gzip_decompress_ex(
			d, p, n, out->data ? out->data + out->len : NULL, room, ret_n,
			&got);
		if (rc == LIBDEFLATE_SUCCESS) {
			out->len += got;
			return 0;
		}
		if (rc != LIBDEFLATE_INSUFFICIENT_SPACE)
			return ep_fail(err, -EBADMSG, pos,
				       "gzip member is corrupt or cut short");
		if (room == left)
			return too_big(out, pos, err);
		room = room > SIZE_MAX / 2 ? left : room * 2;
	}
}

static int unpack_all(const uint8_t *p, size_t n, struct ep_buf *out,
		      struct ep_err *err)
{
	__attribute__((cleanup(unpacker_free))) struct libdeflate_decompressor *d =
		libdeflate_alloc_decompressor();
	if (!d)
		return no_memory(err, n);
	for (size_t at = 0; at < n;) {
		if (!ep_gzip_is(p + at, n - at))
			return ep_fail(
				err, -EBADMSG, at,
				"%zu bytes behind a gzip member are no other member",
				n - at);
		if (n - at < SMALLEST_MEMBER)
			return ep_fail(err, -ENODATA, at, "gzip member is cut short");
		size_t took;
		EP_TRY(unpack_member(d, p + at, n - at, at, out, &took, err));
		at += took;
	}
	return 0;
}

int ep_gzip_unpack(const void *data, size_t n, struct ep_buf *out, struct ep_err *err)
{
	if (!n)
		return ep_fail(err, -ENODATA, 0, "gzip file is empty");
	set_up();
	size_t before = out->len;
	int rc = unpack_all(data, n, out, err);
	if (rc < 0)
		out->len = before;
	return rc;
}

int ep_gzip_pack(const void *data, size_t n, int level, struct ep_buf *out,
		 struct ep_err *err)
{
	if (level < 1 || level > 12)
		return ep_fail(err, -EINVAL, 0, "gzip level %d is not of 1 to 12",
			       level);
	set_up();
	__attribute__((cleanup(packer_free))) struct libdeflate_compressor *c =
		libdeflate_alloc_compressor(level);
	if (!c)
		return no_memory(err, n);
	size_t room = libdeflate_gzip_compress_bound(c, n);
	if (room > out->max - out->len)
		room = out->max - out->len;
	EP_TRY(make_room(out, room, err));
	size_t got =
		room ? libdeflate_gzip_compress(c, data, n, out->data + out->len, room)
		     : 0;
	if (!got)
		return ep_fail(err, -E2BIG, 0, "gzip is over the limit of %zu bytes",
			       out->max);
	out->len += got;
	return 0;
}

int ep_gzip_unpack_zlib(const void *data, size_t n, void *out, size_t n_out,
			struct ep_err *err)
{
	set_up();
	__attribute__((cleanup(unpacker_free))) struct libdeflate_decompressor *d =
		libdeflate_alloc_decompressor();
	if (!d)
		return no_memory(err, n);
	if (libdeflate_zlib_decompress(d, data, n, out, n_out, NULL) !=
	    LIBDEFLATE_SUCCESS)
		return ep_fail(err, -EBADMSG, 0,
			       "zlib stream is corrupt or not of %zu bytes", n_out);
	return 0;
}
