/*
 * compat.h - several profiles made alike before they are merged: the same columns, in
 * the same units.
 */
#ifndef EP_PROFILE_COMPAT_H
#define EP_PROFILE_COMPAT_H

#include "base/err.h"
#include "profile/profile.h"

/*
 * ep_compat_prepare - what reports do with all profiles they are given, also with one.
 *
 * Only the sample types stay that each has exactly once, by name, in the order of the
 * first profile.  Then values and periods are scaled to the finest unit of each type;
 * a sample that becomes all zero there is dropped.
 *
 * in       profiles  the caller's own or views; they get new tables, what others may
 *                    have lent them stays
 * errors   -EINVAL   no type is common to all, or units or period types do not go
 *                    together, in the reference's words
 *          -ENOMEM, -E2BIG; the profiles can only be freed then
 * threads  one thread at a time for all of them
 */
int ep_compat_prepare(struct ep_profile *const *profiles, size_t n, struct ep_err *err);

#endif
