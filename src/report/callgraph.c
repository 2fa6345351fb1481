/*
 * callgraph.c - which nodes and edges a report shows.
 *
 * The steps are the reference's: small nodes go, then all but the top ones, then small
 * tags and edges, then edges of a picture that another way stands for.
 */
#include "report/callgraph_inside.h"

#include "report/text.h"
#include "report/wrap.h"

void ep_callgraph_free(struct ep_callgraph *g)
{
	if (!g)
		return;
	ep_free(g->nodes);
	ep_free(g->edges);
	ep_arena_free(g->arena);
	ep_free(g);
}

/* --- names ---------------------------------------------------------------------------- */

struct ep_slice ep_callgraph_name(struct ep_callgraph *g, uint32_t frame)
{
	struct ep_callgraph_frame *f = &g->frames[frame];
	if (f->printed.n)
		return f->printed;
	if (!f->address && !f->line && !f->file.n && f->name.n)
		return f->printed = f->name;
	ep_auto_buf text;
	ep_buf_init(&text, EP_NONE);
	ep_text_add_place(&text, &(struct ep_text_place){.address = f->address,
							 .function = f->name,
							 .file = f->file,
							 .line = f->line,
							 .column = f->column,
							 .object = f->objfile});
	char *copy = ep_arena_copy(g->arena, text.data, text.len);
	if (copy && !ep_buf_failed(&text))
		f->printed = (struct ep_slice){copy, text.len};
	return f->printed;
}

/* --- making ----------------------------------------------------------------------------- */

static void maker_fini(struct ep_callgraph_maker *m)
{
	ep_free(m->first_frame);
	ep_free(m->frames);
	ep_free(m->stacks);
	ep_free(m->stack_of);
	ep_free(m->is_inlined);
	ep_free(m->leaves);
}

/* Nodes without weight are not shown, nor are negative ones when they are not wanted. */
static bool is_shown(const struct ep_report *r, const struct ep_callgraph_node *n)
{
	if (!n->cum && !n->flat)
		return false;
	return !r->o.drop_negative || n->flat > 0 || (n->flat == 0 && n->cum >= 0);
}

static int show_all(struct ep_callgraph_maker *m)
{
	struct ep_callgraph *g = m->g;
	g->shown = ep_callgraph_array(g, uint32_t, g->n_nodes);
	if (!g->shown)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->n_nodes; i++)
		if (is_shown(m->r, &g->nodes[i]))
			g->shown[g->n_shown++] = i;
	return 0;
}

static int make_nodes(struct ep_callgraph_maker *m, bool call_tree)
{
	EP_TRY(ep_callgraph_frames_make(m));
	EP_TRY(ep_callgraph_stacks_make(m));
	EP_TRY(call_tree ? ep_callgraph_tree_grow(m) : ep_callgraph_weights_sum(m));
	return show_all(m);
}

static int new_graph(struct ep_callgraph **ret_g)
{
	ep_auto(ep_callgraph) g = ep_zalloc(sizeof(*g));
	if (!g || !(g->arena = ep_arena_new(0)))
		return -ENOMEM;
	*ret_g = ep_take(&g);
	return 0;
}

static int fail(struct ep_err *err, int rc)
{
	return ep_fail(err, rc, 0, rc == -ENOMEM ? "no memory for a graph"
						 : "the graph is too large");
}

int ep_callgraph_new(const struct ep_report *r, struct ep_callgraph **ret_g,
		     struct ep_err *err)
{
	ep_auto(ep_callgraph) g = NULL;
	if (new_graph(&g) < 0)
		return fail(err, -ENOMEM);
	struct ep_callgraph_maker m = {.r = r, .g = g};
	int rc = make_nodes(&m, false);
	maker_fini(&m);
	if (rc < 0)
		return fail(err, rc);
	*ret_g = ep_take(&g);
	return 0;
}

/* --- trimming ------------------------------------------------------------------------------ */

struct trim {
	struct ep_callgraph_maker *m;
	bool is_picture; /* chosen and sorted for the eye */
	bool is_tree;
	int64_t node_cutoff, edge_cutoff;
	bool *kept; /* NULL: all nodes */
};

static int64_t cutoff(const struct ep_callgraph *g, double fraction)
{
	int64_t total = 0;
	for (uint32_t i = 0; i < g->n_shown; i++)
		total = ep_wrap_add(total, g->nodes[g->shown[i]].flat);
	return ep_wrap_abs(ep_units_whole((double)total * fraction));
}

/* Show the first n of what is shown alone.  In a tree the others are spliced out. */
static int keep_shown(struct trim *t, const uint32_t *shown, uint32_t n)
{
	struct ep_callgraph *g = t->m->g;
	bool *kept = ep_callgraph_array(g, bool, g->n_nodes);
	if (!kept)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		kept[shown[i]] = true;
	if (t->is_tree) {
		bool *goes ep_auto_mem = ep_zalloc((size_t)g->n_nodes + 1);
		if (!goes)
			return -ENOMEM;
		for (uint32_t i = 0; i < g->n_shown; i++)
			goes[g->shown[i]] = !kept[g->shown[i]];
		ep_callgraph_tree_splice(g, goes);
	}
	t->kept = kept;
	memmove(g->shown, shown, n * sizeof(*shown));
	g->n_shown = n;
	return 0;
}

