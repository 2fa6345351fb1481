/*
 * merge.h - several profiles to one, as the reference merges.
 *
 * What is equal is one: mappings by size, offset and build ID (else file name),
 * locations by their place in the mapping, so that the same code loaded elsewhere is
 * the same; functions by their names, file and start line; samples by stack and
 * labels.  Rules: docs/formats/pprof.md.
 */
#ifndef EP_PROFILE_MERGE_H
#define EP_PROFILE_MERGE_H

#include "base/err.h"
#include "profile/profile.h"

/*
 * ep_merge - merge n profiles; of one it makes the compact form.
 *
 * Samples whose values are all zero are dropped, before and after summing; what no
 * sample refers to goes.  Elements stand in the order of their first use, but the
 * first mapping stays the first.  time_ns is the smallest (an unknown one counts as 0
 * behind a known one, as in the reference), duration_ns the sum, period the largest,
 * comments the union (ledgers add up, profile/ledger.h); default_sample_type and doc_url
 * are the first that is set, drop_frames and keep_frames those of the first profile.
 * Sums wrap at 64 bits.
 *
 * in       profiles   valid; n at least 1.  Not changed, not kept
 *          max_bytes  bound of the result, 0 for none
 * out      ret_p      untouched on failure
 * errors   -EINVAL  none given, or period types or sample types that differ
 *          -E2BIG   over max_bytes or 32-bit tables, -ENOMEM
 * owns     the caller frees *ret_p with ep_profile_free()
 * threads  any thread, while nobody writes the profiles
 * cost     linear in the stacks; each distinct string is hashed once a profile
 */
int ep_merge(const struct ep_profile *const *profiles, size_t n, size_t max_bytes,
	     struct ep_profile **ret_p, struct ep_err *err);

/* Period types and sample types are the same: 0, or -EINVAL and why not. */
int ep_merge_check(const struct ep_profile *a, const struct ep_profile *b,
		   struct ep_err *err);

/* What a profile is to the sum. */
enum ep_merge_role {
	EP_MERGE_ADD,
	EP_MERGE_SUBTRACT, /* its values count negative: equal samples may cancel */
	EP_MERGE_COMPARE,  /* so too, and EP_MERGE_BASE_KEY="true" keeps its samples apart */
};

#define EP_MERGE_BASE_KEY "pprof::base"

/* The same, each profile in the role at its place; roles NULL: all are added. */
int ep_merge_as(const struct ep_profile *const *profiles, const enum ep_merge_role *roles,
		size_t n, size_t max_bytes, struct ep_profile **ret_p, struct ep_err *err);

/*
 * ep_merge_owned - ep_merge_as() of profiles that are not needed afterwards: each is
 * freed, and set to NULL, once it is read, so that memory is little more than that of the
 * result.  On failure those that are left are still the caller's.
 */
int ep_merge_owned(struct ep_profile **profiles, const enum ep_merge_role *roles, size_t n,
		   size_t max_bytes, struct ep_profile **ret_p, struct ep_err *err);

/*
 * The same, profile by profile, for those who have many and not all at once.
 *
 * ep_merge_take() adds one and frees it, setting *p to NULL.  -EINVAL: its types differ
 * from those of the first; it stays the caller's, and the sum as it was.  After any other
 * failure the sum can only be freed.  ep_merge_finish() hands out the sum, as ep_merge()
 * would; ep_merge_free() is due in any case.  One thread at a time per object.
 */
struct ep_merge;
int ep_merge_start(size_t max_bytes, struct ep_merge **ret_m); /* 0 or -ENOMEM */
int ep_merge_take(struct ep_merge *m, struct ep_profile **p, struct ep_err *err);
int ep_merge_finish(struct ep_merge *m, struct ep_profile **ret_p, struct ep_err *err);
void ep_merge_free(struct ep_merge *m);
EP_DEFINE_AUTO(ep_merge);

#endif
