/*
 * namemap.h - a map from names to names, for the few that a report asks about.
 */
#ifndef EP_REPORT_NAMEMAP_H
#define EP_REPORT_NAMEMAP_H

#include "base/err.h"
#include "base/index.h"
#include "base/slice.h"
#include "codec/regex.h"

#include <stdint.h>

/* All zero is an empty one.  Keys and values are borrowed. */
struct ep_namemap {
	struct ep_slice *keys, *values;
	uint32_t n, cap;
	struct ep_index by_key;
};

/* The place of a key; EP_INDEX_NONE without it. */
uint32_t ep_namemap_find(const struct ep_namemap *m, struct ep_slice key);
/* Put a key in, with a new value if it is there already. 0 or -ENOMEM. */
int ep_namemap_put(struct ep_namemap *m, struct ep_slice key, struct ep_slice value);
void ep_namemap_fini(struct ep_namemap *m);

/*
 * ep_namemap_match - does a name match?  Each distinct name is matched once.
 *
 * inout    known  what was asked before; used for nothing else
 * returns  1, 0; -E2BIG over the work limit, -ENOMEM
 */
int ep_namemap_match(struct ep_namemap *known, const struct ep_regex *regex,
		     struct ep_slice name, struct ep_err *err);

#endif
