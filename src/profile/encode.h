/*
 * encode.h - a profile to bytes.
 */
#ifndef EP_PROFILE_ENCODE_H
#define EP_PROFILE_ENCODE_H

#include "base/buf.h"
#include "base/err.h"
#include "profile/profile.h"

/*
 * ep_encode - append the protobuf form, plain.
 *
 * Field order as the reference writer; ids are index + 1.
 * errors   -ENOMEM, -E2BIG (the buffer's maximum)
 * threads  any thread
 */
int ep_encode(const struct ep_profile *p, struct ep_buf *out, struct ep_err *err);

/* The same, gzip-compressed: what files and wires carry. */
int ep_encode_gzip(const struct ep_profile *p, struct ep_buf *out, struct ep_err *err);

#endif
