/* graph.c - see graph.h. */
#include "query/graph.h"

#include <string.h>

/* --- weights -------------------------------------------------------------------------------- */

/* What a query needs by node, for g->n of them.  The block is always of the size that the
 * most of them have: what isn't touched takes no memory. */
enum { BLOCK_ARRAYS = 6 };

static int allot(struct ep_graph *g, int n_sides, bool with_selfs)
{
	size_t n = (size_t)g->n + 1;
	int64_t *at = g->block = ep_alloc(BLOCK_ARRAYS * n * sizeof(*at));
	if (!at)
		return -ENOMEM;
	for (int i = 0; i < n_sides; i++, at += n) {
		g->room[i] = at;
		if (!with_selfs)
			continue;
		g->self[i] = at += n;
		memset(at, 0, n * sizeof(*at));
	}
	g->weight = at;
	g->number = (uint32_t *)(at + n);
	g->keep = memset(g->number + n, 0, n);
	return 0;
}

/* Room for the weights of n nodes, the new ones without any. */
static int fit(struct ep_graph *g, int side, uint32_t n)
{
	if (g->grown[side] && n <= g->cap[side])
		return 0;
	int64_t *v = ep_realloc(g->grown[side], ((size_t)n + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	memset(v + g->cap[side], 0, ((size_t)n + 1 - g->cap[side]) * sizeof(*v));
	g->grown[side] = v;
	g->cap[side] = n;
	return 0;
}

/* A dictionary's sums by node, or by where its nodes are now; *unsymbolised grows by what
 * has no name. */
static void add_stacks(int64_t *self, const struct ep_dicttree *x, const struct ep_sums_dict *s,
		       const uint32_t *moved, int64_t *unsymbolised)
{
	const struct ep_fntree *t = &x->t;
	for (uint32_t i = 0; i < s->n; i++) {
		if (!s->self[i])
			continue;
		uint32_t at = x->node[i];
		self[moved ? moved[at] : at] += s->self[i]; /* below the merge's checked total */
		if (t->fns.v[t->v[at].fn].kind == EP_KIND_UNNAMED)
			*unsymbolised += s->self[i];
	}
}

static uint64_t count_weighted(const struct ep_graph *g)
{
	uint64_t n = 1;
	for (uint32_t i = 1; i < g->n; i++)
		n += g->total[0][i] || (g->total[1] && g->total[1][i]);
	return n;
}

/* All of a side is added. */
static int end_side(struct ep_graph *g, int side, struct ep_err *err)
{
	int64_t *v = g->total[side] = g->room[side];
	memcpy(v, g->self[side], (size_t)g->n * sizeof(*v));
	for (uint32_t i = g->n; i-- > 1;)
		v[g->t->parent[i]] += v[i];
	uint64_t most = g->env->max_nodes, n = most && g->n > most ? count_weighted(g) : 0;
	return n > most ? ep_plan_over(g->env, -E2BIG, "query-nodes", n, most, err) : 0;
}

/* --- the tree of a dictionary ----------------------------------------------------------------- */

/* Stacks with weight, and all between them and the root.  Parents come first. */
static void mark_needed(uint8_t *needed, const struct ep_sums_dict *s)
{
	for (uint32_t i = s->n; i-- > 1;) {
		needed[i] |= s->self[i] != 0;
		if (needed[i])
			needed[ep_dict_stack(s->d, i)->parent] = 1;
	}
}

static int make_tree(struct ep_graph *g, const struct ep_sums_dict *const *v, uint32_t n_v,
		     uint32_t n)
{
	uint8_t *needed ep_auto_mem = ep_zalloc((size_t)n + 1);
	if (!needed)
		return -ENOMEM;
	for (uint32_t i = 0; i < n_v; i++)
		mark_needed(needed, v[i]);
	EP_TRY(ep_dicttree_init(&g->made, v[0]->d, g->env->symbols));
	return ep_dicttree_grow(&g->made, n, needed);
}

/* That of the dictionary which all of v have: a kept one, or one for their stacks. */
static int open_tree(struct ep_graph *g, const struct ep_sums_dict *const *v, uint32_t n_v,
		     const struct ep_dicttree **ret_x)
{
	uint32_t n = 1;
	for (uint32_t i = 0; i < n_v; i++)
		n = v[i]->n > n ? v[i]->n : n;
	EP_TRY(ep_fntrees_get(g->env->trees, v[0]->d, n, g->env->symbols, &g->kept, ret_x));
	if (g->kept)
		return 0;
	*ret_x = &g->made;
	return make_tree(g, v, n_v, n);
}

static void close_tree(struct ep_graph *g)
{
	if (g->kept)
		ep_fntrees_put(g->env->trees, g->kept);
	else
		ep_dicttree_fini(&g->made);
	g->kept = NULL;
}

/* --- one dictionary ------------------------------------------------------------------------- */

enum { MAX_DIRECT = 2 };

/* The sums, if all that there are are of one dictionary: their number; else 0. */
static uint32_t one_dict(struct ep_graph_side sides[2], const struct ep_sums_dict *ret_v[MAX_DIRECT])
{
	uint32_t n = 0;
	for (int i = 0; i < 2; i++) {
		const struct ep_sums *m = &sides[i].merge;
		if (m->by.n || m->n > 1 || (n && m->n && ret_v[0]->d != m->v[0].d))
			return 0;
		if (m->n)
			ret_v[n++] = &m->v[0];
	}
	return n;
}

static int add_direct(struct ep_graph *g, struct ep_graph_side sides[2], int n_sides,
		      const struct ep_sums_dict *const *v, uint32_t n_v, struct ep_err *err)
{
	const struct ep_dicttree *x = NULL;
	EP_TRY(open_tree(g, v, n_v, &x));
	g->t = &x->t;
	g->n = x->t.n;
	EP_TRY(allot(g, n_sides, true));
	for (int i = 0; i < n_sides; i++) {
		if (sides[i].merge.n)
			add_stacks(g->self[i], x, &sides[i].merge.v[0], NULL,
				   &sides[i].ledger.unsymbolised);
		EP_TRY(end_side(g, i, err));
	}
	return 0;
}

/* --- several -------------------------------------------------------------------------------- */

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
	uint32_t fn = ep_fns_add(&g->own.fns, &label);
	return fn == EP_INDEX_NONE ? fn : ep_fntree_child(&g->own, 0, fn);
}

/* From a dictionary's tree into that of all. */
struct moving {
	struct ep_graph *g;
	const struct ep_fntree *from;
	uint8_t *has;	    /* weight, itself or below; by its nodes */
	uint32_t *node, *fn; /* what is which of g's; functions UINT32_MAX: not known yet */
};

static int move_node(struct moving *m, uint32_t i)
{
	struct ep_fntree *to = &m->g->own;
	uint32_t *fn = &m->fn[m->from->v[i].fn];
	if (*fn == UINT32_MAX)
		*fn = ep_fns_add(&to->fns, &m->from->fns.v[m->from->v[i].fn]);
	if (*fn == EP_INDEX_NONE)
		return -ENOMEM;
	m->node[i] = ep_fntree_child(to, m->node[m->from->parent[i]], *fn);
	return m->node[i] == EP_INDEX_NONE ? -ENOMEM : 0;
}

static int move(struct moving *m, uint32_t base)
{
	uint32_t n = m->from->n;
	m->node[0] = base;
	memset(m->fn, 0xff, (size_t)m->from->fns.n * sizeof(*m->fn));
	for (uint32_t i = n; i-- > 1;)
		m->has[m->from->parent[i]] |= m->has[i];
	for (uint32_t i = 1; i < n; i++)
		if (m->has[i])
			EP_TRY(move_node(m, i));
	return 0;
}

static int add_tree(struct ep_graph *g, const struct ep_dicttree *x, const struct ep_sums_dict *s,
		    uint32_t base, int side, int64_t *unsymbolised)
{
	const struct ep_fntree *t = &x->t;
	uint8_t *has ep_auto_mem = ep_zalloc(t->n);
	uint32_t *node ep_auto_mem = ep_alloc((size_t)t->n * sizeof(*node));
	uint32_t *fn ep_auto_mem = ep_alloc((size_t)t->fns.n * sizeof(*fn));
	struct moving m = {g, t, has, node, fn};
	if (!has || !node || !fn)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n; i++)
		if (s->self[i])
			has[x->node[i]] = 1;
	EP_TRY(move(&m, base));
	EP_TRY(fit(g, side, g->own.n));
	add_stacks(g->grown[side], x, s, node, unsymbolised);
	return 0;
}

