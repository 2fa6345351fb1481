/*
 * units.h - numbers with units, as the reference scales, rounds and writes them.
 *
 * Bytes by 1024, times, GCUs; unknown units stay.  docs/pprof-compat.md has the rules.
 */
#ifndef EP_PROFILE_UNITS_H
#define EP_PROFILE_UNITS_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EP_UNITS_LABEL_MAX 96 /* bytes of any label below; longer units are cut */

/*
 * ep_units_scale - a value in another unit.
 *
 * in       from  unit of the value ("nanoseconds", "kb"…, any case)
 *          to    wanted; "auto" and "minimum" take the largest that is not below 1
 * out      ret_unit  the unit to print: static, or a slice of `to`
 * threads  any
 */
double ep_units_scale(int64_t value, struct ep_slice from, struct ep_slice to,
		      struct ep_slice *ret_unit);

/* The same for many values of one unit: the names are looked up once. */
struct ep_units_pair {
	double from, to;      /* sizes of the two in one base unit */
	struct ep_slice unit; /* to print */
	int family;	      /* of `from`; -1: unknown, values stay */
	bool automatic;	      /* `to` is chosen for each value */
};

struct ep_units_pair ep_units_pair(struct ep_slice from, struct ep_slice to);
double ep_units_convert(const struct ep_units_pair *u, int64_t value,
			struct ep_slice *ret_unit);

/* "1.50MB", "0", "10ms": the scaled value with its unit; returns buf. */
char *ep_units_label(char buf[EP_UNITS_LABEL_MAX], int64_t value, struct ep_slice from,
		     struct ep_slice to);
char *ep_units_pair_label(char buf[EP_UNITS_LABEL_MAX], const struct ep_units_pair *u,
			  int64_t value);

/* "12.34%", "  100%", "  0.5%": |value / total|, padded as in every column. */
char *ep_units_percent(char buf[EP_UNITS_LABEL_MAX], int64_t value, int64_t total);

/* Both are the same unit, or units of one family. */
bool ep_units_are_related(struct ep_slice a, struct ep_slice b);

/* The whole part of a number; what does not fit is INT64_MIN, as on the reference's CPU. */
static inline int64_t ep_units_whole(double v)
{
	return v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : INT64_MIN;
}

/* value * ratio, cut; a ratio of 1, 0 or below 0 changes nothing: `divide_by`. */
static inline int64_t ep_units_divided(int64_t value, double ratio)
{
	return ratio > 0 && ratio != 1 ? ep_units_whole((double)value * ratio) : value;
}

#endif
