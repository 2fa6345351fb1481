/* raw.h - a profile as the reference's `pprof -raw` prints it, for comparisons. */
#ifndef EP_TEST_PROFILE_RAW_H
#define EP_TEST_PROFILE_RAW_H

#include "base/buf.h"
#include "profile/profile.h"

/* The ids to print; NULL: index + 1. */
struct raw_ids {
	const uint64_t *mappings, *locations;
};

void raw_format(const struct ep_profile *p, struct raw_ids ids, struct ep_buf *out);

#endif
