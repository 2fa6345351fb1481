/*
 * dot.c - the graph for Graphviz.
 *
 * Source: behaviour of google/pprof dotgraph.go; Graphviz' attributes.
 */
#include "report/callgraph.h"
#include "report/dottags.h"
#include "report/graphjson.h"
#include "report/heading.h"
#include "report/reports.h"
#include "report/shorten.h"
#include "report/text.h"
#include "report/wrap.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

struct page {
	struct ep_report *r;
	struct ep_callgraph *g;
	struct ep_buf *out;
	struct ep_slice title;
	uint32_t *number;  /* of each node, from 1; 0: not shown */
	bool *has_boxes;   /* labels stand beside it */
	double max_flat;
};

/* Quotes and backslashes are escaped, newlines become left-justified ones. */
static void add_escaped(struct ep_buf *out, struct ep_slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n') {
			ep_buf_add_str(out, "\\l");
			continue;
		}
		if (s.p[i] == '\\' || s.p[i] == '"')
			ep_buf_add_char(out, '\\');
		ep_buf_add_char(out, s.p[i]);
	}
}

static void add_slice(struct ep_buf *out, struct ep_slice s)
{
	ep_buf_add(out, s.p, s.n);
}

/* --- legend ---------------------------------------------------------------------------- */

static void add_start(struct page *pg)
{
	ep_buf_add_str(pg->out, "digraph \"");
	add_slice(pg->out, pg->title.n ? pg->title : ep_slice_of("unnamed"));
	ep_buf_add_str(pg->out, "\" {\nnode [style=filled fillcolor=\"#f8f8f8\"]\n");
}

static void add_legend(struct page *pg)
{
	ep_auto_buf lines;
	ep_buf_init(&lines, pg->out->max);
	ep_heading_add(pg->r, pg->g, true, &lines);
	ep_buf_add_str(&lines, "\nSee https://git.io/JfYMW for how to read the graph\n");
	struct ep_slice text = ep_slice_of(ep_buf_cstr(&lines));
	text.n = lines.len;
	const char *end = memchr(text.p, '\n', text.n);
	struct ep_slice first = {text.p, end ? (size_t)(end - text.p) : text.n};
	ep_buf_add_str(pg->out, "subgraph cluster_L { \"");
	add_escaped(pg->out, first);
	ep_buf_add_str(pg->out, "\" [shape=box fontsize=16 label=\"");
	add_escaped(pg->out, text);
	ep_buf_add_char(pg->out, '"');
	if (pg->title.n) {
		ep_buf_add_str(pg->out, " tooltip=\"");
		add_slice(pg->out, pg->title);
		ep_buf_add_char(pg->out, '"');
	}
	ep_buf_add_str(pg->out, "] }\n");
}

/* --- colours ----------------------------------------------------------------------------- */

/* What is no number is black. */
static unsigned channel(double v)
{
	return (unsigned)((uint64_t)ep_units_whole(v * 255.0) & 0xff);
}

/*
 * Red for much, green for less than nothing, grey for little: score is -1 to 1.  It is
 * moved away from 0 to show more of the colours.
 */
static void add_colour(struct page *pg, const char *key, int64_t value, bool background)
{
	double saturation = background ? 0.1 : 1.0, brightness = background ? 0.93 : 0.7;
	double score = (double)value / (double)ep_wrap_abs(pg->r->total);
	double r = brightness, g = brightness;
	score = score < -1 ? -1 : score > 1 ? 1 : score;
	if (fabs(score) < 0.2)
		saturation *= fabs(score) / 0.2;
	if (score < 0) {
		r = brightness * (1 + saturation * -pow(-score, 0.3));
	} else {
		score = score > 0 ? pow(score, 0.3) : score;
		g = brightness * (1 - saturation * score);
	}
	ep_buf_printf(pg->out, " %s=\"#%02x%02x%02x\"", key, channel(r), channel(g),
		      channel(brightness * (1 - saturation)));
}

/* --- nodes -------------------------------------------------------------------------------- */

/* "::" and "." break the line; Go's "[...]" becomes one character before. */
static void add_broken(struct ep_buf *out, struct ep_slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.n - i >= 5 && !memcmp(s.p + i, "[...]", 5)) {
			ep_buf_add_str(out, "[…]");
			i += 4;
		} else if (s.n - i >= 2 && !memcmp(s.p + i, "::", 2)) {
			ep_buf_add_str(out, "\\n");
			i++;
		} else if (s.p[i] == '.') {
			ep_buf_add_str(out, "\\n");
		} else {
			ep_buf_add_char(out, s.p[i]);
		}
	}
}

