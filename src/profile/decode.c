/*
 * decode.c - bytes of any packing to a profile.  See decode.h.
 *
 * Unpack, scan.c counts, fill.c fills.  The unpacked bytes stay in the profile,
 * since its strings are slices of them.
 */
#include "profile/decode.h"

#include "codec/gzip.h"
#include "codec/zstd.h"
#include "profile/fill.h"

/* Indexes and counts of a profile have 32 bits, and none exceeds its bytes. */
#define MOST_BYTES ((size_t)UINT32_MAX - 1)

static int copy(const void *data, size_t n, struct ep_buf *out, struct ep_err *err)
{
	if (n > out->max)
		return ep_fail(err, -E2BIG, out->max,
			       "profile of %zu bytes is over the limit of %zu", n,
			       out->max);
	if (!n)
		return 0;
	out->data = ep_alloc(n);
	if (!out->data)
		return ep_fail(err, -ENOMEM, 0, "no memory for %zu bytes of profile",
			       n);
	memcpy(out->data, data, n);
	out->len = out->cap = n;
	return 0;
}

int ep_decode_unpack(const void *data, size_t n, size_t max_bytes, struct ep_buf *out,
		     struct ep_err *err)
{
	if (!max_bytes)
		max_bytes = EP_DECODE_DEFAULT_MAX;
	ep_buf_init(out, max_bytes < MOST_BYTES ? max_bytes : MOST_BYTES);
	if (ep_gzip_is(data, n))
		return ep_gzip_unpack(data, n, out, err);
	if (ep_zstd_is(data, n))
		return ep_zstd_unpack(data, n, out, err);
	return copy(data, n, out, err);
}

/* Without the room the unpacker had left over. */
static void fit(struct ep_buf *bytes)
{
	void *data = ep_realloc(bytes->data, bytes->len);
	if (!data)
		return;
	bytes->data = data;
	bytes->cap = bytes->len;
}

int ep_decode_take(struct ep_buf *bytes, struct ep_profile **ret_p, struct ep_err *err)
{
	if (!bytes->len)
		return ep_fail(err, -ENODATA, 0, "empty input file");
	ep_auto(ep_profile) p = ep_profile_new(0);
	if (!p)
		return ep_fail(err, -ENOMEM, 0, "no memory for the profile");
	fit(bytes);
	struct ep_scan scan;
	EP_TRY(ep_scan(bytes->data, bytes->len, &scan, err));
	EP_TRY(ep_fill(&scan, p, err));
	if (ep_arena_adopt(p->arena, bytes->data, bytes->len) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for the profile");
	ep_buf_init(bytes, bytes->max); /* its bytes are the profile's now */
	*ret_p = ep_take(&p);
	return 0;
}

int ep_decode(const void *data, size_t n, size_t max_bytes, struct ep_profile **ret_p,
	      struct ep_err *err)
{
	if (!n)
		return ep_fail(err, -ENODATA, 0, "empty input file");
	ep_auto_buf bytes = {0};
	EP_TRY(ep_decode_unpack(data, n, max_bytes, &bytes, err));
	return ep_decode_take(&bytes, ret_p, err);
}
