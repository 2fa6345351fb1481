/*
 * filters.h - the filters of a report's options, in the reference's order.
 */
#ifndef EP_REPORT_FILTERS_H
#define EP_REPORT_FILTERS_H

#include "base/err.h"
#include "report/prepare.h"

/*
 * ep_filters_apply - focus, ignore, hide, show, show_from, tagfocus, tagignore, tagshow,
 * taghide and prune_from, on the report's view.
 *
 * What matched nothing, and what is taken for a range, is said in the report's notes.
 *
 * errors   -EINVAL  "parsing focus regexp: …", before anything is filtered but for
 *                   tagshow and taghide; -ENOMEM, -E2BIG
 */
int ep_filters_apply(struct ep_report *r, struct ep_err *err);

#endif
