/*
 * framefilter.h - filters by the names in stacks: focus, ignore, hide, show, show_from.
 *
 * A regular expression is asked once a distinct string, a location judged once; then
 * one pass over the samples.  The views are of profile/view.h: the base stays as it
 * was.  Only samples go; what they alone referred to stays in the tables.
 */
#ifndef EP_PROFILE_FRAMEFILTER_H
#define EP_PROFILE_FRAMEFILTER_H

#include "base/err.h"
#include "codec/regex.h"
#include "profile/profile.h"

/* Each matches function and file names of lines, and the file of mappings; NULL: not
 * asked for. */
struct ep_framefilter {
	const struct ep_regex *focus;  /* keep samples with a location that matches */
	const struct ep_regex *ignore; /* drop those with one; stronger than focus */
	const struct ep_regex *hide;   /* take the lines that match out of stacks */
	const struct ep_regex *show;   /* take the others out */
};

/* Which of them matched anything, in the locations of the profile. */
struct ep_framefilter_found {
	bool focus, ignore, hide, show;
};

/*
 * ep_framefilter_apply - all four at once.
 *
 * A sample without a location left is dropped, if something was hidden or if it had
 * none before; with all four NULL nothing is done.
 *
 * errors   -ENOMEM, -E2BIG (a regular expression's limit too); the view can only be
 *          freed then
 * threads  one thread at a time per view
 */
int ep_framefilter_apply(struct ep_profile *view, const struct ep_framefilter *f,
		     struct ep_framefilter_found *ret_found, struct ep_err *err);

/*
 * ep_framefilter_show_from - cut stacks above the match that is closest to the root.
 *
 * Samples without a match are dropped.  Errors and threads as above.
 */
int ep_framefilter_show_from(struct ep_profile *view, const struct ep_regex *r, bool *ret_found,
			struct ep_err *err);

#endif
