/*
 * legacy.h - any profile format to a profile: told by content, never by file name.
 *
 * pprof itself (profile/decode.h), the older formats of gperftools, jemalloc, Go and
 * Java, folded stacks, the text of `perf script`.  docs/formats/other-profiles.md.
 */
#ifndef EP_LEGACY_LEGACY_H
#define EP_LEGACY_LEGACY_H

#include "base/err.h"
#include "profile/profile.h"

/*
 * ep_legacy_decode - read a profile in whatever format it is.
 *
 * in       data, n    the bytes, perhaps compressed (gzip, zstd)
 *          max_bytes  bound on the unpacked bytes; 0: 1 GiB
 * out      ret_p      untouched on failure
 * errors   -ENODATA   empty or truncated; err->pos is the offset
 *          -EBADMSG   a known format, but malformed; or no format we know: then the
 *                     sentence lists what it could have been
 *          -E2BIG, -ENOMEM
 * owns     the caller frees *ret_p with ep_profile_free()
 * threads  any thread
 */
int ep_legacy_decode(const void *data, size_t n, size_t max_bytes,
		     struct ep_profile **ret_p, struct ep_err *err);

#endif
