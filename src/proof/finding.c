/* finding.c - see finding.h. */
#include "proof/finding.h"

#include "codec/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { CELL = 32 };

static struct ep_finding *add(struct ep_findings *f, const char *group, const char *what,
			      enum ep_finding_unit unit)
{
	static struct ep_finding spare; /* over the maximum, which no caller reaches */
	struct ep_finding *r = f->n < EP_FINDINGS_MAX ? &f->rows[f->n++] : &spare;
	*r = (struct ep_finding){.group = group, .unit = unit};
	snprintf(r->what, sizeof(r->what), "%s", what);
	return r;
}

struct ep_finding *ep_finding_add(struct ep_findings *f, const char *group, const char *what,
				  enum ep_finding_unit unit, double truth, double measured,
				  double bound)
{
	struct ep_finding *r = add(f, group, what, unit);
	r->has_truth = true;
	r->truth = truth;
	r->measured = measured;
	r->bound = bound;
	r->verdict = fabs(measured - truth) <= bound ? EP_VERDICT_OK : EP_VERDICT_OFF;
	return r;
}

struct ep_finding *ep_finding_add_cost(struct ep_findings *f, const char *group,
				       const char *what, enum ep_finding_unit unit,
				       double measured, double margin, double bound)
{
	struct ep_finding *r = add(f, group, what, unit);
	r->measured = measured;
	r->margin = margin;
	r->bound = bound;
	r->verdict = measured - margin <= bound ? EP_VERDICT_OK : EP_VERDICT_OFF;
	return r;
}

void ep_finding_add_unknown(struct ep_findings *f, const char *group, const char *what,
			    const char *why)
{
	struct ep_finding *r = add(f, group, what, EP_UNIT_COUNT);
	r->verdict = EP_VERDICT_UNKNOWN;
	ep_finding_note(r, "%s", why);
}

void ep_finding_note(struct ep_finding *row, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(row->note, sizeof(row->note), fmt, args);
	va_end(args);
}

size_t ep_finding_count(const struct ep_findings *f, enum ep_verdict v)
{
	size_t n = 0;
	for (size_t i = 0; i < f->n; i++)
		n += f->rows[i].verdict == v;
	return n;
}

/* ---- for people ------------------------------------------------------------------------- */

static void scaled(char *to, double v, const char *const *units, double step)
{
	double size = fabs(v);
	int i = 0;
	while (size >= step && units[i + 1]) {
		size /= step;
		v /= step;
		i++;
	}
	snprintf(to, CELL, "%.*f %s", size >= 100 || i == 0 ? 0 : size >= 10 ? 1 : 2, v,
		 units[i]);
}

static void format_value(char *to, enum ep_finding_unit unit, double v)
{
	static const char *const times[] = {"ns", "us", "ms", "s", NULL};
	static const char *const sizes[] = {"B", "KB", "MB", "GB", NULL};
	switch (unit) {
	case EP_UNIT_SHARE:
		snprintf(to, CELL, "%.2f %%", v * 100);
		return;
	case EP_UNIT_NS:
		scaled(to, v, times, 1000);
		return;
	case EP_UNIT_BYTES:
		scaled(to, v, sizes, 1024);
		return;
	case EP_UNIT_COUNT:
		snprintf(to, CELL, "%.0f", v);
		return;
	}
}

/* Of shares in points; of amounts in percent of the truth, where there is one. */
static void format_off(char *to, const struct ep_finding *r, double v, const char *sign)
{
	if (r->unit == EP_UNIT_SHARE) {
		snprintf(to, CELL, "%s%.2f pt", sign, v * 100);
	} else if (r->unit != EP_UNIT_COUNT && r->truth > 0 && r->bound < r->truth) {
		snprintf(to, CELL, "%s%.2f %%", sign, v / r->truth * 100);
	} else {
		char value[CELL];
		format_value(value, r->unit, v);
		snprintf(to, CELL, "%s%.30s", sign, value);
	}
}

