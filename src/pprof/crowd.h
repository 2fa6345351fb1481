/*
 * crowd.h - many sources at once.
 *
 * Files by as many threads as there are processors; URLs all together, since a
 * profile that takes 30 s takes them of all servers at the same time.
 */
#ifndef EP_PPROF_CROWD_H
#define EP_PPROF_CROWD_H

#include "pprof/origin.h"

enum { EP_CROWD_MAX = 128 }; /* as many the reference has in work */

struct ep_crowd_one {
	struct ep_origin origin; /* when rc is not negative; the caller frees it */
	struct ep_err err;
	int rc;
};

/*
 * ep_crowd - load n sources.
 *
 * in       n      at most EP_CROWD_MAX
 * out      ret_v  n elements, in the order of the names
 * threads  one at a time; notes come from many
 */
void ep_crowd(const char *const *names, size_t n, const struct ep_origin_options *o,
	      struct ep_crowd_one *ret_v);

/* Would any of these be fetched?  (Not the name of a file that is there.) */
bool ep_crowd_has_remote(const char *const *names, size_t n);

#endif
