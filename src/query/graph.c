/* graph.c - see graph.h. */
#include "query/graph.h"

#include <stdlib.h>
#include <string.h>

/* A node's first children are looked through one by one, which most nodes' all are;
 * the others are in the index. */
enum { MAX_LISTED = 8 };

static uint64_t hash_node(uint32_t parent, uint32_t fn)
{
	return ep_hash_mix(parent, fn);
}

static uint32_t append(struct ep_graph *g, uint32_t parent, uint32_t fn)
{
	if (g->n == g->cap) {
		uint32_t cap = g->cap ? g->cap * 2 : 1024;
		struct ep_graph_node *v = ep_realloc(g->v, (size_t)cap * sizeof(*v));
		if (!v)
			return EP_INDEX_NONE;
		g->v = v;
		g->cap = cap;
	}
	g->v[g->n] = (struct ep_graph_node){.parent = parent, .fn = fn};
	return g->n++;
}

static uint32_t indexed_child(struct ep_graph *g, uint32_t parent, uint32_t fn)
{
	uint64_t h = hash_node(parent, fn);
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&g->ix, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&g->ix, &it))
		if (g->v[id].parent == parent && g->v[id].fn == fn)
			return id;
	uint32_t id = append(g, parent, fn);
	return id != EP_INDEX_NONE && ep_index_add(&g->ix, h, id) == 0 ? id : EP_INDEX_NONE;
}

static uint32_t child(struct ep_graph *g, uint32_t parent, uint32_t fn)
{
	unsigned n = 0;
	for (uint32_t id = g->v[parent].first_child; id; id = g->v[id].next, n++)
		if (g->v[id].fn == fn)
			return id;
	if (n == MAX_LISTED)
		return indexed_child(g, parent, fn);
	uint32_t id = append(g, parent, fn);
	if (id == EP_INDEX_NONE)
		return id;
	g->v[id].next = g->v[parent].first_child;
	g->v[parent].first_child = id;
	return id;
}

int ep_graph_init(struct ep_graph *g, struct ep_arena *arena)
{
	*g = (struct ep_graph){.fns = {.arena = arena}};
	struct ep_fn root = {ep_slice_of("total"), ep_slice_of(""), EP_KIND_ROOT};
	bool ok = ep_fns_add(&g->fns, &root) == 0 && append(g, 0, 0) == 0;
	return ok ? 0 : -ENOMEM;
}

void ep_graph_fini(struct ep_graph *g)
{
	ep_fns_fini(&g->fns);
	ep_index_fini(&g->ix);
	ep_free(g->v);
}

/* --- stacks to nodes ------------------------------------------------------------------------ */

/* Stacks with weight, and all between them and the root.  Parents come first. */
static uint8_t *mark_needed(const struct ep_sums_dict *s)
{
	uint8_t *needed = ep_zalloc((size_t)s->n + 1);
	for (uint32_t i = s->n; needed && i-- > 1;) {
		needed[i] |= s->self[i] != 0;
		if (needed[i])
			needed[ep_dict_stack(s->d, i)->parent] = 1;
	}
	return needed;
}

struct adding {
	struct ep_graph *g;
	const struct ep_sums_dict *s;
	struct ep_naming names;
	uint32_t *node; /* by stack */
	int side;
	int64_t unsymbolised;
};

static int add_stack(struct adding *a, uint32_t id)
{
	const struct ep_dict_stack *st = ep_dict_stack(a->s->d, id);
	uint32_t n = 0, at = a->node[st->parent];
	const uint32_t *fns = ep_naming_of(&a->names, st->frame, &n);
	if (!fns)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		at = child(a->g, at, fns[i]);
		if (at == EP_INDEX_NONE)
			return -ENOMEM;
	}
	a->node[id] = at;
	a->g->v[at].self[a->side] += a->s->self[id]; /* below the merge's checked total */
	if (a->g->fns.v[fns[n - 1]].kind == EP_KIND_UNNAMED)
		a->unsymbolised += a->s->self[id];
	return 0;
}

static int add_stacks(struct adding *a, const uint8_t *needed, uint32_t base)
{
	a->node[0] = base;
	if (a->s->n)
		a->g->v[base].self[a->side] += a->s->self[0];
	for (uint32_t i = 1; i < a->s->n; i++)
		if (needed[i])
			EP_TRY(add_stack(a, i));
	return 0;
}

/* The node under which a group's stacks hang: the root, or its label value's. */
static uint32_t base_of(struct ep_graph *g, const struct ep_sums *m, uint32_t group)
{
	if (!m->by.n)
		return 0;
	uint32_t n = m->groups->n;
	struct ep_fn label = {ep_slice_of("other values"), ep_slice_of(""), EP_KIND_LABEL};
	if (group <= n)
		label = (struct ep_fn){ep_slice_of(""), m->by, EP_KIND_LABEL};
	if (group < n)
		label.name = m->groups->v[group].value;
	uint32_t fn = ep_fns_add(&g->fns, &label);
	return fn == EP_INDEX_NONE ? fn : child(g, 0, fn);
}

static int add_dict(struct ep_graph *g, const struct ep_sums_dict *s, uint32_t base, int side,
		    struct ep_symcache *symbols, int64_t *unsymbolised)
{
	if (base == EP_INDEX_NONE)
		return -ENOMEM;
	struct adding a = {.g = g, .s = s, .side = side};
	uint8_t *needed ep_auto_mem = mark_needed(s);
	uint32_t *node ep_auto_mem = ep_alloc(((size_t)s->n + 1) * sizeof(*node));
	if (!needed || !node)
		return -ENOMEM;
	a.node = node;
	int rc = ep_naming_init(&a.names, s->d, symbols, &g->fns);
	if (!rc)
		rc = add_stacks(&a, needed, base);
	ep_naming_fini(&a.names);
	*unsymbolised += a.unsymbolised;
	return rc;
}

