/*
 * prune.h - cut what lies beneath a frame: the insides of an allocator, of a lock.
 *
 * Functions are matched by their names without arguments, each name once.  The views
 * are of profile/view.h.
 */
#ifndef EP_PROFILE_PRUNE_H
#define EP_PROFILE_PRUNE_H

#include "base/err.h"
#include "codec/regex.h"
#include "profile/profile.h"

/*
 * ep_prune - from the root on, cut at the first function that matches.
 *
 * It goes too, with all below it.  Matches before the first frame that is none are
 * passed over, so that a stack of matches alone stays whole.
 *
 * in       drop, keep  what matches keep does not match drop; keep may be NULL
 * errors   -ENOMEM, -E2BIG; the view can only be freed then
 * threads  one thread at a time per view
 */
int ep_prune(struct ep_profile *view, const struct ep_regex *drop,
	     const struct ep_regex *keep, struct ep_err *err);

/*
 * ep_prune_uninteresting - by what the profile itself says: drop_frames, keep_frames.
 *
 * Without drop_frames nothing is done; once a profile, after its names are known.
 *
 * errors   -EINVAL  it is no regular expression; the view is unchanged, and the
 *                   reference goes on
 */
int ep_prune_uninteresting(struct ep_profile *view, struct ep_err *err);

/* ep_prune_from - from the leaf on, cut below the first function that matches, which
 * stays. */
int ep_prune_from(struct ep_profile *view, const struct ep_regex *r, struct ep_err *err);

/* A function's name without arguments and the dot that some start with. */
struct ep_slice ep_prune_simple_name(struct ep_slice name);

#endif
