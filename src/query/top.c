/*
 * top.c - every function with its own and its whole weight, on all the data.
 */
#include "query/graph.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct sums {
	int64_t *self, *total;
	uint32_t *open; /* how often the function is on the path at hand */
};

/* A function's total counts where no caller of it is itself. */
static void walk(const struct ep_graph *g, struct sums *s)
{
	uint32_t i = 0, depth = 0;
	for (;;) {
		const struct ep_graph_node *v = &g->v[i];
		s->self[v->fn] += v->self[0];
		if (!s->open[v->fn]++)
			s->total[v->fn] += v->total[0];
		uint32_t at = i, before = depth;
		i = ep_graph_next(g, i, &depth);
		if (!i)
			return;
		/* What was left on the way to the next node is closed. */
		for (; before >= depth && before; before--) {
			s->open[g->v[at].fn]--;
			at = g->v[at].parent;
		}
	}
}

static bool contains(struct ep_slice text, struct ep_slice part)
{
	if (!part.n)
		return true;
	for (size_t i = 0; i + part.n <= text.n; i++)
		if (!strncasecmp(text.p + i, part.p, part.n))
			return true;
	return false;
}

static int heaviest(const void *a, const void *b)
{
	const struct ep_top_row *x = a, *y = b;
	if (x->self != y->self)
		return x->self > y->self ? -1 : 1;
	if (x->total != y->total)
		return x->total > y->total ? -1 : 1;
	int c = ep_slice_cmp(x->fn.name, y->fn.name);
	return c ? c : ep_slice_cmp(x->fn.file, y->fn.file);
}

static int fill(struct ep_graph *g, const struct ep_top_opts *o, struct ep_top *t)
{
	uint32_t n = g->fns.n;
	struct sums s;
	s.self = ep_arena_array(t->arena, int64_t, n);
	s.total = ep_arena_array(t->arena, int64_t, n);
	s.open = ep_arena_array(t->arena, uint32_t, n);
	t->rows = ep_arena_array(t->arena, struct ep_top_row, n);
	if (!s.self || !s.total || !s.open || !t->rows)
		return -ENOMEM;
	ep_graph_sum(g);
	EP_TRY(ep_graph_link(g, NULL));
	walk(g, &s);
	for (uint32_t i = 1; i < n; i++)
		if (s.total[i] && contains(g->fns.v[i].name, o->search))
			t->rows[t->n_all++] = (struct ep_top_row){g->fns.v[i], s.self[i], s.total[i]};
	if (t->n_all)
		qsort(t->rows, t->n_all, sizeof(*t->rows), heaviest);
	t->n_rows = o->limit && o->limit < t->n_all ? o->limit : t->n_all;
	t->total = g->v[0].total[0];
	return 0;
}

static int run(const struct ep_query_env *env, const struct ep_query *q,
	       const struct ep_top_opts *o, struct ep_top *t, struct ep_err *err)
{
	struct ep_graph g;
	struct ep_graph_side side = {0};
	int rc = ep_graph_init(&g, t->arena);
	if (!rc)
		rc = ep_graph_side_run(&side, env, q, &g, 0, err);
	if (!rc)
		rc = fill(&g, o, t);
	t->ledger = side.ledger;
	ep_graph_side_fini(&side);
	ep_graph_fini(&g);
	return rc == -ENOMEM ? ep_fail(err, rc, 0, "no memory for a table") : rc;
}

int ep_query_top(const struct ep_query_env *env, const struct ep_query *q,
		 const struct ep_top_opts *o, struct ep_top **ret_t, struct ep_err *err)
{
	struct ep_arena *a = ep_arena_new(0);
	struct ep_top *made = a ? ep_arena_array(a, struct ep_top, 1) : NULL;
	char *type = made ? ep_arena_copy(a, q->type.n ? q->type.p : "", q->type.n) : NULL;
	if (!type) {
		ep_arena_free(a);
		return ep_fail(err, -ENOMEM, 0, "no memory for a table");
	}
	made->arena = a;
	ep_auto(ep_top) t = made;
	t->type = (struct ep_slice){type, q->type.n};
	t->unit = ep_type_part(t->type, 2);
	EP_TRY(run(env, q, o, t, err));
	*ret_t = ep_take(&t);
	return 0;
}
