/* graphjson.c - see graphjson.h. */
#include "report/graphjson.h"

#include "report/dottags.h"
#include "report/reportjson.h"
#include "report/text.h"

struct page {
	struct ep_report *r;
	struct ep_callgraph *g;
	struct ep_jsonw w;
	uint32_t *rows;	  /* nodes in the order they are written */
	uint32_t n_rows;  /* all */
	uint32_t n_shown; /* those that are rows of the report */
	uint32_t *number; /* of each node among rows, from 1; 0: not there */
};

static void add_row(struct page *pg, uint32_t node)
{
	if (pg->number[node])
		return;
	pg->rows[pg->n_rows++] = node;
	pg->number[node] = pg->n_rows;
}

/* The report's rows, then what only edges lead to. */
static int choose_rows(struct page *pg, struct ep_err *err)
{
	struct ep_callgraph *g = pg->g;
	for (uint32_t i = 0; i < g->n_shown; i++) {
		uint32_t v = g->shown[i];
		int rc = 1;
		if (pg->r->argument)
			rc = ep_regex_match(pg->r->argument,
					    ep_callgraph_name(g, g->nodes[v].frame), err);
		if (rc < 0)
			return rc;
		if (rc)
			add_row(pg, v);
	}
	pg->n_shown = pg->n_rows;
	if (pg->r->argument && !pg->n_shown)
		return ep_fail(err, -ENOENT, 0, "no matches found for regexp: %s",
			       pg->r->o.argument);
	if (pg->r->o.kind == EP_REPORT_TEXT)
		return 0;
	for (uint32_t i = 0; i < pg->n_shown; i++) {
		uint32_t v = pg->rows[i];
		for (uint32_t k = g->in.first[v]; k < g->in.first[v + 1]; k++)
			add_row(pg, g->edges[g->in.at[k]].src);
		for (uint32_t k = g->out.first[v]; k < g->out.first[v + 1]; k++)
			add_row(pg, g->edges[g->out.at[k]].dst);
	}
	return 0;
}

static bool is_row(const struct page *pg, uint32_t node)
{
	return pg->number[node] && pg->number[node] <= pg->n_shown;
}

static void add_label(struct page *pg, const char *key, int64_t value)
{
	ep_reportjson_text(&pg->w, pg->r, key, value);
}

static void open_report(struct page *pg)
{
	static const char *const names[] = {[EP_REPORT_TEXT] = "text",
					    [EP_REPORT_TREE] = "tree",
					    [EP_REPORT_PEEK] = "peek",
					    [EP_REPORT_DOT] = "dot"};
	const struct ep_report *r = pg->r;
	ep_reportjson_open(&pg->w, r, names[r->o.kind]);
	if (ep_callgraph_is_grouped(r))
		ep_jsonw_str(&pg->w, "group_by", r->o.group_by);
	ep_jsonw_uint(&pg->w, "nodes_before_count", pg->g->n_candidates);
	ep_jsonw_uint(&pg->w, "small_nodes", pg->g->n_small_nodes);
	ep_jsonw_uint(&pg->w, "small_edges", pg->g->n_small_edges);
}

static void add_place(struct page *pg, const struct ep_callgraph_frame *f)
{
	ep_reportjson_place(&pg->w, &(struct ep_text_place){.address = f->address,
							    .function = f->name,
							    .file = f->file,
							    .line = f->line,
							    .column = f->column,
							    .object = f->objfile});
}

static void add_inline_mark(struct page *pg, uint32_t v)
{
	const struct ep_callgraph *g = pg->g;
	uint32_t inlined = 0, n = g->in.first[v + 1] - g->in.first[v];
	for (uint32_t i = g->in.first[v]; i < g->in.first[v + 1]; i++)
		inlined += g->edges[g->in.at[i]].inlined;
	if (inlined)
		ep_jsonw_str(&pg->w, "inlined", inlined == n ? "always" : "partly");
}

/* --- boxes of labels ---------------------------------------------------------------- */

static void add_box(struct page *pg, const struct ep_dottag *t, int64_t weight)
{
	ep_jsonw_open(&pg->w, NULL, '{');
	ep_jsonw_slice(&pg->w, "name", t->name);
	ep_jsonw_int(&pg->w, "weight", weight);
	add_label(pg, "weight_text", weight);
}

static int64_t weight_of(const struct ep_dottag *t, bool flat)
{
	return flat ? t->flat : t->cum;
}

/* As in a picture, what weighs nothing has no box. */
static int weighty(struct ep_dottag *v, int n, bool flat)
{
	int kept = 0;
	for (int i = 0; i < n; i++)
		if (weight_of(&v[i], flat))
			v[kept++] = v[i];
	return n < 0 ? n : kept;
}

static int add_ranges(struct page *pg, uint32_t node, uint32_t combination, bool flat)
{
	struct ep_dottag ranges[EP_DOTTAGS_MAX];
	int n = ep_dottags_ranges(pg->g, node, combination, ranges);
	n = weighty(ranges, n, flat);
	if (n <= 0)
		return n;
	ep_jsonw_open(&pg->w, "numbers", '[');
	for (int i = 0; i < n; i++) {
		add_box(pg, &ranges[i], weight_of(&ranges[i], flat));
		ep_jsonw_close(&pg->w, '}');
	}
	ep_jsonw_close(&pg->w, ']');
	return 0;
}

