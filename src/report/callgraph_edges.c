/*
 * callgraph_edges.c - who called whom, and how much of the weight went that way.
 *
 * An edge counts once for a stack.  Where nodes that are not kept stood between two
 * that are, the edge is residual.
 */
#include "report/callgraph_inside.h"

#include "base/hash.h"
#include "base/index.h"
#include "report/patternsort.h"
#include "report/wrap.h"

struct walk {
	struct ep_callgraph_maker *m;
	const bool *kept, *into;
	struct ep_index ix;
	uint32_t *last_into; /* the edge that was last taken into a node */
	uint32_t *met;	     /* the last stack, counted from 1, that an edge was met in */
	uint32_t cap;
};

static int grow(struct walk *w)
{
	uint32_t cap = w->cap ? w->cap * 2 : 256;
	struct ep_callgraph *g = w->m->g;
	if (cap <= w->cap)
		return -E2BIG;
	void *edges = ep_realloc(g->edges, cap * sizeof(*g->edges));
	if (!edges)
		return -ENOMEM;
	g->edges = edges;
	void *met = ep_realloc(w->met, cap * sizeof(*w->met));
	if (!met)
		return -ENOMEM;
	w->met = met;
	w->cap = cap;
	return 0;
}

static int find(struct walk *w, uint32_t src, uint32_t dst, uint32_t *ret)
{
	struct ep_callgraph *g = w->m->g;
	uint32_t last = w->last_into[dst];
	if (last != EP_NONE && g->edges[last].src == src) {
		*ret = last;
		return 0;
	}
	struct ep_index_iter it;
	uint64_t h = ep_hash_mix(src, dst);
	uint32_t e = ep_index_first(&w->ix, h, &it);
	while (e != EP_INDEX_NONE && (g->edges[e].src != src || g->edges[e].dst != dst))
		e = ep_index_next(&w->ix, &it);
	if (e == EP_INDEX_NONE) {
		if (g->n_edges == w->cap)
			EP_TRY(grow(w));
		e = g->n_edges;
		EP_TRY(ep_index_add(&w->ix, h, e));
		g->edges[e] =
			(struct ep_callgraph_edge){.src = src, .dst = dst, .inlined = true};
		w->met[e] = 0;
		g->n_edges++;
	}
	*ret = w->last_into[dst] = e;
	return 0;
}

/* The first of several equal calls in a stack says whether it is inlined. */
static int call(struct walk *w, uint32_t stack, uint32_t src, uint32_t dst, bool residual,
		bool inlined)
{
	uint32_t at;
	EP_TRY(find(w, src, dst, &at));
	struct ep_callgraph_edge *e = &w->m->g->edges[at];
	if (w->met[at] == stack + 1)
		return 0;
	w->met[at] = stack + 1;
	e->weight = ep_wrap_add(e->weight, w->m->stacks[stack].value);
	e->weight_div = ep_wrap_add(e->weight_div, w->m->stacks[stack].divisor);
	e->residual |= residual;
	e->inlined &= inlined;
	return 0;
}

static int walk_stack(struct walk *w, uint32_t k)
{
	const struct ep_callgraph_maker *m = w->m;
	const struct ep_callgraph_stack *s = &m->stacks[k];
	const uint32_t *locations = m->r->p->sample_locations + s->first;
	uint32_t parent = EP_NONE;
	bool residual = false;
	for (uint32_t i = s->n; i-- > 0;) {
		uint32_t first = m->first_frame[locations[i]];
		uint32_t end = m->first_frame[locations[i] + 1];
		for (uint32_t f = end; f-- > first;) {
			uint32_t v = m->frames[f];
			if (w->kept && !w->kept[v]) {
				residual = true;
				continue;
			}
			if (parent != EP_NONE && parent != v && (!w->into || w->into[v]))
				EP_TRY(call(w, k, parent, v, residual, f != end - 1));
			parent = v;
			residual = false;
		}
	}
	return 0;
}

static void walk_fini(struct walk *w)
{
	ep_index_fini(&w->ix);
	ep_free(w->last_into);
	ep_free(w->met);
}

int ep_callgraph_edges_make(struct ep_callgraph_maker *m, const bool *kept,
			    const bool *into)
{
	struct ep_callgraph *g = m->g;
	struct walk w = {.m = m, .kept = kept, .into = into};
	ep_free(ep_take(&g->edges));
	g->n_edges = 0;
	size_t bytes = ((size_t)g->n_nodes + 1) * sizeof(*w.last_into);
	w.last_into = ep_alloc(bytes);
	int rc = w.last_into ? 0 : -ENOMEM;
	if (!rc)
		memset(w.last_into, 0xff, bytes);
	for (uint32_t k = 0; k < m->n_stacks && rc >= 0; k++)
		rc = walk_stack(&w, k);
	walk_fini(&w);
	return rc;
}

bool ep_callgraph_edges_inlined(const struct ep_callgraph_maker *m, bool *ret_into)
{
	bool any = false;
	for (uint32_t l = 0; l < m->r->p->n_locations; l++)
		for (uint32_t f = m->first_frame[l]; f + 1 < m->first_frame[l + 1]; f++)
			any = ret_into[m->frames[f]] = true;
	return any;
}

