/* header.c - the lines over a report.  Source: google/pprof report.go (ProfileLabels,
 * legendActiveFilters). */
#include "report/gotime.h"
#include "report/prepare.h"
#include "report/text.h"

static void add_line(struct ep_buf *out, const char *head, struct ep_slice text)
{
	ep_buf_add_str(out, head);
	ep_buf_add(out, text.p, text.n);
	ep_buf_add_char(out, '\n');
}

static void add_mapping(const struct ep_report *r, struct ep_buf *out)
{
	if (!r->p->n_mappings)
		return;
	struct ep_slice file = r->p->strings[r->p->mappings[0].filename];
	struct ep_slice build_id = r->p->strings[r->p->mappings[0].build_id];
	if (file.n)
		add_line(out, "File: ", ep_text_base_name(file));
	if (build_id.n)
		add_line(out, "Build ID: ", build_id);
}

/* Those for people: the others are for programs. */
static void add_comments(const struct ep_profile *p, struct ep_buf *out)
{
	for (uint32_t i = 0; i < p->n_comments; i++) {
		struct ep_slice c = p->strings[p->comments[i]];
		if (!c.n || c.p[0] != '#')
			add_line(out, "", c);
	}
}

static void add_time(int64_t time_ns, struct ep_buf *out)
{
	ep_buf_add_str(out, "Time: ");
	ep_gotime_add_short_time(out, time_ns);
	ep_buf_add_char(out, '\n');
}

/* How much of the time is in the samples is only said of samples that are times. */
static void add_duration(const struct ep_report *r, struct ep_buf *out)
{
	char duration[EP_UNITS_LABEL_MAX], total[EP_UNITS_LABEL_MAX], share[EP_UNITS_LABEL_MAX];
	struct ep_slice unit, ns = ep_slice_of("nanoseconds");
	double total_ns = ep_units_scale(r->total, r->sample_unit, ns, &unit);
	bool is_time = ep_slice_is(unit, "ns") && total_ns != 0;
	ep_buf_printf(out, "Duration: %s, Total samples = %s ",
		      ep_units_label(duration, r->p->duration_ns, ns, ep_slice_of("auto")),
		      ep_report_label(r, total, r->total));
	if (is_time)
		ep_buf_printf(out, "(%s)",
			      ep_units_percent(share, ep_units_whole(total_ns),
					       r->p->duration_ns));
	ep_buf_add_char(out, '\n');
}

void ep_report_header_lines(const struct ep_report *r, struct ep_buf *out)
{
	add_mapping(r, out);
	add_comments(r->p, out);
	if (r->sample_type.n)
		add_line(out, "Type: ", r->sample_type);
	if (r->p->doc_url)
		add_line(out, "Doc: ", r->p->strings[r->p->doc_url]);
	if (r->p->time_ns)
		add_time(r->p->time_ns, out);
	if (r->p->duration_ns)
		add_duration(r, out);
}

void ep_report_filter_lines(const struct ep_report *r, struct ep_buf *out)
{
	enum { LONGEST = 80 }; /* bytes; a character may be cut in two, as there */
	const struct {
		const char *name, *value;
	} filters[] = {
		{"focus", r->o.focus},	       {"ignore", r->o.ignore},
		{"hide", r->o.hide},	       {"show", r->o.show},
		{"show_from", r->o.show_from}, {"tagfocus", r->o.tagfocus},
		{"tagignore", r->o.tagignore}, {"tagshow", r->o.tagshow},
		{"taghide", r->o.taghide},
	};
	bool any = false;
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		if (!*filters[i].value)
			continue;
		if (!any)
			ep_buf_add_str(out, "Active filters:\n");
		any = true;
		size_t name = strlen(filters[i].name), n = name + 1 + strlen(filters[i].value);
		ep_buf_printf(out, "   %s=%.*s%s\n", filters[i].name,
			      n > LONGEST ? (int)(LONGEST - name - 1) : (int)n,
			      filters[i].value, n > LONGEST ? "…" : "");
	}
}
