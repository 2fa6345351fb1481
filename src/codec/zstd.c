/* zstd.c - zstd by libzstd.  See zstd.h. */
#include "codec/zstd.h"

#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

enum {
	/* 32 MB: what all levels but --ultra and --long need.  A frame of a few bytes may
	 * ask for any window, and gets it before it is read. */
	LARGEST_WINDOW_LOG = 25,
	MOST_OF_STATED = 8 << 20, /* of the stated size we believe this much at once */
};

static void unpacker_free(ZSTD_DCtx **d)
{
	(void)ZSTD_freeDCtx(*d); /* always 0 */
}

static void packer_free(ZSTD_CCtx **c)
{
	(void)ZSTD_freeCCtx(*c); /* always 0 */
}

bool ep_zstd_is(const void *data, size_t n)
{
	if (n < 4)
		return false;
	const uint8_t *p = data;
	uint32_t magic = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
			 (uint32_t)p[3] << 24;
	return magic == ZSTD_MAGICNUMBER ||
	       (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
}

/* Some room, never past the maximum; 0 or an error. */
static int make_room(struct ep_buf *out, size_t want, struct ep_err *err)
{
	size_t left = out->max - out->len;
	if (!left)
		return ep_fail(err, -E2BIG, 0,
			       "zstd unpacks to more than the limit of %zu bytes",
			       out->max);
	if (!ep_buf_reserve(out, want < left ? want : left))
		return ep_fail(err, out->failed, 0, "no memory for zstd");
	return 0;
}

static int bad(size_t rc, uint64_t pos, struct ep_err *err)
{
	int code = -EBADMSG;
	if (ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation)
		code = -ENOMEM;
	if (ZSTD_getErrorCode(rc) == ZSTD_error_frameParameter_windowTooLarge)
		return ep_fail(err, -E2BIG, pos,
			       "zstd asks for a window of over %d MB; pack it without --ultra "
			       "and --long",
			       1 << (LARGEST_WINDOW_LOG - 20));
	return ep_fail(err, code, pos, "zstd: %s", ZSTD_getErrorName(rc));
}

/* A byte more than allowed tells "just fits" from "over". */
static int at_the_limit(ZSTD_DCtx *d, ZSTD_inBuffer *in, size_t *ret_rc,
			const struct ep_buf *out, struct ep_err *err)
{
	char extra;
	ZSTD_outBuffer one = {.dst = &extra, .size = 1};
	*ret_rc = ZSTD_decompressStream(d, &one, in);
	if (one.pos)
		return ep_fail(err, -E2BIG, in->pos,
			       "zstd unpacks to more than the limit of %zu bytes",
			       out->max);
	return 0;
}

static int unpack_all(ZSTD_DCtx *d, const void *data, size_t n, struct ep_buf *out,
		      struct ep_err *err)
{
	ZSTD_inBuffer in = {.src = data, .size = n};
	size_t rc = 1;
	while (in.pos < n || rc) {
		size_t from = in.pos, had = out->len;
		if (out->len == out->max) {
			EP_TRY(at_the_limit(d, &in, &rc, out, err));
		} else {
			EP_TRY(make_room(out, ZSTD_DStreamOutSize(), err));
			ZSTD_outBuffer o = {.dst = out->data,
					    .size = out->cap < out->max ? out->cap
									: out->max,
					    .pos = out->len};
			rc = ZSTD_decompressStream(d, &o, &in);
			out->len = o.pos;
		}
		if (ZSTD_isError(rc))
			return bad(rc, in.pos, err);
		if (rc && in.pos == from && out->len == had)
			return ep_fail(err, -ENODATA, in.pos,
				       "zstd frame is cut short");
	}
	return 0;
}

/* The size a frame states saves the copies of growing; it may lie, so not all of it. */
static void reserve_stated(const void *data, size_t n, struct ep_buf *out)
{
	unsigned long long size = ZSTD_getFrameContentSize(data, n);
	if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR)
		return;
	if (size > MOST_OF_STATED)
		size = MOST_OF_STATED;
	if (size <= out->max - out->len)
		(void)ep_buf_reserve(out, (size_t)size); /* asked again when needed */
}