int ep_graph_add(struct ep_graph *g, const struct ep_sums *m, int side,
		 struct ep_symcache *symbols, int64_t *ret_unsymbolised, struct ep_err *err)
{
	int64_t unsymbolised = 0;
	for (uint32_t i = 0; i < m->n; i++)
		if (add_dict(g, &m->v[i], base_of(g, m, m->v[i].group), side, symbols, &unsymbolised) < 0)
			return ep_fail(err, -ENOMEM, 0, "no memory for a flame graph");
	*ret_unsymbolised = unsymbolised;
	return 0;
}

void ep_graph_sum(struct ep_graph *g)
{
	for (uint32_t i = g->n; i-- > 0;)
		for (int s = 0; s < 2; s++) {
			g->v[i].total[s] += g->v[i].self[s];
			if (i)
				g->v[g->v[i].parent].total[s] += g->v[i].total[s];
		}
}

/* --- order -------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b, void *fns)
{
	const struct ep_fn *v = fns, *x = &v[*(const uint32_t *)a], *y = &v[*(const uint32_t *)b];
	int c = ep_slice_cmp(x->name, y->name);
	if (!c)
		c = ep_slice_cmp(x->file, y->file);
	return c ? c : (int)x->kind - (int)y->kind;
}

/* Place of each function in the order of names. */
static uint32_t *rank_fns(const struct ep_fns *f)
{
	uint32_t *order ep_auto_mem = ep_alloc(((size_t)f->n + 1) * sizeof(*order));
	uint32_t *rank = ep_alloc(((size_t)f->n + 1) * sizeof(*rank));
	if (!order || !rank) {
		ep_free(rank);
		return NULL;
	}
	for (uint32_t i = 0; i < f->n; i++)
		order[i] = i;
	qsort_r(order, f->n, sizeof(*order), by_name, f->v);
	for (uint32_t i = 0; i < f->n; i++)
		rank[order[i]] = i;
	return rank;
}

/* Nodes by their function's rank: counted, not compared. */
static uint32_t *order_nodes(const struct ep_graph *g, const uint32_t *rank)
{
	uint32_t *at ep_auto_mem = ep_zalloc(((size_t)g->fns.n + 2) * sizeof(*at));
	uint32_t *order = ep_alloc(((size_t)g->n + 1) * sizeof(*order));
	if (!at || !order) {
		ep_free(order);
		return NULL;
	}
	for (uint32_t i = 0; i < g->n; i++)
		at[rank[g->v[i].fn] + 1]++;
	for (uint32_t r = 1; r <= g->fns.n; r++)
		at[r] += at[r - 1];
	for (uint32_t i = 0; i < g->n; i++)
		order[at[rank[g->v[i].fn]]++] = i;
	return order;
}

int ep_graph_link(struct ep_graph *g, const uint8_t *keep)
{
	uint32_t *rank ep_auto_mem = rank_fns(&g->fns);
	uint32_t *order ep_auto_mem = rank ? order_nodes(g, rank) : NULL;
	if (!order)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->n; i++)
		g->v[i].first_child = g->v[i].next = 0;
	/* From the last: each becomes its parent's first. */
	for (uint32_t k = g->n; k-- > 0;) {
		uint32_t i = order[k];
		if (!i || (keep && !keep[i]))
			continue;
		g->v[i].next = g->v[g->v[i].parent].first_child;
		g->v[g->v[i].parent].first_child = i;
	}
	return 0;
}

uint32_t ep_graph_next(const struct ep_graph *g, uint32_t i, uint32_t *depth)
{
	if (g->v[i].first_child) {
		(*depth)++;
		return g->v[i].first_child;
	}
	while (i && !g->v[i].next) {
		i = g->v[i].parent;
		(*depth)--;
	}
	return i ? g->v[i].next : 0;
}

/* --- a side --------------------------------------------------------------------------------------- */

int ep_graph_side_run(struct ep_graph_side *s, const struct ep_query_env *env,
		      const struct ep_query *q, struct ep_graph *g, int side, struct ep_err *err)
{
	EP_TRY(ep_plan_open(&s->plan, env, q, true, err));
	EP_TRY(ep_sums_run(&s->merge, &s->plan, err));
	int64_t unsymbolised = 0;
	EP_TRY(ep_graph_add(g, &s->merge, side, env->symbols, &unsymbolised, err));
	if (env->max_nodes && g->n > env->max_nodes)
		return ep_plan_over(env, -E2BIG, "query-nodes", g->n, env->max_nodes, err);
	s->ledger = ep_plan_ledger(&s->plan);
	s->ledger.unsymbolised = unsymbolised;
	return 0;
}

void ep_graph_side_fini(struct ep_graph_side *s)
{
	ep_sums_fini(&s->merge);
	ep_plan_close(&s->plan);
}

struct ep_slice ep_type_part(struct ep_slice id, unsigned part)
{
	size_t from = 0;
	for (size_t i = 0; i <= id.n; i++) {
		if (i < id.n && id.p[i] != ':')
			continue;
		if (!part--)
			return (struct ep_slice){id.p + from, i - from};
		from = i + 1;
	}
	return (struct ep_slice){"", 0};
}
