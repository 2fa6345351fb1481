/*
 * filter.h - keep the samples of a profile whose labels match.
 */
#ifndef EP_PROFILE_FILTER_H
#define EP_PROFILE_FILTER_H

#include "base/err.h"
#include "profile/profile.h"

/* Does a label's value match?  Any thread; called once for each distinct string. */
typedef bool ep_filter_fn(void *ctx, struct ep_slice value);

/*
 * One condition on the label `key`.  A string label is matched by its value, a numeric
 * one by its decimal number without a unit, a label that is not there as "".  Of
 * several values one must match.  `negate` turns the whole around.
 */
struct ep_filter_term {
	struct ep_slice key;
	ep_filter_fn *match;
	void *ctx;
	bool negate;
};

/* A match for equality: ctx is a struct ep_slice. */
ep_filter_fn ep_filter_equals;

/*
 * ep_filter_labels - keep the samples that meet all terms, in place.
 *
 * Only samples go; what they alone referred to stays until the next ep_merge().
 *
 * errors   -ENOMEM  the profile is unchanged then
 * threads  one thread at a time per profile
 * cost     a match a distinct string and term, then a look-up a label
 */
int ep_filter_labels(struct ep_profile *p, const struct ep_filter_term *terms,
		     size_t n_terms, struct ep_err *err);

#endif