static int drop_small_nodes(struct trim *t)
{
	struct ep_callgraph *g = t->m->g;
	if (t->node_cutoff <= 0)
		return 0;
	uint32_t *left ep_auto_mem = ep_alloc(((size_t)g->n_shown + 1) * sizeof(*left));
	uint32_t n = 0;
	if (!left)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->n_shown; i++)
		if (ep_wrap_abs(g->nodes[g->shown[i]].cum) >= t->node_cutoff)
			left[n++] = g->shown[i];
	g->n_small_nodes = g->n_shown - n;
	return g->n_small_nodes ? keep_shown(t, left, n) : 0;
}

/* Edges and tags of the nodes that are kept now, as far as they matter before the end. */
static int make_edges(struct trim *t)
{
	if (!t->is_tree)
		EP_TRY(ep_callgraph_edges_make(t->m, t->kept, NULL));
	if (t->is_picture)
		EP_TRY(ep_callgraph_tags_make(t->m, t->is_tree ? NULL : t->kept));
	return ep_callgraph_edges_link(t->m->g);
}

static int sort(struct trim *t, bool again)
{
	enum ep_callgraph_order order = t->is_picture	    ? EP_CALLGRAPH_BY_ENTROPY
					: t->m->r->o.cum_sort ? EP_CALLGRAPH_BY_CUM
							      : EP_CALLGRAPH_BY_FLAT;
	return ep_callgraph_order_shown(t->m->g, order, again);
}

/* The boxes of a node's labels count as nodes, up to four. */
static uint32_t boxes_of(const struct ep_callgraph *g, uint32_t node)
{
	uint32_t n = 1;
	for (uint32_t i = g->first_tag[node]; i < g->first_tag[node + 1] && n < 5; i++)
		n += !g->tags[i].dropped && g->tags[i].flat != 0;
	return n;
}

static uint32_t count_top(const struct trim *t)
{
	const struct ep_callgraph *g = t->m->g;
	uint32_t max = (uint32_t)t->m->r->o.nodecount, n = 0;
	for (uint32_t i = 0; t->is_picture && i < g->n_shown; i++)
		if ((n += boxes_of(g, g->shown[i])) >= max) {
			max = i + 1;
			break;
		}
	return max < g->n_shown ? max : g->n_shown;
}

static int choose_top(struct trim *t)
{
	struct ep_callgraph *g = t->m->g;
	if (t->m->r->o.nodecount <= 0)
		return 0;
	if (t->is_picture) {
		ep_callgraph_tags_trim(g, t->node_cutoff);
		ep_callgraph_edges_trim(g, t->edge_cutoff);
	}
	uint32_t n = count_top(t);
	if (n == g->n_shown)
		return 0;
	EP_TRY(keep_shown(t, g->shown, n));
	if (!t->is_picture)
		return 0;
	EP_TRY(t->is_tree ? ep_callgraph_edges_link(g) : make_edges(t));
	return sort(t, t->is_tree);
}

/* All edges, or for a text those that tell whether a node is inlined. */
static int make_last_edges(struct trim *t)
{
	struct ep_callgraph *g = t->m->g;
	if (t->is_picture || t->is_tree || t->m->r->o.kind == EP_REPORT_TOPPROTO)
		return 0;
	if (t->m->r->o.kind != EP_REPORT_TEXT)
		return ep_callgraph_edges_make(t->m, t->kept, NULL);
	bool *into ep_auto_mem = ep_zalloc((size_t)g->n_nodes + 1);
	if (!into)
		return -ENOMEM;
	if (!ep_callgraph_edges_inlined(t->m, into))
		return 0;
	return ep_callgraph_edges_make(t->m, t->kept, into);
}

static int finish(struct trim *t)
{
	struct ep_callgraph *g = t->m->g;
	ep_callgraph_tags_trim(g, t->node_cutoff);
	g->n_small_edges = ep_callgraph_edges_trim(g, t->edge_cutoff);
	if (t->is_picture) {
		EP_TRY(ep_callgraph_edges_link(g));
		EP_TRY(ep_callgraph_edges_simplify(g));
	}
	return ep_callgraph_edges_link(g);
}

static int trim(struct trim *t)
{
	struct ep_callgraph *g = t->m->g;
	const struct ep_report_options *o = &t->m->r->o;
	t->node_cutoff = cutoff(g, o->nodefraction);
	t->edge_cutoff = cutoff(g, o->edgefraction);
	if (t->is_tree)
		EP_TRY(ep_callgraph_tree_edges(t->m));
	EP_TRY(drop_small_nodes(t));
	g->n_candidates = g->n_shown;
	if (t->is_picture)
		EP_TRY(make_edges(t));
	EP_TRY(sort(t, false));
	EP_TRY(choose_top(t));
	EP_TRY(make_last_edges(t));
	return finish(t);
}

