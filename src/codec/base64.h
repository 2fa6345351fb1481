/*
 * base64.h - RFC 4648, section 4: padded, and both alphabets read.
 */
#ifndef EP_CODEC_BASE64_H
#define EP_CODEC_BASE64_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/* Append n bytes as text, padded. */
void ep_base64_encode(const void *p, size_t n, struct ep_buf *out);

/*
 * ep_base64_decode - append the bytes of a text.
 *
 * Takes '+/' and '-_', with padding or without.
 * errors   -EBADMSG with the offset of the first wrong character
 */
int ep_base64_decode(struct ep_slice text, struct ep_buf *out, struct ep_err *err);

#endif
