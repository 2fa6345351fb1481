/*
 * limits.h - what one tenant may do.  0 is no limit everywhere.
 */
#ifndef EP_TENANT_LIMITS_H
#define EP_TENANT_LIMITS_H

#include <stdint.h>

/* The names in messages and in the configuration file are the members', with dashes. */
struct ep_limits {
	uint64_t rate;	     /* bytes of pushes a second, as they are sent */
	uint64_t burst;	     /* bytes at once above it; 0: ten seconds of the rate */
	uint64_t daily;	     /* bytes of pushes a day (UTC) */
	uint64_t profile_size; /* bytes of a profile, unpacked; 0: --max-profile alone */
	int64_t series;	     /* label sets that push within an hour */
	int64_t label_names; /* of a series */
	uint64_t label_name_size, label_value_size; /* bytes */
	int64_t label_values; /* of one label, within an hour */
	uint64_t query_time;  /* ns that a query may take */
	uint64_t query_bytes; /* of rows that it may read, unpacked */
	int64_t query_nodes;  /* of the tree it merges */
};

#endif
