/*
 * callgraph_weights.c - what each node weighs: alone, and with all it called.
 *
 * A node counts once for a stack, however often it recurs in it.  What is shown later
 * changes no weight, so one pass does for every step of trimming.
 */
#include "report/callgraph_inside.h"

#include "report/wrap.h"

static void add_cum(struct ep_callgraph_node *n, const struct ep_callgraph_stack *s)
{
	n->cum = ep_wrap_add(n->cum, s->value);
	n->cum_div = ep_wrap_add(n->cum_div, s->divisor);
}

static void add_flat(struct ep_callgraph_node *n, const struct ep_callgraph_stack *s)
{
	n->flat = ep_wrap_add(n->flat, s->value);
	n->flat_div = ep_wrap_add(n->flat_div, s->divisor);
}

int ep_callgraph_weights_sum(struct ep_callgraph_maker *m)
{
	struct ep_callgraph *g = m->g;
	g->n_nodes = g->n_frames;
	g->nodes = ep_alloc(((size_t)g->n_nodes + 1) * sizeof(*g->nodes));
	/* The last stack, counted from 1, that a node was met in. */
	uint32_t *met ep_auto_mem = ep_zalloc(((size_t)g->n_nodes + 1) * sizeof(*met));
	if (!g->nodes || !met)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->n_nodes; i++)
		g->nodes[i] = (struct ep_callgraph_node){.frame = i, .parent = EP_NONE};
	for (uint32_t k = 0; k < m->n_stacks; k++) {
		const struct ep_callgraph_stack *s = &m->stacks[k];
		const uint32_t *locations = m->r->p->sample_locations + s->first;
		for (uint32_t i = 0; i < s->n; i++) {
			uint32_t l = locations[i];
			for (uint32_t f = m->first_frame[l]; f < m->first_frame[l + 1]; f++) {
				uint32_t v = m->frames[f];
				if (met[v] == k + 1)
					continue;
				met[v] = k + 1;
				add_cum(&g->nodes[v], s);
			}
		}
		if (s->n)
			add_flat(&g->nodes[m->frames[m->first_frame[locations[0]]]], s);
	}
	return 0;
}
