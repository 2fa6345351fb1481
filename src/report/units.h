/*
 * units.h - numbers with units, as the reference scales, rounds and writes them.
 *
 * Bytes by 1024, times, GCUs; unknown units stay.  docs/pprof-compat.md has the rules.
 */
#ifndef EP_REPORT_UNITS_H
#define EP_REPORT_UNITS_H

#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

#define EP_UNITS_LABEL_MAX 64 /* bytes of any label below; longer units are cut */

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

/* "1.50MB", "0", "10ms": the scaled value with its unit; returns buf. */
char *ep_units_label(char buf[EP_UNITS_LABEL_MAX], int64_t value, struct ep_slice from,
		     struct ep_slice to);

/* "12.34%", "  100%", "  0.5%": |value / total|, padded as in every column. */
char *ep_units_percent(char buf[EP_UNITS_LABEL_MAX], int64_t value, int64_t total);

#endif
