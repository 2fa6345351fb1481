/*
 * zstd.h - zstd frames, whole in memory (RFC 8878).
 */
#ifndef EP_CODEC_ZSTD_H
#define EP_CODEC_ZSTD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>

#define EP_ZSTD_LEVEL 3 /* stored blocks: 9 saves 4-10 % for 5-8 times the CPU */

/* Does it begin with a zstd frame (or a skippable one)? */
bool ep_zstd_is(const void *data, size_t n);

/*
 * ep_zstd_unpack - append the content of all frames to a buffer.
 *
 * in       out  its max bounds what is unpacked
 * out      out  as it was on failure
 * errors   -ENODATA  empty or cut short
 *          -EBADMSG  corrupt; err->pos is the offset reached in data
 *          -E2BIG    over out->max, -ENOMEM
 * threads  any thread
 */
int ep_zstd_unpack(const void *data, size_t n, struct ep_buf *out, struct ep_err *err);

/*
 * ep_zstd_pack - append data as one frame with its size and checksum.
 *
 * out      out  as it was on failure
 * errors   -E2BIG (over out->max), -ENOMEM, -EINVAL (level)
 * threads  any thread
 */
int ep_zstd_pack(const void *data, size_t n, int level, struct ep_buf *out,
		 struct ep_err *err);

/*
 * A worker's own state, for many small frames: making it anew costs more than the
 * frame.  One thread at a time per object.  NULL when memory is short.
 */
struct ep_zstd;
struct ep_zstd *ep_zstd_new(void);
void ep_zstd_free(struct ep_zstd *z);
EP_DEFINE_AUTO(ep_zstd);
/* ep_zstd_pack() at EP_ZSTD_LEVEL and without the frame's checksum: the caller has
 * one of its own. */
int ep_zstd_pack_with(struct ep_zstd *z, const void *data, size_t n, struct ep_buf *out,
		      struct ep_err *err);
/* Unpack a frame of which n_dst bytes must come, no more, no less; else -EBADMSG. */
int ep_zstd_unpack_with(struct ep_zstd *z, const void *data, size_t n, void *dst,
			size_t n_dst, struct ep_err *err);

#endif
