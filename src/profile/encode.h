/*
 * encode.h - a profile to bytes.
 */
#ifndef EP_PROFILE_ENCODE_H
#define EP_PROFILE_ENCODE_H

#include "base/buf.h"
#include "base/err.h"
#include "profile/profile.h"

/* Bound of a piece of the plain form in ep_encode_gzip(). */
#define EP_ENCODE_MAX ((size_t)2 << 30)

/*
 * ep_encode - append the protobuf form, plain.
 *
 * Byte for byte as the reference writer; ids are index + 1, or those of the file.  On failure the
 * buffer holds a part and remembers the failure.
 *
 * in       p  valid; as made by decode, build or the transforms
 * errors   -ENOMEM, -E2BIG (the buffer's maximum)
 * threads  any thread
 */
int ep_encode(const struct ep_profile *p, struct ep_buf *out, struct ep_err *err);

/* The same, gzip-compressed: what files and wires carry.  Over 4 MB it has several
 * members. */
int ep_encode_gzip(const struct ep_profile *p, struct ep_buf *out, struct ep_err *err);

#endif
