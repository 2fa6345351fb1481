/*
 * tagrange.h - ranges of numeric labels in tag filters: "12kb:64mb".
 */
#ifndef EP_PROFILE_TAGRANGE_H
#define EP_PROFILE_TAGRANGE_H

#include "base/err.h"
#include "profile/units.h"

struct ep_tagrange {
	double low, high;     /* in `unit`, both inclusive */
	struct ep_slice unit; /* "": of numbers without one; a slice of the text or static */
};

/*
 * ep_tagrange_parse - read "N", ":N", "N:" or "N:N", each N an integer with letters
 * behind it for a unit.
 *
 * returns  1; 0 when it is none of these; -EINVAL when a number is over 64 bits
 */
int ep_tagrange_parse(struct ep_slice text, struct ep_tagrange *ret, struct ep_err *err);

/* A label's value is in the range; `pair` is from the label's unit to the range's.
 * Units of another family never are. */
static inline bool ep_tagrange_holds(const struct ep_tagrange *r,
				     const struct ep_units_pair *pair, int64_t value)
{
	struct ep_slice unit;
	double v = ep_units_convert(pair, value, &unit);
	return v >= r->low && v <= r->high && ep_slice_eq(unit, r->unit);
}

#endif
