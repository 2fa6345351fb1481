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
static void walk(const struct ep_graph *g, const struct ep_graph_part *p, struct sums *s)
{
	uint32_t i = 0, depth = 0;
	for (;;) {
		uint32_t node = p->id[i], fn = g->t->v[node].fn;
		s->self[fn] += g->self[0][node];
		if (!s->open[fn]++)
			s->total[fn] += g->total[0][node];
		uint32_t at = i, before = depth;
		i = ep_graph_next(p, i, &depth);
		if (!i)
			return;
		/* What was left on the way to the next node is closed. */
		for (; before >= depth && before; before--) {
			s->open[g->t->v[p->id[at]].fn]--;
			at = p->parent[at];
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

static int sum(const struct ep_graph *g, struct sums *s)
{
	struct ep_graph_part p = {0};
	for (uint32_t i = 0; i < g->n; i++)
		g->keep[i] = !i || g->total[0][i] > 0;
	int rc = ep_graph_part(g, &p);
	if (!rc)
		walk(g, &p, s);
	ep_graph_part_fini(&p);
	return rc;
}

/* The names are of the query, the rows outlive it. */
static int keep_names(struct ep_top *t)
{
	for (uint32_t i = 0; i < t->n_rows; i++) {
		struct ep_fn *fn = &t->rows[i].fn;
		fn->name.p = ep_arena_copy(t->arena, fn->name.n ? fn->name.p : "", fn->name.n);
		fn->file.p = ep_arena_copy(t->arena, fn->file.n ? fn->file.p : "", fn->file.n);
		if (!fn->name.p || !fn->file.p)
			return -ENOMEM;
	}
	return 0;
}

static int list(const struct ep_graph *g, const struct ep_top_opts *o, const struct sums *s,
		struct ep_top *t)
{
	const struct ep_fns *fns = &g->t->fns;
	t->rows = ep_arena_array(t->arena, struct ep_top_row, fns->n);
	if (!t->rows)
		return -ENOMEM;
	for (uint32_t i = 1; i < fns->n; i++)
		if (s->total[i] && contains(fns->v[i].name, o->search))
			t->rows[t->n_all++] = (struct ep_top_row){fns->v[i], s->self[i], s->total[i]};
	if (t->n_all)
		qsort(t->rows, t->n_all, sizeof(*t->rows), heaviest);
	t->n_rows = o->limit && o->limit < t->n_all ? o->limit : t->n_all;
	t->total = g->total[0][0];
	return keep_names(t);
}

static int fill(const struct ep_graph *g, const struct ep_top_opts *o, struct ep_top *t)
{
	uint32_t n = g->t->fns.n;
	int64_t *self ep_auto_mem = ep_zalloc(n * sizeof(*self));
	int64_t *total ep_auto_mem = ep_zalloc(n * sizeof(*total));
	uint32_t *open ep_auto_mem = ep_zalloc(n * sizeof(*open));
	struct sums s = {self, total, open};
	if (!self || !total || !open)
		return -ENOMEM;
	EP_TRY(sum(g, &s));
	return list(g, o, &s, t);
}

static int run(const struct ep_query_env *env, const struct ep_query *q,
	       const struct ep_top_opts *o, struct ep_top *t, struct ep_err *err)
{
	struct ep_graph g = {0};
	struct ep_graph_side sides[2] = {0};
	int rc = ep_graph_run(&g, sides, env, (const struct ep_query *const[2]){q, NULL},
			      ep_slice_of(""), err);
	if (!rc)
		rc = fill(&g, o, t);
	t->ledger = sides[0].ledger;
	ep_graph_fini(&g, sides);
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
