/*
 * scale.h - arithmetic on the values of a profile, and differences.
 */
#ifndef EP_PROFILE_SCALE_H
#define EP_PROFILE_SCALE_H

#include "base/err.h"
#include "profile/merge.h"
#include "profile/profile.h"

/*
 * ep_scale - multiply each column by a ratio.
 *
 * Values are rounded half away from zero, and held at the ends of 64 bits.  A sample
 * stays only if a column whose ratio is not 1 is not zero in it; all ratios 1 change
 * nothing.
 *
 * in       p        gets new tables of samples and values in its arena, so that those of
 *                   others it may have borrowed stay (profile/view.h)
 *          ratios   one a sample type, finite
 * errors   -ENOMEM, -E2BIG; p is unchanged then
 * threads  one thread at a time per profile, like all below
 */
int ep_scale(struct ep_profile *p, const double *ratios, struct ep_err *err);

/*
 * ep_scale_normalize - make the columns of p sum up to those of base.
 *
 * A column that sums up to 0 in p becomes all 0.
 * errors   -EINVAL  sample types or period types differ
 *          -ENOMEM, -E2BIG
 */
int ep_scale_normalize(struct ep_profile *p, const struct ep_profile *base,
		       struct ep_err *err);

/* The label of a base's samples in a difference: their values are negative, and the
 * report's total is that of the base. */
#define EP_SCALE_BASE_KEY EP_MERGE_BASE_KEY

enum ep_scale_diff_mode {
	EP_SCALE_SUBTRACT = EP_MERGE_SUBTRACT, /* `-base` */
	EP_SCALE_COMPARE = EP_MERGE_COMPARE,   /* `-diff_base` */
};

/*
 * ep_scale_diff - source minus base as one profile.
 *
 * in       source, base  not changed
 * out      ret_p         untouched on failure
 * errors   those of ep_merge()
 * owns     the caller frees *ret_p with ep_profile_free()
 * threads  any thread, while nobody writes the two
 */
int ep_scale_diff(const struct ep_profile *source, const struct ep_profile *base,
		  enum ep_scale_diff_mode mode, struct ep_profile **ret_p,
		  struct ep_err *err);

/* The same of a source and a base that are not needed afterwards, as ep_merge_owned(). */
int ep_scale_diff_owned(struct ep_profile *both[2], enum ep_scale_diff_mode mode,
			struct ep_profile **ret_p, struct ep_err *err);

#endif
