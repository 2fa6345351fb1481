/*
 * decode.h - bytes to a profile.
 *
 * Takes gzip (any number of members), zstd or plain protobuf, told apart by
 * their first bytes.  A streaming decoder of our own: one pass, strings are not
 * copied, sparse ids are made dense, time and memory grow linearly.
 */
#ifndef EP_PROFILE_DECODE_H
#define EP_PROFILE_DECODE_H

#include "base/buf.h"
#include "base/err.h"
#include "profile/profile.h"

#define EP_DECODE_DEFAULT_MAX ((size_t)64 << 20)

/* err->text of two profiles one behind the other. */
#define EP_DECODE_CONCATENATED "concatenated profiles detected"

/*
 * ep_decode - read and validate one profile.
 *
 * in       data, n    the bytes; copied or unpacked into the profile's arena, so
 *                     the caller may free them afterwards
 *          max_bytes  bound on the unpacked bytes; 0: EP_DECODE_DEFAULT_MAX.  The
 *                     tables may take a small multiple of it on top
 * out      ret_p      untouched on failure
 * errors   -ENODATA   empty or truncated; err->pos is the offset in the unpacked bytes
 *          -EBADMSG   malformed or inconsistent; the text names the fault as in
 *                     docs/formats/pprof.md
 *          -E2BIG     over max_bytes or a table limit; the text names the limit
 *          -ENOMEM
 * owns     the caller frees *ret_p with ep_profile_free()
 * threads  any thread
 * cost     about one pass over the unpacked bytes
 */
int ep_decode(const void *data, size_t n, size_t max_bytes, struct ep_profile **ret_p,
	      struct ep_err *err);

/*
 * The two steps of it, for whoever has another use for bytes that are no pprof.
 *
 * ep_decode_unpack - the plain bytes; those that are not packed are copied.
 *
 * in       max_bytes  as above
 * out      out        initialized here; to be freed by the caller, on failure too
 * errors   of ep_gzip_unpack(), ep_zstd_unpack(); -E2BIG, -ENOMEM
 */
int ep_decode_unpack(const void *data, size_t n, size_t max_bytes, struct ep_buf *out,
		     struct ep_err *err);

/*
 * ep_decode_take - a profile from plain protobuf.
 *
 * in       bytes  become the profile's; on failure they stay the caller's, but samples
 *                 that were read may be zeros then
 * errors   as ep_decode()
 */
int ep_decode_take(struct ep_buf *bytes, struct ep_profile **ret_p, struct ep_err *err);

#endif