uint32_t ep_callgraph_edges_trim(struct ep_callgraph *g, int64_t cutoff)
{
	uint32_t n = 0;
	bool *is_shown ep_auto_mem = ep_zalloc((size_t)g->n_nodes + 1);
	for (uint32_t i = 0; is_shown && i < g->n_shown; i++)
		is_shown[g->shown[i]] = true;
	for (uint32_t i = 0; is_shown && i < g->n_edges; i++) {
		struct ep_callgraph_edge *e = &g->edges[i];
		if (e->dropped || !is_shown[e->dst] || ep_wrap_abs(e->weight) >= cutoff)
			continue;
		e->dropped = true;
		n++;
	}
	return n;
}

/* --- their order ------------------------------------------------------------------ */

/*
 * Weights that differ in their sign alone are equal to the reference, whatever the names,
 * and stay in the order they came in: that of first appearance.
 */
static bool heavier(const void *a, const void *b, void *arg)
{
	struct ep_callgraph *g = arg;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct ep_callgraph_edge *x = &g->edges[i], *y = &g->edges[k];
	int64_t wx = ep_wrap_abs(x->weight), wy = ep_wrap_abs(y->weight);
	if (wx != wy)
		return wx > wy;
	if (x->weight != y->weight)
		return false;
	struct ep_slice from_x = ep_callgraph_name(g, g->nodes[x->src].frame);
	struct ep_slice from_y = ep_callgraph_name(g, g->nodes[y->src].frame);
	int c = ep_slice_cmp(from_x, from_y);
	if (!c)
		c = ep_callgraph_order_frames(g, g->nodes[x->dst].frame,
					      g->nodes[y->dst].frame);
	if (!c)
		c = ep_callgraph_order_frames(g, g->nodes[x->src].frame,
					      g->nodes[y->src].frame);
	return c ? c < 0 : i < k;
}

void ep_callgraph_edges_sort(struct ep_callgraph *g, uint32_t *edges, size_t n)
{
	ep_patternsort(edges, n, sizeof(*edges), heavier, g);
}

/* --- edges of each node ------------------------------------------------------------ */

static int link_runs(struct ep_callgraph *g, struct ep_callgraph_runs *runs, bool by_src)
{
	if (!runs->first)
		runs->first = ep_callgraph_array(g, uint32_t, g->n_nodes + 1);
	uint32_t *at = ep_callgraph_array(g, uint32_t, g->n_edges);
	if (!runs->first || !at)
		return -ENOMEM;
	memset(runs->first, 0, ((size_t)g->n_nodes + 2) * sizeof(*at));
	runs->at = at;
	/* Count, add up to where each run ends, then fill from its end. */
	for (uint32_t i = 0; i < g->n_edges; i++)
		if (!g->edges[i].dropped)
			runs->first[by_src ? g->edges[i].src : g->edges[i].dst]++;
	for (uint32_t v = 0; v < g->n_nodes; v++)
		runs->first[v + 1] += runs->first[v];
	for (uint32_t i = g->n_edges; i-- > 0;)
		if (!g->edges[i].dropped)
			at[--runs->first[by_src ? g->edges[i].src : g->edges[i].dst]] = i;
	return 0;
}

int ep_callgraph_edges_link(struct ep_callgraph *g)
{
	EP_TRY(link_runs(g, &g->in, false));
	return link_runs(g, &g->out, true);
}

/* --- edges that say nothing new ------------------------------------------------------ */

struct search {
	uint32_t *queue;
	uint32_t *seen; /* the number of the search a node was met in */
	uint32_t number;
};

/* Is there another way, along edges that are left, from the caller to the callee? */
static bool is_redundant(const struct ep_callgraph *g, struct search *s, uint32_t edge)
{
	uint32_t src = g->edges[edge].src, n = 0;
	s->number++;
	s->queue[n++] = g->edges[edge].dst;
	s->seen[g->edges[edge].dst] = s->number;
	for (uint32_t at = 0; at < n; at++) {
		uint32_t v = s->queue[at];
		for (uint32_t i = g->in.first[v]; i < g->in.first[v + 1]; i++) {
			const struct ep_callgraph_edge *e = &g->edges[g->in.at[i]];
			if (e->dropped || g->in.at[i] == edge ||
			    s->seen[e->src] == s->number)
				continue;
			if (e->src == src)
				return true;
			s->seen[e->src] = s->number;
			s->queue[n++] = e->src;
		}
	}
	return false;
}

int ep_callgraph_edges_simplify(struct ep_callgraph *g)
{
	size_t bytes = ((size_t)g->n_nodes + 1) * sizeof(uint32_t);
	uint32_t *queue ep_auto_mem = ep_alloc(bytes);
	uint32_t *seen ep_auto_mem = ep_zalloc(bytes);
	struct search s = {queue, seen, 0};
	if (!queue || !seen)
		return -ENOMEM;
	for (uint32_t i = g->n_shown; i-- > 0;) {
		uint32_t v = g->shown[i], first = g->in.first[v], end = g->in.first[v + 1];
		ep_callgraph_edges_sort(g, g->in.at + first, end - first);
		/* Never an edge that is heavier than one that is there for itself. */
		for (uint32_t k = end; k-- > first;) {
			struct ep_callgraph_edge *e = &g->edges[g->in.at[k]];
			if (!e->residual)
				break;
			e->dropped |= is_redundant(g, &s, g->in.at[k]);
		}
	}
	return 0;
}