static int add_side(struct ep_graph *g, struct ep_graph_side *s, int side)
{
	EP_TRY(fit(g, side, g->own.n));
	for (uint32_t i = 0; i < s->merge.n; i++) {
		const struct ep_sums_dict *v = &s->merge.v[i];
		const struct ep_dicttree *x = NULL;
		uint32_t base = base_of(g, &s->merge, v->group);
		if (base == EP_INDEX_NONE)
			return -ENOMEM;
		EP_TRY(open_tree(g, &v, 1, &x));
		int rc = add_tree(g, x, v, base, side, &s->ledger.unsymbolised);
		close_tree(g);
		EP_TRY(rc);
	}
	return fit(g, side, g->own.n);
}

static int add_several(struct ep_graph *g, struct ep_graph_side sides[2], int n_sides,
		       struct ep_err *err)
{
	EP_TRY(ep_fntree_init(&g->own, false));
	g->t = &g->own;
	for (int i = 0; i < n_sides; i++)
		EP_TRY(add_side(g, &sides[i], i));
	g->n = g->own.n;
	EP_TRY(allot(g, n_sides, false));
	for (int i = 0; i < n_sides; i++) {
		EP_TRY(fit(g, i, g->n));
		g->self[i] = g->grown[i];
		EP_TRY(end_side(g, i, err));
	}
	return ep_fntree_rank(&g->own);
}