static int add_function(struct page *pg, struct ep_slice name)
{
	char *room = ep_arena_alloc(pg->g->arena, name.n + 1);
	ep_auto_buf escaped;
	ep_buf_init(&escaped, pg->out->max);
	if (!room)
		return -ENOMEM;
	add_escaped(&escaped, ep_shorten_function(name, room));
	add_broken(pg->out, (struct ep_slice){(const char *)escaped.data, escaped.len});
	return ep_buf_failed(&escaped);
}

/* The parts of a printed name, each on a line. */
static int add_name(struct page *pg, const struct ep_callgraph_frame *f)
{
	struct ep_buf *out = pg->out;
	struct ep_slice file = f->file.n ? ep_text_base_name(f->file) : f->file;
	if (f->address)
		ep_buf_printf(out, "%016" PRIx64 "\\n", f->address);
	if (f->name.n) {
		EP_TRY(add_function(pg, f->name));
		ep_buf_add_str(out, "\\n");
	}
	struct ep_text_place rest = {
		.file = file, .line = f->line, .column = f->column, .object = f->objfile};
	if (f->line || f->file.n || !f->name.n) {
		ep_text_add_place(out, &rest);
		ep_buf_add_str(out, "\\n");
	}
	return 0;
}

/* "1.20s (12.00%)\nof 3s (30.00%)" */
static void add_weights(struct page *pg, int64_t flat, int64_t cum)
{
	char value[EP_UNITS_LABEL_MAX], share[EP_UNITS_LABEL_MAX];
	if (flat)
		ep_buf_printf(pg->out, "%s (%s)", ep_report_label(pg->r, value, flat),
			      ep_heading_percent(share, flat, pg->r->total));
	else
		ep_buf_add_char(pg->out, '0');
	if (cum != flat)
		ep_buf_printf(pg->out, "%sof %s (%s)", flat ? "\\n" : " ",
			      ep_report_label(pg->r, value, cum),
			      ep_heading_percent(share, cum, pg->r->total));
}

/* From 8 to 24, by the root of the share of the largest. */
static int font_size(const struct page *pg, int64_t flat)
{
	double size = (double)ep_wrap_abs(flat);
	if (pg->max_flat == 0 || flat == 0 || size > pg->max_flat)
		return 8;
	return 8 + (int)ep_units_whole(ceil(16.0 * sqrt(size / pg->max_flat)));
}

static int add_node(struct page *pg, uint32_t v)
{
	struct ep_callgraph *g = pg->g;
	uint32_t i = pg->number[v];
	char text[EP_UNITS_LABEL_MAX];
	int64_t flat = ep_callgraph_flat(&g->nodes[v]), cum = ep_callgraph_cum(&g->nodes[v]);
	ep_buf_printf(pg->out, "N%u [label=\"", i);
	EP_TRY(add_name(pg, ep_callgraph_frame_of(g, v)));
	add_weights(pg, flat, cum);
	ep_buf_printf(pg->out, "\" id=\"node%u\" fontsize=%d shape=box tooltip=\"", i,
		      font_size(pg, flat));
	add_escaped(pg->out, ep_callgraph_name(g, g->nodes[v].frame));
	ep_buf_printf(pg->out, " (%s)\"", ep_report_label(pg->r, text, cum));
	add_colour(pg, "color", cum, false);
	add_colour(pg, "fillcolor", cum, true);
	ep_buf_add_str(pg->out, "]\n");
	return 0;
}

static int add_nodes(struct page *pg)
{
	struct ep_callgraph *g = pg->g;
	for (uint32_t i = 0; i < g->n_shown; i++) {
		double flat = (double)ep_wrap_abs(ep_callgraph_flat(&g->nodes[g->shown[i]]));
		pg->number[g->shown[i]] = i + 1;
		pg->max_flat = i && flat <= pg->max_flat ? pg->max_flat : flat;
	}
	for (uint32_t i = 0; i < g->n_shown; i++) {
		uint32_t v = g->shown[i];
		size_t before;
		EP_TRY(add_node(pg, v));
		before = pg->out->len;
		EP_TRY(ep_dottags_add(pg->r, g, v, i + 1, pg->out));
		pg->has_boxes[v] = pg->out->len > before;
	}
	return 0;
}

