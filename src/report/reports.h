/*
 * reports.h - the kinds of reports, each a file of its own: what report.c lists.
 *
 * Each appends one report to `out`; a buffer that failed is report.c's to ask for.
 * What a report may change is `r` and its view.
 */
#ifndef EP_REPORT_REPORTS_H
#define EP_REPORT_REPORTS_H

#include "base/buf.h"
#include "base/err.h"
#include "report/prepare.h"

struct ep_objects;

#define EP_REPORTS_DECLARE(name)                                                       \
	int ep_##name##_write(struct ep_report *r, struct ep_objects *objects,         \
			      struct ep_buf *out, struct ep_err *err)

EP_REPORTS_DECLARE(callgrind);
EP_REPORTS_DECLARE(comments);
EP_REPORTS_DECLARE(disasm);
EP_REPORTS_DECLARE(dot);
EP_REPORTS_DECLARE(list);
EP_REPORTS_DECLARE(proto);
EP_REPORTS_DECLARE(raw);
EP_REPORTS_DECLARE(tags);
EP_REPORTS_DECLARE(traces);
EP_REPORTS_DECLARE(topproto);
EP_REPORTS_DECLARE(toptext);
EP_REPORTS_DECLARE(treetext); /* with an argument: peek */
EP_REPORTS_DECLARE(weblist);

#endif
