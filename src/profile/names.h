/*
 * names.h - give names to locations of a finished profile.
 *
 * For a profile that was made with addresses alone.  Names are collected beside
 * the profile, which stays readable and unchanged, and put in place at the end.
 */
#ifndef EP_PROFILE_NAMES_H
#define EP_PROFILE_NAMES_H

#include "base/err.h"
#include "profile/profile.h"

struct ep_names;

/*
 * in       p   borrowed; must not change until finish
 * errors   -ENOMEM
 * owns     the caller frees with ep_names_free(), also after finish
 * threads  one thread at a time per object; not signal-safe
 */
int ep_names_new(struct ep_profile *p, struct ep_names **ret_n);
void ep_names_free(struct ep_names *n);
EP_DEFINE_AUTO(ep_names);

/*
 * ep_names_set - one function, one line, for a location that has none yet.
 *
 * in       location  index in the profile; a location with lines stays as it is
 *          strings   copied; filename may be empty
 * errors   none here: the first failure is kept for finish
 */
void ep_names_set(struct ep_names *n, uint32_t location, struct ep_slice name,
		  struct ep_slice system_name, struct ep_slice filename);

/*
 * ep_names_finish - put all of them into the profile.
 *
 * errors   -ENOMEM, -E2BIG (the arena's bound): the profile is as it was
 */
int ep_names_finish(struct ep_names *n, struct ep_err *err);

#endif