static const char *const words[] = {
	[EP_VERDICT_OK] = "ok",
	[EP_VERDICT_OFF] = "OFF",
	[EP_VERDICT_UNKNOWN] = "not measured",
};
static const char *const colours[] = {
	[EP_VERDICT_OK] = "\033[32m",
	[EP_VERDICT_OFF] = "\033[1;31m",
	[EP_VERDICT_UNKNOWN] = "\033[33m",
};

static void format_verdict(const struct ep_finding *r, bool colour, struct ep_buf *out)
{
	ep_buf_printf(out, "%s%s%s\n", colour ? colours[r->verdict] : "", words[r->verdict],
		      colour ? "\033[0m" : "");
}

static void format_row(const struct ep_finding *r, bool colour, struct ep_buf *out)
{
	char truth[CELL] = "", measured[CELL], error[CELL] = "", bound[CELL];
	ep_buf_printf(out, "  %-34s", r->what);
	if (r->verdict == EP_VERDICT_UNKNOWN) {
		ep_buf_printf(out, "%41s  ", "");
		format_verdict(r, colour, out);
		return;
	}
	format_value(measured, r->unit, r->measured);
	if (r->has_truth) {
		format_value(truth, r->unit, r->truth);
		format_off(error, r, r->measured - r->truth,
			   r->measured > r->truth ? "+" : "");
		format_off(bound, r, r->bound, "");
	} else {
		char margin[CELL];
		format_value(margin, r->unit, r->margin);
		if (r->margin > 0)
			snprintf(error, sizeof(error), "±%.28s", margin);
		format_value(bound, r->unit, r->bound);
	}
	/* A column counts bytes, and the sign of both ways is two of them. */
	ep_buf_printf(out, "%10s %10s %*s %9s  ", truth, measured,
		      strstr(error, "±") ? 11 : 10, error, bound);
	format_verdict(r, colour, out);
}

void ep_finding_format(const struct ep_findings *f, bool colour, struct ep_buf *out)
{
	const char *group = "";
	for (size_t i = 0; i < f->n; i++) {
		const struct ep_finding *r = &f->rows[i];
		if (strcmp(group, r->group) != 0) {
			group = r->group;
			ep_buf_printf(out, "%s%s%-36s%10s %10s %10s %9s%s\n", i ? "\n" : "",
				      colour ? "\033[1m" : "", group,
				      r->has_truth ? "truth" : "", "measured",
				      r->has_truth ? "error" : "margin", "bound",
				      colour ? "\033[0m" : "");
		}
		format_row(r, colour, out);
	}
	for (size_t i = 0; i < f->n; i++) /* what needs a word */
		if (f->rows[i].verdict != EP_VERDICT_OK)
			ep_buf_printf(out, "\n%s: %s\n", f->rows[i].what, f->rows[i].note);
}

/* ---- for programs ----------------------------------------------------------------------- */

static void json_row(const struct ep_finding *r, struct ep_jsonw *w)
{
	static const char *const units[] = {"share", "nanoseconds", "bytes", "count"};
	static const char *const verdicts[] = {"ok", "off", "unknown"};
	ep_jsonw_open(w, NULL, '{');
	ep_jsonw_str(w, "group", r->group);
	ep_jsonw_str(w, "what", r->what);
	if (r->verdict != EP_VERDICT_UNKNOWN) {
		ep_jsonw_str(w, "unit", units[r->unit]);
		if (r->has_truth) {
			ep_jsonw_double(w, "truth", r->truth);
			ep_jsonw_double(w, "error", r->measured - r->truth);
		} else {
			ep_jsonw_double(w, "margin", r->margin);
		}
		ep_jsonw_double(w, "measured", r->measured);
		ep_jsonw_double(w, "bound", r->bound);
	}
	ep_jsonw_str(w, "verdict", verdicts[r->verdict]);
	ep_jsonw_str(w, "note", r->note);
	ep_jsonw_close(w, '}');
}

void ep_finding_json(const struct ep_findings *f, struct ep_jsonw *w)
{
	ep_jsonw_open(w, "rows", '[');
	for (size_t i = 0; i < f->n; i++)
		json_row(&f->rows[i], w);
	ep_jsonw_close(w, ']');
}
