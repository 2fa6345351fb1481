/* reportjson.c - see reportjson.h. */
#include "report/reportjson.h"

#include "report/text.h"

#include <inttypes.h>
#include <stdio.h>

void ep_reportjson_text(struct ep_jsonw *w, const struct ep_report *r, const char *key,
			int64_t value)
{
	char text[EP_UNITS_LABEL_MAX];
	ep_jsonw_str(w, key, ep_report_label(r, text, value));
}

/* The lines over a report, one each. */
static void add_header(struct ep_jsonw *w, const struct ep_report *r)
{
	ep_auto_buf lines;
	ep_buf_init(&lines, w->out->max);
	ep_report_header_lines(r, &lines);
	ep_report_filter_lines(r, &lines);
	struct ep_slice rest = {(const char *)lines.data, lines.len};
	ep_jsonw_open(w, "header", '[');
	while (rest.n) {
		const char *end = memchr(rest.p, '\n', rest.n);
		struct ep_slice line = {rest.p, end ? (size_t)(end - rest.p) : rest.n};
		ep_jsonw_slice(w, NULL, line);
		rest.p += line.n + (end != NULL);
		rest.n -= line.n + (end != NULL);
	}
	ep_jsonw_close(w, ']');
}

void ep_reportjson_open(struct ep_jsonw *w, const struct ep_report *r, const char *name)
{
	ep_jsonw_open(w, NULL, '{');
	ep_jsonw_int(w, "version", 1);
	ep_jsonw_str(w, "report", name);
	ep_jsonw_slice(w, "type", r->sample_type);
	ep_jsonw_slice(w, "unit", r->sample_unit);
	ep_jsonw_slice(w, "shown_unit", r->unit);
	ep_jsonw_int(w, "total", r->total);
	ep_reportjson_text(w, r, "total_text", r->total);
	add_header(w, r);
}

void ep_reportjson_close(struct ep_jsonw *w)
{
	ep_jsonw_close(w, '}');
	ep_buf_add_char(w->out, '\n');
}

void ep_reportjson_place(struct ep_jsonw *w, const struct ep_text_place *place)
{
	char address[24];
	if (place->function.n)
		ep_jsonw_slice(w, "function", place->function);
	if (place->file.n)
		ep_jsonw_slice(w, "file", place->file);
	if (place->line)
		ep_jsonw_int(w, "line", place->line);
	if (place->column)
		ep_jsonw_int(w, "column", place->column);
	if (place->object.n)
		ep_jsonw_slice(w, "object", place->object);
	if (!place->address)
		return;
	snprintf(address, sizeof(address), "0x%" PRIx64, place->address);
	ep_jsonw_str(w, "address", address);
}
