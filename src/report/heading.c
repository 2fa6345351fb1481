/*
 * heading.c - see heading.h.  Source: behaviour of google/pprof report.go.
 */
#include "report/heading.h"

#include "report/wrap.h"

const char *ep_heading_percent(char buf[EP_UNITS_LABEL_MAX], int64_t value, int64_t total)
{
	const char *text = ep_units_percent(buf, value, total);
	while (*text == ' ')
		text++;
	return text;
}

static void add_shown(const struct ep_report *r, const struct ep_callgraph *g,
		      struct ep_buf *out)
{
	char shown[EP_UNITS_LABEL_MAX], share[EP_UNITS_LABEL_MAX], all[EP_UNITS_LABEL_MAX];
	int64_t sum = 0;
	for (uint32_t i = 0; i < g->n_shown; i++)
		sum = ep_wrap_add(sum, ep_callgraph_flat(&g->nodes[g->shown[i]]));
	ep_buf_printf(out, "Showing nodes accounting for %s, %s of %s total\n",
		      ep_report_label(r, shown, sum),
		      ep_heading_percent(share, sum, r->total),
		      ep_report_label(r, all, r->total));
}

static void add_dropped(const struct ep_report *r, uint32_t n, const char *what,
			const char *weight, double fraction, struct ep_buf *out)
{
	char limit[EP_UNITS_LABEL_MAX];
	int64_t cutoff = ep_wrap_abs(ep_units_whole((double)r->total * fraction));
	if (n)
		ep_buf_printf(out, "Dropped %u %s%s (%s <= %s)\n", n, what,
			      n > 1 ? "s" : "", weight, ep_report_label(r, limit, cutoff));
}

/* What the rows are must be plain where they are not functions. */
static void add_grouped(const struct ep_report *r, struct ep_buf *out)
{
	ep_buf_printf(out, "Grouped by the label %s: each row is one of its values%s\n",
		      r->o.group_by,
		      r->o.kind == EP_REPORT_TEXT ? ""
						  : ", below it what ran in its samples");
}

void ep_heading_add(const struct ep_report *r, const struct ep_callgraph *g, bool is_full,
		    struct ep_buf *out)
{
	if (is_full || !r->o.compact_labels)
		ep_report_header_lines(r, out);
	ep_report_filter_lines(r, out);
	if (ep_callgraph_is_grouped(r))
		add_grouped(r, out);
	add_shown(r, g, out);
	if (r->total == 0)
		return;
	add_dropped(r, g->n_small_nodes, "node", "cum", r->o.nodefraction, out);
	if (is_full)
		add_dropped(r, g->n_small_edges, "edge", "freq", r->o.edgefraction, out);
	if (g->n_shown && g->n_shown < g->n_candidates)
		ep_buf_printf(out, "Showing top %u nodes out of %u\n", g->n_shown,
			      g->n_candidates);
}