/* --- edges --------------------------------------------------------------------------------- */

/* 1 for none, up to 1 + most: |weight| * most / total, whole. */
static int64_t strength(const struct page *pg, int64_t weight, int64_t most)
{
	int64_t part =
		ep_wrap_abs(ep_wrap_div(ep_wrap_mul(weight, most), pg->r->total));
	return 1 + (part < most ? part : most);
}

static void add_strength(struct page *pg, int64_t weight)
{
	int64_t pull = strength(pg, weight, 100), width = strength(pg, weight, 5);
	if (pull > 1)
		ep_buf_printf(pg->out, " weight=%" PRId64, pull);
	if (width > 1)
		ep_buf_printf(pg->out, " penwidth=%" PRId64, width);
	add_colour(pg, "color", weight, false);
}

static void add_hint(struct page *pg, const char *key, const struct ep_callgraph_edge *e,
		     const char *weight)
{
	struct ep_callgraph *g = pg->g;
	ep_buf_printf(pg->out, " %s=\"", key);
	add_escaped(pg->out, ep_callgraph_name(g, g->nodes[e->src].frame));
	ep_buf_add_str(pg->out, e->residual ? " ... " : " -> ");
	add_escaped(pg->out, ep_callgraph_name(g, g->nodes[e->dst].frame));
	ep_buf_printf(pg->out, " (%s)\"", weight);
}

static void add_edge(struct page *pg, const struct ep_callgraph_edge *e)
{
	char text[EP_UNITS_LABEL_MAX];
	int64_t weight = ep_callgraph_mean(e->weight, e->weight_div);
	ep_report_label(pg->r, text, weight);
	ep_buf_printf(pg->out, "N%u -> N%u [label=\" %s%s\"", pg->number[e->src],
		      pg->number[e->dst], text, e->inlined ? "\\n (inline)" : "");
	if (pg->r->total)
		add_strength(pg, weight);
	add_hint(pg, "tooltip", e, text);
	add_hint(pg, "labeltooltip", e, text);
	if (e->residual)
		ep_buf_add_str(pg->out, " style=\"dotted\"");
	if (pg->has_boxes[e->src])
		ep_buf_add_str(pg->out, " minlen=2");
	ep_buf_add_str(pg->out, "]\n");
}

/* The edges out of nodes that are shown. */
static int add_edges(struct page *pg)
{
	struct ep_callgraph *g = pg->g;
	uint32_t *edges ep_auto_mem = ep_alloc(((size_t)g->n_edges + 1) * sizeof(*edges));
	uint32_t n = 0;
	if (!edges)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->n_shown; i++)
		for (uint32_t k = g->out.first[g->shown[i]];
		     k < g->out.first[g->shown[i] + 1]; k++)
			edges[n++] = g->out.at[k];
	ep_callgraph_edges_sort(g, edges, n);
	for (uint32_t i = 0; i < n; i++)
		add_edge(pg, &g->edges[edges[i]]);
	return 0;
}

static int add_graph(struct page *pg)
{
	struct ep_callgraph *g = pg->g;
	pg->number = ep_arena_array(g->arena, uint32_t, (size_t)g->n_nodes + 1);
	pg->has_boxes = ep_arena_array(g->arena, bool, (size_t)g->n_nodes + 1);
	if (!pg->number || !pg->has_boxes)
		return -ENOMEM;
	EP_TRY(add_nodes(pg));
	return add_edges(pg);
}

int ep_dot_write(struct ep_report *r, struct ep_objects *objects __attribute__((unused)),
		 struct ep_buf *out, struct ep_err *err)
{
	ep_auto(ep_callgraph) g = NULL;
	EP_TRY(ep_callgraph_trimmed(r, &g, err));
	if (r->o.json)
		return ep_graphjson_write(r, g, out, err);
	struct page pg = {.r = r, .g = g, .out = out};
	struct ep_slice file = {0};
	if (r->p->n_mappings)
		file = ep_profile_str(r->p, r->p->mappings[0].filename);
	if (file.n)
		pg.title = ep_text_base_name(file);
	add_start(&pg);
	add_legend(&pg);
	int rc = g->n_shown ? add_graph(&pg) : 0;
	ep_buf_add_str(out, "}\n");
	return rc < 0 ? ep_fail(err, rc, 0, "no memory for a graph") : 0;
}
