/*
 * treetext.c - each node between its callers and its callees: `tree`, and `peek` for nodes
 * by name.
 */
#include "report/callgraph.h"
#include "report/graphjson.h"
#include "report/heading.h"
#include "report/reports.h"
#include "report/style.h"
#include "report/text.h"
#include "report/wrap.h"

#define SEPARATOR "----------------------------------------------------------+-------------\n"
#define LEGEND "      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t \n"
/* Where names begin. */
#define NAME_COLUMN 60
#define CONTEXT_COLUMN 62

struct page {
	struct ep_report *r;
	struct ep_callgraph *g;
	struct ep_buf *out;
	int64_t sum; /* of flat, so far */
};

/* The edges of a run that are left, in the order to show them. */
static void add_edges(struct page *pg, const struct ep_callgraph_runs *runs, uint32_t node,
		      bool callers)
{
	struct ep_callgraph *g = pg->g;
	char text[EP_UNITS_LABEL_MAX];
	uint32_t first = runs->first[node], end = runs->first[node + 1];
	int64_t cum = ep_callgraph_cum(&g->nodes[node]);
	ep_callgraph_edges_sort(g, runs->at + first, end - first);
	for (uint32_t i = first; i < end; i++) {
		const struct ep_callgraph_edge *e = &g->edges[runs->at[i]];
		uint32_t other = callers ? e->src : e->dst;
		struct ep_slice name = ep_callgraph_name(g, g->nodes[other].frame);
		ep_text_add_right_str(pg->out, ep_report_label(pg->r, text, e->weight), 50);
		ep_buf_add_char(pg->out, ' ');
		ep_buf_add_str(pg->out, ep_units_percent(text, e->weight, cum));
		ep_buf_add_str(pg->out, " |   ");
		ep_style_name(pg->r, name, CONTEXT_COLUMN + (e->inlined ? 9 : 0),
			      ep_style_share(pg->r, e->weight), pg->out);
		ep_style_aside(pg->r, e->inlined ? " (inline)" : "", pg->out);
		ep_buf_add_char(pg->out, '\n');
	}
}

static void add_itself(struct page *pg, uint32_t node, struct ep_slice name)
{
	char text[EP_UNITS_LABEL_MAX];
	int64_t flat = ep_callgraph_flat(&pg->g->nodes[node]);
	int64_t cum = ep_callgraph_cum(&pg->g->nodes[node]);
	pg->sum = ep_wrap_add(pg->sum, flat);
	ep_text_add_right_str(pg->out, ep_report_label(pg->r, text, flat), 10);
	ep_buf_add_char(pg->out, ' ');
	ep_buf_add_str(pg->out, ep_units_percent(text, flat, pg->r->total));
	ep_buf_add_char(pg->out, ' ');
	ep_buf_add_str(pg->out, ep_units_percent(text, pg->sum, pg->r->total));
	ep_buf_add_char(pg->out, ' ');
	ep_text_add_right_str(pg->out, ep_report_label(pg->r, text, cum), 10);
	ep_buf_add_char(pg->out, ' ');
	ep_buf_add_str(pg->out, ep_units_percent(text, cum, pg->r->total));
	ep_buf_add_str(pg->out, "                | ");
	ep_style_name(pg->r, name, NAME_COLUMN, ep_style_share(pg->r, flat), pg->out);
	ep_buf_add_char(pg->out, '\n');
}

static int add_nodes(struct page *pg, bool *ret_any, struct ep_err *err)
{
	struct ep_callgraph *g = pg->g;
	for (uint32_t i = 0; i < g->n_shown; i++) {
		uint32_t v = g->shown[i];
		struct ep_slice name = ep_callgraph_name(g, g->nodes[v].frame);
		int rc = pg->r->argument ? ep_regex_match(pg->r->argument, name, err) : 1;
		if (rc < 0)
			return rc;
		if (!rc)
			continue;
		*ret_any = true;
		ep_buf_add_str(pg->out, SEPARATOR);
		add_edges(pg, &g->in, v, true);
		add_itself(pg, v, name);
		add_edges(pg, &g->out, v, false);
	}
	return 0;
}

int ep_treetext_write(struct ep_report *r, struct ep_objects *objects __attribute__((unused)),
		  struct ep_buf *out, struct ep_err *err)
{
	ep_auto(ep_callgraph) g = NULL;
	bool any = false;
	EP_TRY(ep_callgraph_trimmed(r, &g, err));
	if (r->o.json)
		return ep_graphjson_write(r, g, out, err);
	struct page pg = {r, g, out, 0};
	ep_heading_add(r, g, false, out);
	ep_buf_add_str(out, SEPARATOR LEGEND);
	EP_TRY(add_nodes(&pg, &any, err));
	if (g->n_shown)
		ep_buf_add_str(out, SEPARATOR);
	if (r->argument && !any)
		return ep_fail(err, -ENOENT, 0, "no matches found for regexp: %s",
			       r->o.argument);
	return 0;
}
