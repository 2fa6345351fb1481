/*
 * xz.h - .xz files, whole in memory.
 *
 * liblzma is loaded when the first file is unpacked, since few commands meet one.
 */
#ifndef EP_CODEC_XZ_H
#define EP_CODEC_XZ_H

#include "base/buf.h"
#include "base/err.h"

/*
 * ep_xz_unpack - append the content of a file of one or several streams.
 *
 * in       out  its max bounds what is unpacked
 * out      out  as it was on failure
 * errors   -EBADMSG  corrupt or cut short
 *          -ENOTSUP  liblzma is not on this system
 *          -E2BIG    over out->max, or it wants over 256 MiB to work; -ENOMEM
 * threads  any thread
 */
int ep_xz_unpack(const void *data, size_t n, struct ep_buf *out, struct ep_err *err);

#endif
