/*
 * tagroot.h - labels as frames: pseudo functions at the root and the leaf of stacks.
 */
#ifndef EP_PROFILE_TAGROOT_H
#define EP_PROFILE_TAGROOT_H

#include "base/err.h"
#include "profile/profile.h"

struct ep_tagroot {
	const char *root; /* keys with commas between; the first becomes the root */
	const char *leaf; /* the last becomes the leaf */
	const char *unit; /* that numeric values with a unit are written in */
};

/*
 * ep_tagroot_add - a frame a key in every stack of a view.
 *
 * Its function is the values of the key, with commas between, its file the key; a
 * sample without the key has a frame without a name.  The new functions and locations
 * stand behind the others.
 *
 * in       view  of profile/view.h
 * out      ret_root, ret_leaf  whether any sample has any of the keys
 * errors   -ENOMEM, -E2BIG; the view can only be freed then
 * threads  one thread at a time per view
 */
int ep_tagroot_add(struct ep_profile *view, const struct ep_tagroot *t, bool *ret_root,
		   bool *ret_leaf, struct ep_err *err);

#endif