int ep_zstd_unpack(const void *data, size_t n, struct ep_buf *out, struct ep_err *err)
{
	if (!n)
		return ep_fail(err, -ENODATA, 0, "zstd file is empty");
	__attribute__((cleanup(unpacker_free))) ZSTD_DCtx *d = ZSTD_createDCtx();
	if (!d)
		return ep_fail(err, -ENOMEM, 0, "no memory for zstd");
	(void)ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax,
				     LARGEST_WINDOW_LOG); /* lawful */
	size_t before = out->len;
	reserve_stated(data, n, out);
	int rc = unpack_all(d, data, n, out, err);
	if (rc < 0)
		out->len = before;
	return rc;
}

int ep_zstd_pack(const void *data, size_t n, int level, struct ep_buf *out,
		 struct ep_err *err)
{
	if (level < 1 || level > ZSTD_maxCLevel())
		return ep_fail(err, -EINVAL, 0, "zstd level %d is not of 1 to %d",
			       level, ZSTD_maxCLevel());
	__attribute__((cleanup(packer_free))) ZSTD_CCtx *c = ZSTD_createCCtx();
	if (!c)
		return ep_fail(err, -ENOMEM, 0, "no memory for zstd");
	(void)ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel,
				     level);			 /* checked above */
	(void)ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1); /* lawful */
	size_t room = ZSTD_compressBound(n);
	if (room > out->max - out->len)
		room = out->max - out->len;
	if (!ep_buf_reserve(out, room) && room)
		return ep_fail(err, out->failed, 0, "no memory for zstd");
	size_t got = ZSTD_compress2(c, out->data ? out->data + out->len : NULL, room,
				    data, n);
	if (ZSTD_isError(got) && ZSTD_getErrorCode(got) == ZSTD_error_dstSize_tooSmall)
		return ep_fail(err, -E2BIG, 0, "zstd is over the limit of %zu bytes",
			       out->max);
	if (ZSTD_isError(got))
		return bad(got, 0, err);
	out->len += got;
	return 0;
}

struct ep_zstd {
	ZSTD_CCtx *pack;
	ZSTD_DCtx *unpack;
};

struct ep_zstd *ep_zstd_new(void)
{
	struct ep_zstd *z = ep_zalloc(sizeof(*z));
	if (!z)
		return NULL;
	z->pack = ZSTD_createCCtx();
	z->unpack = ZSTD_createDCtx();
	if (z->pack && z->unpack)
		return z;
	ep_zstd_free(z);
	return NULL;
}

void ep_zstd_free(struct ep_zstd *z)
{
	if (!z)
		return;
	(void)ZSTD_freeCCtx(z->pack); /* always 0; NULL is fine */
	(void)ZSTD_freeDCtx(z->unpack);
	ep_free(z);
}

int ep_zstd_pack_with(struct ep_zstd *z, const void *data, size_t n, struct ep_buf *out,
		      struct ep_err *err)
{
	size_t room = ZSTD_compressBound(n);
	uint8_t *to = ep_buf_reserve(out, room);
	if (!to)
		return ep_fail(err, out->failed, 0, "no room for %zu bytes of zstd", room);
	size_t got = ZSTD_compressCCtx(z->pack, to, room, data, n, EP_ZSTD_LEVEL);
	if (ZSTD_isError(got))
		return bad(got, 0, err);
	out->len += got;
	return 0;
}

int ep_zstd_unpack_with(struct ep_zstd *z, const void *data, size_t n, void *dst,
			size_t n_dst, struct ep_err *err)
{
	size_t got = ZSTD_decompressDCtx(z->unpack, dst, n_dst, data, n);
	if (ZSTD_isError(got))
		return bad(got, 0, err);
	if (got != n_dst)
		return ep_fail(err, -EBADMSG, 0, "zstd unpacks to %zu bytes, %zu were stated",
			       got, n_dst);
	return 0;
}
