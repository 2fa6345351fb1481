/*
 * gzip.h - gzip files, whole in memory (RFC 1952).
 *
 * A file may have several members; they are joined.  The size field at the end
 * of a member is only a hint: it wraps, and it may lie.
 */
#ifndef EP_CODEC_GZIP_H
#define EP_CODEC_GZIP_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

/* 1: ten times the speed of zlib's 6 at nearly its ratio; 6: smaller; 12: smallest. */
#define EP_GZIP_FAST 1
#define EP_GZIP_SMALL 6

/* Does it begin like a gzip file? */
bool ep_gzip_is(const void *data, size_t n);

/*
 * ep_gzip_unpack - append the content of all members to a buffer.
 *
 * in       out  its max bounds what is unpacked; memory stays within it
 * out      out  as it was on failure
 * errors   -ENODATA  empty or shorter than a member can be
 *          -EBADMSG  corrupt or cut short, wrong checksum, or something else behind
 *                    a member; err->pos is the offset of that member in data
 *          -E2BIG    over out->max, -ENOMEM
 * threads  any thread
 */
int ep_gzip_unpack(const void *data, size_t n, struct ep_buf *out, struct ep_err *err);

/*
 * ep_gzip_pack - append data as one member.
 *
 * in       level  1 to 12, see above
 * out      out    as it was on failure
 * errors   -E2BIG (the packed form is over out->max), -ENOMEM, -EINVAL (level)
 * threads  any thread
 */
int ep_gzip_pack(const void *data, size_t n, int level, struct ep_buf *out,
		 struct ep_err *err);

/*
 * ep_gzip_unpack_zlib - unpack a zlib stream (RFC 1950) of known size.
 *
 * in       n_out  what must come of it, no more, no less
 * errors   -EBADMSG, -ENOMEM
 * threads  any thread
 */
int ep_gzip_unpack_zlib(const void *data, size_t n, void *out, size_t n_out,
			struct ep_err *err);

#endif
