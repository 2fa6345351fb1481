/*
 * toptext.c - the table of nodes: `top`, or `text`.
 */
#include "report/callgraph.h"
#include "report/graphjson.h"
#include "report/heading.h"
#include "report/reports.h"
#include "report/style.h"
#include "report/text.h"
#include "report/wrap.h"

#define NAME_COLUMN 46 /* where names begin, but for very large numbers */

/* Does the code of a node stand inside its callers', always or at times? */
static const char *inline_mark(const struct ep_callgraph *g, uint32_t node)
{
	bool inlined = false, called = false;
	for (uint32_t i = g->in.first[node]; i < g->in.first[node + 1]; i++)
		if (g->edges[g->in.at[i]].inlined)
			inlined = true;
		else
			called = true;
	return !inlined ? "" : called ? " (partial-inline)" : " (inline)";
}

static void add_row(const struct ep_report *r, struct ep_callgraph *g, uint32_t node,
		    int64_t *sum, struct ep_buf *out)
{
	char text[EP_UNITS_LABEL_MAX];
	int64_t flat = ep_callgraph_flat(&g->nodes[node]);
	int64_t cum = ep_callgraph_cum(&g->nodes[node]);
	struct ep_slice name = ep_callgraph_name(g, g->nodes[node].frame);
	const char *mark = inline_mark(g, node);
	*sum = ep_wrap_add(*sum, flat);
	ep_text_add_right_str(out, ep_report_label(r, text, flat), 10);
	ep_buf_add_char(out, ' ');
	ep_buf_add_str(out, ep_units_percent(text, flat, r->total));
	ep_buf_add_char(out, ' ');
	ep_buf_add_str(out, ep_units_percent(text, *sum, r->total));
	ep_buf_add_char(out, ' ');
	ep_text_add_right_str(out, ep_report_label(r, text, cum), 10);
	ep_buf_add_char(out, ' ');
	ep_buf_add_str(out, ep_units_percent(text, cum, r->total));
	ep_buf_add_str(out, "  ");
	ep_style_name(r, name, NAME_COLUMN + strlen(mark), ep_style_share(r, flat), out);
	ep_style_aside(r, mark, out);
	ep_buf_add_char(out, '\n');
}

int ep_toptext_write(struct ep_report *r, struct ep_objects *objects __attribute__((unused)),
		     struct ep_buf *out, struct ep_err *err)
{
	ep_auto(ep_callgraph) g = NULL;
	EP_TRY(ep_callgraph_trimmed(r, &g, err));
	if (r->o.json)
		return ep_graphjson_write(r, g, out, err);
	ep_heading_add(r, g, false, out);
	ep_buf_add_str(out, "      flat  flat%   sum%        cum   cum%\n");
	int64_t sum = 0;
	for (uint32_t i = 0; i < g->n_shown; i++)
		add_row(r, g, g->shown[i], &sum, out);
	return 0;
}
