/*
 * graphjson.h - a graph's report as JSON: docs/formats/report-json.md.
 */
#ifndef EP_REPORT_GRAPHJSON_H
#define EP_REPORT_GRAPHJSON_H

#include "report/callgraph.h"

/*
 * ep_graphjson_write - text, tree, peek (the nodes its argument matches, and their
 * neighbours) and dot.
 *
 * errors   -ENOENT  a peek that matches nothing; -ENOMEM, -E2BIG
 */
int ep_graphjson_write(struct ep_report *r, struct ep_callgraph *g, struct ep_buf *out,
		       struct ep_err *err);

#endif