/* --- a query -------------------------------------------------------------------------------- */

static int read_side(struct ep_graph_side *s, const struct ep_query_env *env,
		     const struct ep_query *q, struct ep_slice by, struct ep_err *err)
{
	s->merge.by = by;
	EP_TRY(ep_plan_open(&s->plan, env, q, true, err));
	EP_TRY(ep_sums_run(&s->merge, &s->plan, err));
	s->ledger = ep_plan_ledger(&s->plan);
	return 0;
}

int ep_graph_run(struct ep_graph *g, struct ep_graph_side sides[2], const struct ep_query_env *env,
		 const struct ep_query *const q[2], struct ep_slice by, struct ep_err *err)
{
	const struct ep_sums_dict *v[MAX_DIRECT];
	int n_sides = q[1] ? 2 : 1;
	g->env = env;
	for (int i = 0; i < n_sides; i++)
		EP_TRY(read_side(&sides[i], env, q[i], by, err));
	uint32_t n = one_dict(sides, v);
	return n ? add_direct(g, sides, n_sides, v, n, err) : add_several(g, sides, n_sides, err);
}

void ep_graph_fini(struct ep_graph *g, struct ep_graph_side sides[2])
{
	close_tree(g);
	ep_fntree_fini(&g->own);
	ep_free(g->block);
	for (int i = 0; i < 2; i++) {
		ep_free(g->grown[i]);
		ep_sums_fini(&sides[i].merge);
		ep_plan_close(&sides[i].plan);
	}
	memset(g, 0, sizeof(*g));
}

/* --- order ---------------------------------------------------------------------------------- */

void ep_graph_part_fini(struct ep_graph_part *p)
{
	ep_free(p->id);
	ep_free(p->parent);
	ep_free(p->first_child);
	ep_free(p->next);
	memset(p, 0, sizeof(*p));
}

/* The kept ones, with their parents' new numbers. */
static int number(const struct ep_graph *g, struct ep_graph_part *p)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < g->n; i++)
		n += g->keep[i] != 0;
	p->id = ep_alloc(((size_t)n + 1) * sizeof(*p->id));
	p->parent = ep_alloc(((size_t)n + 1) * sizeof(*p->parent));
	if (!p->id || !p->parent)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->n; i++) {
		if (!g->keep[i])
			continue;
		g->number[i] = p->n;
		p->id[p->n] = i;
		p->parent[p->n++] = i ? g->number[g->t->parent[i]] : 0;
	}
	return 0;
}

/* Nodes by their function's rank: counted, not compared. */
static int order_nodes(const struct ep_graph *g, const struct ep_graph_part *p, uint32_t *order)
{
	const uint32_t *rank = g->t->rank;
	uint32_t *at ep_auto_mem = ep_zalloc(((size_t)g->t->fns.n + 2) * sizeof(*at));
	if (!at)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->n; i++)
		at[rank[g->t->v[p->id[i]].fn] + 1]++;
	for (uint32_t r = 1; r <= g->t->fns.n; r++)
		at[r] += at[r - 1];
	for (uint32_t i = 0; i < p->n; i++)
		order[at[rank[g->t->v[p->id[i]].fn]]++] = i;
	return 0;
}

int ep_graph_part(const struct ep_graph *g, struct ep_graph_part *ret_p)
{
	struct ep_graph_part *p = ret_p;
	EP_TRY(number(g, p));
	uint32_t *order ep_auto_mem = ep_alloc(((size_t)p->n + 1) * sizeof(*order));
	p->first_child = ep_zalloc(((size_t)p->n + 1) * sizeof(*p->first_child));
	p->next = ep_zalloc(((size_t)p->n + 1) * sizeof(*p->next));
	if (!order || !p->first_child || !p->next)
		return -ENOMEM;
	EP_TRY(order_nodes(g, p, order));
	/* From the last: each becomes its parent's first. */
	for (uint32_t k = p->n; k-- > 0;) {
		uint32_t i = order[k];
		if (!i)
			continue;
		p->next[i] = p->first_child[p->parent[i]];
		p->first_child[p->parent[i]] = i;
	}
	return 0;
}

uint32_t ep_graph_next(const struct ep_graph_part *p, uint32_t i, uint32_t *depth)
{
	if (p->first_child[i]) {
		(*depth)++;
		return p->first_child[i];
	}
	while (i && !p->next[i]) {
		i = p->parent[i];
		(*depth)--;
	}
	return i ? p->next[i] : 0;
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
