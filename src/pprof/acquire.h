/*
 * acquire.h - from a command line's sources to the one profile that reports are made
 * of.
 */
#ifndef EP_PPROF_ACQUIRE_H
#define EP_PPROF_ACQUIRE_H

#include "pprof/args.h"
#include "profile/profile.h"

struct ep_fetch;
struct ep_objects;

struct ep_acquire_with {
	const struct ep_fetch *fetch; /* for URLs */
	struct ep_objects *objects;   /* binaries, for names */
	const struct ep_notes *notes;
};

struct ep_acquired {
	struct ep_profile *base;    /* owned; what the next one borrows from */
	struct ep_profile *profile; /* owned; for reports */
};

void ep_acquired_fini(struct ep_acquired *a);

/*
 * ep_acquire_profile - read, merge, subtract, symbolize, prune: in the reference's
 * order.
 *
 * A source that can't be read is noted, and the others go on.
 *
 * out      ret    untouched on failure; the caller frees it with ep_acquired_fini()
 * errors   -ENOENT not one source, or base, could be read; those of merging
 * threads  one at a time
 */
int ep_acquire_profile(const struct ep_args *a, const struct ep_acquire_with *with,
		       struct ep_acquired *ret, struct ep_err *err);

#endif