/* "a:x\nb:y", with a literal backslash: as lines. */
static int break_name(struct page *pg, struct ep_dottag *t)
{
	char *text = ep_arena_copy(pg->g->arena, t->name.p, t->name.n);
	size_t n = 0;
	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < t->name.n; i++) {
		bool ends = i + 1 < t->name.n && text[i] == '\\' && text[i + 1] == 'n';
		text[n++] = ends ? '\n' : text[i];
		i += ends;
	}
	t->name = (struct ep_slice){text, n};
	return 0;
}

static int add_boxes(struct page *pg, uint32_t node)
{
	struct ep_dottag labels[EP_DOTTAGS_MAX];
	bool flat = ep_dottags_are_flat(pg->g, node);
	int n = ep_dottags_combinations(pg->g, node, labels);
	n = weighty(labels, n, flat);
	if (n > 0)
		ep_jsonw_open(&pg->w, "labels", '[');
	for (int i = 0; i < n; i++) {
		EP_TRY(break_name(pg, &labels[i]));
		add_box(pg, &labels[i], weight_of(&labels[i], flat));
		EP_TRY(add_ranges(pg, node, labels[i].combination, flat));
		ep_jsonw_close(&pg->w, '}');
	}
	if (n > 0)
		ep_jsonw_close(&pg->w, ']');
	return n < 0 ? n : add_ranges(pg, node, EP_NONE, flat);
}

/* --- nodes and edges -------------------------------------------------------------------- */

static int add_node(struct page *pg, uint32_t v)
{
	struct ep_callgraph *g = pg->g;
	int64_t flat = ep_callgraph_flat(&g->nodes[v]), cum = ep_callgraph_cum(&g->nodes[v]);
	ep_jsonw_open(&pg->w, NULL, '{');
	ep_jsonw_slice(&pg->w, "name", ep_callgraph_name(g, g->nodes[v].frame));
	if (!ep_callgraph_is_grouped(pg->r) || !is_row(pg, v))
		add_place(pg, ep_callgraph_frame_of(g, v));
	ep_jsonw_int(&pg->w, "flat", flat);
	add_label(pg, "flat_text", flat);
	ep_jsonw_int(&pg->w, "cum", cum);
	add_label(pg, "cum_text", cum);
	add_inline_mark(pg, v);
	if (!is_row(pg, v))
		ep_jsonw_bool(&pg->w, "neighbour", true);
	if (g->first_tag && is_row(pg, v))
		EP_TRY(add_boxes(pg, v));
	ep_jsonw_close(&pg->w, '}');
	return 0;
}

static void add_edge(struct page *pg, const struct ep_callgraph_edge *e)
{
	int64_t weight = ep_callgraph_mean(e->weight, e->weight_div);
	ep_jsonw_open(&pg->w, NULL, '{');
	ep_jsonw_uint(&pg->w, "from", pg->number[e->src] - 1);
	ep_jsonw_uint(&pg->w, "to", pg->number[e->dst] - 1);
	ep_jsonw_int(&pg->w, "weight", weight);
	add_label(pg, "weight_text", weight);
	if (e->residual)
		ep_jsonw_bool(&pg->w, "residual", true);
	if (e->inlined)
		ep_jsonw_bool(&pg->w, "inlined", true);
	ep_jsonw_close(&pg->w, '}');
}

/* Edges with a row at one end at least, heaviest first. */
static int add_edges(struct page *pg)
{
	struct ep_callgraph *g = pg->g;
	uint32_t *edges ep_auto_mem = ep_alloc(((size_t)g->n_edges + 1) * sizeof(*edges));
	uint32_t n = 0;
	if (!edges)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->n_edges; i++)
		if (!g->edges[i].dropped &&
		    (is_row(pg, g->edges[i].src) || is_row(pg, g->edges[i].dst)))
			edges[n++] = i;
	ep_callgraph_edges_sort(g, edges, n);
	ep_jsonw_open(&pg->w, "edges", '[');
	for (uint32_t i = 0; i < n; i++)
		add_edge(pg, &g->edges[edges[i]]);
	ep_jsonw_close(&pg->w, ']');
	return 0;
}

static int add_all(struct page *pg)
{
	open_report(pg);
	ep_jsonw_open(&pg->w, "nodes", '[');
	for (uint32_t i = 0; i < pg->n_rows; i++)
		EP_TRY(add_node(pg, pg->rows[i]));
	ep_jsonw_close(&pg->w, ']');
	if (pg->r->o.kind != EP_REPORT_TEXT)
		EP_TRY(add_edges(pg));
	ep_reportjson_close(&pg->w);
	return 0;
}

int ep_graphjson_write(struct ep_report *r, struct ep_callgraph *g, struct ep_buf *out,
		       struct ep_err *err)
{
	struct page pg = {.r = r, .g = g, .w = ep_jsonw_to(out)};
	pg.rows = ep_arena_array(g->arena, uint32_t, (size_t)g->n_nodes + 1);
	pg.number = ep_arena_array(g->arena, uint32_t, (size_t)g->n_nodes + 1);
	if (!pg.rows || !pg.number)
		return ep_fail(err, -ENOMEM, 0, "no memory for a report");
	EP_TRY(choose_rows(&pg, err));
	int rc = add_all(&pg);
	return rc < 0 ? ep_fail(err, rc, 0, "no memory for a report") : 0;
}
