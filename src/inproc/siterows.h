/*
 * siterows.h - from sites, which hooks fill, to the rows of a profile.
 */
#ifndef EP_INPROC_SITEROWS_H
#define EP_INPROC_SITEROWS_H

#include "inproc/sig/sites.h"
#include "inproc/tally.h"

/*
 * ep_siterows_add - one row of a site's stack and labels.
 *
 * in       age  a label of its own, or NULL; one pointer for each value
 * threads  under the drain lock
 */
void ep_siterows_add(struct ep_tally *t, const struct ep_sites *sites, const struct ep_site *s,
		 const char *age, const int64_t values[EP_TALLY_VALUES]);

/* An age as a label, in steps that tell a leak from a cache from a request. */
const char *ep_siterows_age(uint32_t seconds);

#endif
