/*
 * reportjson.h - what all reports have in common as JSON: docs/formats/report-json.md.
 */
#ifndef EP_REPORT_REPORTJSON_H
#define EP_REPORT_REPORTJSON_H

#include "codec/json.h"
#include "report/prepare.h"

/* Open the object: version, report, type, unit, total, header; its unit is settled. */
void ep_reportjson_open(struct ep_jsonw *w, const struct ep_report *r, const char *name);
/* Close it, with a newline. */
void ep_reportjson_close(struct ep_jsonw *w);

/* A weight as text, in the report's unit. */
void ep_reportjson_text(struct ep_jsonw *w, const struct ep_report *r, const char *key,
			int64_t value);

/* Of a place in code, what is known: function, file, line, column, object, address. */
struct ep_text_place;
void ep_reportjson_place(struct ep_jsonw *w, const struct ep_text_place *place);

#endif