/* --- the unit ------------------------------------------------------------------------------ */

static struct ep_slice unit_of(const struct ep_report *r, int64_t value)
{
	struct ep_slice unit;
	ep_units_scale(value, r->sample_unit, ep_slice_of("minimum"), &unit);
	return unit;
}

/* The smallest weight that is shown, without its sign; 0 when there is none. */
static int64_t smallest(const struct ep_callgraph *g)
{
	int64_t least = 0;
	for (uint32_t i = 0; i < g->n_shown; i++) {
		const struct ep_callgraph_node *n = &g->nodes[g->shown[i]];
		int64_t v = ep_wrap_abs(ep_callgraph_flat(n));
		if (v == 0)
			v = ep_wrap_abs(ep_callgraph_cum(n));
		if (v > 0 && (least == 0 || v < least))
			least = v;
	}
	return least;
}

/*
 * The unit of the smallest number, but where the largest is over a hundred of it, one
 * that shows the smallest as 0.01.  Callgrind has whole numbers only.
 */
static void settle_unit(struct ep_report *r, const struct ep_callgraph *g)
{
	if (!ep_slice_is(r->unit, "minimum") || !g->n_shown)
		return;
	int64_t least = smallest(g), most = r->total;
	if (least == 0)
		least = most;
	least = ep_units_divided(least, r->ratio);
	most = ep_units_divided(most, r->ratio);
	struct ep_slice unit = unit_of(r, least);
	if (!ep_slice_eq(unit, unit_of(r, most)) && ep_wrap_mul(least, 100) < most &&
	    r->o.kind != EP_REPORT_CALLGRIND)
		unit = unit_of(r, ep_wrap_mul(100, least));
	r->unit = unit.n ? unit : r->sample_unit;
}

/* --- by label ---------------------------------------------------------------------------- */

/* The nodes are few and stand for themselves; only what they lead to is trimmed. */
static int trim_groups(struct trim *t)
{
	struct ep_callgraph *g = t->m->g;
	const struct ep_report_options *o = &t->m->r->o;
	EP_TRY(ep_callgraph_groups_make(t->m));
	EP_TRY(show_all(t->m));
	t->node_cutoff = cutoff(g, o->nodefraction);
	t->edge_cutoff = cutoff(g, o->edgefraction);
	EP_TRY(drop_small_nodes(t));
	g->n_candidates = g->n_shown;
	EP_TRY(sort(t, false));
	EP_TRY(choose_top(t));
	for (uint32_t i = 0; i < g->n_edges; i++)
		g->edges[i].dropped = ep_wrap_abs(g->edges[i].weight) < t->edge_cutoff;
	return ep_callgraph_edges_link(g);
}

bool ep_callgraph_is_grouped(const struct ep_report *r)
{
	return *r->o.group_by && (r->o.kind == EP_REPORT_TEXT || r->o.kind == EP_REPORT_TREE ||
				  r->o.kind == EP_REPORT_PEEK);
}

static int no_such_label(const struct ep_report *r, struct ep_err *err)
{
	ep_auto_buf names;
	ep_buf_init(&names, 4096);
	for (uint32_t i = 0; i < r->keys.n; i++)
		ep_buf_printf(&names, "%s%.*s", i ? ", " : "",
			      EP_SLICE_ARG(r->keys.keys[i].name));
	return ep_fail(err, -ENOENT, 0, "no sample has the label %s; there are: %s",
		       r->o.group_by, r->keys.n ? ep_buf_cstr(&names) : "none at all");
}

static int make_trimmed(struct trim *t)
{
	if (ep_callgraph_is_grouped(t->m->r))
		return trim_groups(t);
	EP_TRY(make_nodes(t->m, t->is_tree));
	return trim(t);
}

int ep_callgraph_trimmed(struct ep_report *r, struct ep_callgraph **ret_g,
			 struct ep_err *err)
{
	ep_auto(ep_callgraph) g = NULL;
	if (new_graph(&g) < 0)
		return fail(err, -ENOMEM);
	struct ep_callgraph_maker m = {.r = r, .g = g};
	struct trim t = {.m = &m, .is_picture = r->o.kind == EP_REPORT_DOT};
	t.is_tree = r->o.call_tree && (t.is_picture || r->o.kind == EP_REPORT_CALLGRIND);
	int rc = make_trimmed(&t);
	maker_fini(&m);
	if (rc == -ENOENT)
		return no_such_label(r, err);
	if (rc < 0)
		return fail(err, rc);
	settle_unit(r, g);
	*ret_g = ep_take(&g);
	return 0;
}
