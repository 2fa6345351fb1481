/*
 * heading.h - the lines over a graph's report: of the profile, of what is shown, of
 * what was left out.
 */
#ifndef EP_REPORT_HEADING_H
#define EP_REPORT_HEADING_H

#include "report/callgraph.h"

/* in: is_full  lines of the profile in any case, and of edges that were left out */
void ep_heading_add(const struct ep_report *r, const struct ep_callgraph *g, bool is_full,
		    struct ep_buf *out);

/* A share of the total without spaces around it. */
const char *ep_heading_percent(char buf[EP_UNITS_LABEL_MAX], int64_t value, int64_t total);

#endif
