/*
 * aggregate.h - forget what a report does not tell apart.
 */
#ifndef EP_PROFILE_AGGREGATE_H
#define EP_PROFILE_AGGREGATE_H

#include "base/err.h"
#include "profile/profile.h"

/* What is kept. */
struct ep_aggregate {
	bool inlines; /* else only the outermost line of a location */
	bool functions, files, lines, columns, addresses;
};

/*
 * ep_aggregate - make a view's locations coarser.
 *
 * What is forgotten becomes 0 or "".  Elements that are equal afterwards stay apart:
 * indexes do not change.
 *
 * in       view  of profile/view.h; it gets tables of its own, the base stays
 * errors   -ENOMEM, -E2BIG; the view is unchanged then
 * threads  one thread at a time per view
 */
int ep_aggregate(struct ep_profile *view, struct ep_aggregate keep, struct ep_err *err);

#endif
