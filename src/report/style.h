/*
 * style.h - what a terminal adds to text: names that fit, and colours.
 *
 * Without `width` and `colour` among the options nothing here changes a byte.
 */
#ifndef EP_REPORT_STYLE_H
#define EP_REPORT_STYLE_H

#include "report/prepare.h"

/*
 * ep_style_name - append a name, cut in the middle ("github.c…*Server).Handle") where
 * the line would not fit otherwise.
 *
 * in       taken  columns of the line that stand before and behind the name
 *          share  of the total that is the name's, -1 to 1: tells its colour
 */
void ep_style_name(const struct ep_report *r, struct ep_slice name, size_t taken,
		   double share, struct ep_buf *out);

/* Append what is of less weight than its neighbours: dim. */
void ep_style_aside(const struct ep_report *r, const char *text, struct ep_buf *out);

/* The share of the total that a value is; 0 of an empty total. */
double ep_style_share(const struct ep_report *r, int64_t value);

#endif
