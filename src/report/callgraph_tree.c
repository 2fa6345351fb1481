/*
 * callgraph_tree.c - call trees: a node for each way a function was reached.
 *
 * Stacks share their beginnings, and neighbours share most, so a stack is walked from
 * where it leaves the one before.
 */
#include "report/callgraph_inside.h"

#include "base/hash.h"
#include "base/index.h"
#include "report/wrap.h"

struct path {
	uint32_t *nodes, *frames; /* of the stack before, root first */
	uint32_t n, cap;
};

struct growth {
	struct ep_callgraph_maker *m;
	struct ep_index ix;
	uint32_t cap;
	struct path path;
};

static int reserve_nodes(struct growth *w)
{
	struct ep_callgraph *g = w->m->g;
	if (g->n_nodes < w->cap)
		return 0;
	uint32_t cap = w->cap ? w->cap * 2 : 1024;
	if (cap <= w->cap)
		return -E2BIG;
	void *nodes = ep_realloc(g->nodes, cap * sizeof(*g->nodes));
	if (!nodes)
		return -ENOMEM;
	g->nodes = nodes;
	void *inlined = ep_realloc(w->m->is_inlined, cap * sizeof(*w->m->is_inlined));
	if (!inlined)
		return -ENOMEM;
	w->m->is_inlined = inlined;
	w->cap = cap;
	return 0;
}

static int reserve_path(struct path *p, uint32_t n)
{
	if (n <= p->cap)
		return 0;
	uint32_t cap = p->cap ? p->cap * 2 : 128;
	while (cap < n)
		cap *= 2;
	void *nodes = ep_realloc(p->nodes, cap * sizeof(*p->nodes));
	if (!nodes)
		return -ENOMEM;
	p->nodes = nodes;
	void *frames = ep_realloc(p->frames, cap * sizeof(*p->frames));
	if (!frames)
		return -ENOMEM;
	p->frames = frames;
	p->cap = cap;
	return 0;
}

static int child(struct growth *w, uint32_t parent, uint32_t frame, uint32_t *ret)
{
	struct ep_callgraph *g = w->m->g;
	struct ep_index_iter it;
	uint64_t h = ep_hash_mix(parent, frame);
	for (uint32_t i = ep_index_first(&w->ix, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&w->ix, &it))
		if (g->nodes[i].parent == parent && g->nodes[i].frame == frame) {
			*ret = i;
			return 0;
		}
	EP_TRY(reserve_nodes(w));
	EP_TRY(ep_index_add(&w->ix, h, g->n_nodes));
	g->nodes[g->n_nodes] = (struct ep_callgraph_node){.parent = parent, .frame = frame};
	w->m->is_inlined[g->n_nodes] = true;
	*ret = g->n_nodes++;
	return 0;
}

static int step(struct growth *w, const struct ep_callgraph_stack *s, uint32_t depth,
		uint32_t frame, bool inlined)
{
	struct path *p = &w->path;
	uint32_t v;
	EP_TRY(reserve_path(p, depth + 1));
	if (depth < p->n && p->frames[depth] == frame) {
		v = p->nodes[depth];
	} else {
		EP_TRY(child(w, depth ? p->nodes[depth - 1] : EP_NONE, frame, &v));
		p->frames[depth] = frame;
		p->nodes[depth] = v;
		p->n = depth + 1; /* what was below belongs to the stack before */
	}
	struct ep_callgraph_node *n = &w->m->g->nodes[v];
	n->cum = ep_wrap_add(n->cum, s->value);
	n->cum_div = ep_wrap_add(n->cum_div, s->divisor);
	w->m->is_inlined[v] &= inlined;
	return 0;
}

static int grow_stack(struct growth *w, uint32_t k)
{
	const struct ep_callgraph_maker *m = w->m;
	const struct ep_callgraph_stack *s = &m->stacks[k];
	const uint32_t *locations = m->r->p->sample_locations + s->first;
	uint32_t depth = 0;
	for (uint32_t i = s->n; i-- > 0;) {
		uint32_t first = m->first_frame[locations[i]];
		uint32_t end = m->first_frame[locations[i] + 1];
		for (uint32_t f = end; f-- > first; depth++)
			EP_TRY(step(w, s, depth, m->frames[f], f != end - 1));
	}
	w->path.n = depth;
	m->leaves[k] = depth ? w->path.nodes[depth - 1] : EP_NONE;
	if (!depth)
		return 0;
	struct ep_callgraph_node *leaf = &m->g->nodes[m->leaves[k]];
	leaf->flat = ep_wrap_add(leaf->flat, s->value);
	leaf->flat_div = ep_wrap_add(leaf->flat_div, s->divisor);
	return 0;
}

int ep_callgraph_tree_grow(struct ep_callgraph_maker *m)
{
	struct growth w = {.m = m};
	m->leaves = ep_alloc(((size_t)m->n_stacks + 1) * sizeof(*m->leaves));
	int rc = m->leaves ? reserve_nodes(&w) : -ENOMEM;
	for (uint32_t k = 0; k < m->n_stacks && rc >= 0; k++)
		rc = grow_stack(&w, k);
	ep_index_fini(&w.ix);
	ep_free(w.path.nodes);
	ep_free(w.path.frames);
	return rc;
}

/* Edge i leads into node i; those of roots are dropped, and lead from nowhere. */
int ep_callgraph_tree_edges(struct ep_callgraph_maker *m)
{
	struct ep_callgraph *g = m->g;
	g->edges = ep_zalloc(((size_t)g->n_nodes + 1) * sizeof(*g->edges));
	if (!g->edges)
		return -ENOMEM;
	g->n_edges = g->n_nodes;
	for (uint32_t i = 0; i < g->n_nodes; i++) {
		const struct ep_callgraph_node *n = &g->nodes[i];
		g->edges[i] = (struct ep_callgraph_edge){
			.src = n->parent, .dst = i, .weight = n->cum, .weight_div = n->cum_div,
			.inlined = m->is_inlined[i], .dropped = n->parent == EP_NONE};
	}
	return 0;
}

/*
 * Parents have lower numbers than their children, also after this: when a node's turn
 * comes, the edge into its parent already leads from one that stays.
 */
void ep_callgraph_tree_splice(struct ep_callgraph *g, const bool *goes)
{
	for (uint32_t i = 0; i < g->n_nodes; i++) {
		struct ep_callgraph_edge *e = &g->edges[i];
		if (e->dropped || !goes[e->src])
			continue;
		const struct ep_callgraph_edge *above = &g->edges[e->src];
		e->dropped = above->dropped;
		e->residual = true;
		e->inlined &= above->inlined;
		e->src = above->src;
	}
	for (uint32_t i = 0; i < g->n_nodes; i++)
		g->edges[i].dropped |= goes[i];
}
