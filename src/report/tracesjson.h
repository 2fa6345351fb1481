/*
 * tracesjson.h - every sample as JSON: docs/formats/report-json.md.
 */
#ifndef EP_REPORT_TRACESJSON_H
#define EP_REPORT_TRACESJSON_H

#include "report/prepare.h"

/* errors: -ENOMEM, -E2BIG */
int ep_tracesjson_write(struct ep_report *r, struct ep_buf *out, struct ep_err *err);

#endif
