/* webjson.c - see webjson.h. */
#include "pprof/webjson.h"

#include <stdlib.h>
#include <string.h>

static int64_t scaled(const struct ep_webtree *t, int64_t v)
{
	return t->ratio == 1 ? v : (int64_t)((double)v * t->ratio);
}

/* --- which nodes stay --------------------------------------------------------------- */

struct plan {
	const struct ep_webtree *t;
	uint8_t *keep;		/* of nodes */
	uint32_t *first, *next; /* children that stay, by name */
	uint32_t *order;	/* node ids in pre-order */
	uint32_t *depth;
	uint32_t n;
	uint32_t *names;	/* of functions: index in the answer, from 1; 0: not in it */
	uint32_t *fns;		/* the functions of the answer */
	uint32_t n_fns;
};

static void plan_fini(struct plan *p)
{
	ep_free(p->keep);
	ep_free(p->first);
	ep_free(p->next);
	ep_free(p->order);
	ep_free(p->depth);
	ep_free(p->names);
	ep_free(p->fns);
}

static int plan_init(struct plan *p, const struct ep_webtree *t)
{
	size_t n = t->n_nodes;
	*p = (struct plan){.t = t, .keep = ep_zalloc(n), .first = ep_zalloc(n * sizeof(uint32_t)),
			   .next = ep_zalloc(n * sizeof(uint32_t)),
			   .order = ep_alloc(n * sizeof(uint32_t)),
			   .depth = ep_alloc(n * sizeof(uint32_t)),
			   .names = ep_zalloc(t->n_fns * sizeof(uint32_t)),
			   .fns = ep_alloc(t->n_fns * sizeof(uint32_t))};
	return p->keep && p->first && p->next && p->order && p->depth && p->names && p->fns ?
		       0 :
		       -ENOMEM;
}

/* Only the way along the path, and what is below its end. */
static void follow(struct plan *p, const struct ep_webjson_cut *cut)
{
	const struct ep_webtree *t = p->t;
	p->depth[0] = 0;
	p->keep[0] = 1;
	for (uint32_t i = 1; i < t->n_nodes; i++) {
		const struct ep_webtree_node *n = &t->nodes[i];
		uint32_t d = p->depth[n->parent];
		p->depth[i] = d + 1;
		p->keep[i] = p->keep[n->parent] &&
			     (d >= cut->n_path ||
			      ep_slice_eq(t->fns[n->fn].name, cut->path[d]));
	}
}

struct weight {
	int64_t width;
	uint32_t node;
};

/* Heaviest first, and parents before their children, which are never heavier. */
static int by_weight(const void *a, const void *b)
{
	const struct weight *x = a, *y = b;
	if (x->width != y->width)
		return x->width < y->width ? 1 : -1;
	return (x->node > y->node) - (x->node < y->node);
}

static int drop_small(struct plan *p, uint32_t max_nodes)
{
	struct weight *v = ep_alloc(p->t->n_nodes * sizeof(*v));
	uint32_t n = 0;
	if (!v)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->t->n_nodes; i++)
		if (p->keep[i])
			v[n++] = (struct weight){ep_webtree_width(&p->t->nodes[i]), i};
	if (n > max_nodes) {
		qsort(v, n, sizeof(*v), by_weight);
		for (uint32_t i = max_nodes; i < n; i++)
			p->keep[v[i].node] = 0;
	}
	ep_free(v);
	return 0;
}

/* --- their order -------------------------------------------------------------------- */

struct sibling {
	const struct ep_webtree_fn *fn;
	uint32_t node;
};

static int by_name(const void *a, const void *b)
{
	const struct sibling *x = a, *y = b;
	int c = ep_slice_cmp(x->fn->name, y->fn->name);
	return c ? c : ep_slice_cmp(x->fn->file, y->fn->file);
}

/* Chain the children of one node by name; they come in a chain in any order. */
static int sort_children(struct plan *p, uint32_t parent, struct sibling **v, uint32_t *cap)
{
	uint32_t n = 0;
	for (uint32_t c = p->first[parent]; c; c = p->next[c]) {
		if (n == *cap) {
			uint32_t to = *cap ? *cap * 2 : 64;
			struct sibling *more = ep_realloc(*v, to * sizeof(**v));
			if (!more)
				return -ENOMEM;
			*v = more;
			*cap = to;
		}
		(*v)[n++] = (struct sibling){&p->t->fns[p->t->nodes[c].fn], c};
	}
	if (n < 2)
		return 0;
	qsort(*v, n, sizeof(**v), by_name);
	p->first[parent] = (*v)[0].node;
	for (uint32_t i = 0; i < n; i++)
		p->next[(*v)[i].node] = i + 1 < n ? (*v)[i + 1].node : 0;
	return 0;
}

static int link_children(struct plan *p)
{
	struct sibling *v = NULL;
	uint32_t cap = 0;
	int rc = 0;
	for (uint32_t i = p->t->n_nodes; i-- > 1;)
		if (p->keep[i]) {
			uint32_t parent = p->t->nodes[i].parent;
			p->next[i] = p->first[parent];
			p->first[parent] = i;
		}
	for (uint32_t i = 0; rc == 0 && i < p->t->n_nodes; i++)
		rc = p->keep[i] ? sort_children(p, i, &v, &cap) : 0;
	ep_free(v);
	return rc;
}

static void visit(struct plan *p, uint32_t node)
{
	uint32_t fn = p->t->nodes[node].fn;
	if (!p->names[fn]) {
		p->fns[p->n_fns] = fn;
		p->names[fn] = ++p->n_fns;
	}
	p->order[p->n++] = node;
}

static void walk(struct plan *p)
{
	uint32_t at = 0;
	visit(p, 0);
	for (;;) {
		if (p->first[at]) {
			at = p->first[at];
		} else {
			while (at && !p->next[at])
				at = p->t->nodes[at].parent;
			if (!at)
				return;
			at = p->next[at];
		}
		visit(p, at);
	}
}

/* --- writing ------------------------------------------------------------------------ */

static void write_functions(struct ep_jsonw *w, const struct plan *p)
{
	ep_jsonw_open(w, "names", '[');
	for (uint32_t i = 0; i < p->n_fns; i++)
		ep_jsonw_slice(w, NULL, p->t->fns[p->fns[i]].name);
	ep_jsonw_close(w, ']');
	ep_jsonw_open(w, "files", '[');
	for (uint32_t i = 0; i < p->n_fns; i++)
		ep_jsonw_slice(w, NULL, p->t->fns[p->fns[i]].file);
	ep_jsonw_close(w, ']');
	ep_jsonw_open(w, "kinds", '[');
	for (uint32_t i = 0; i < p->n_fns; i++)
		ep_jsonw_str(w, NULL, ep_webtree_kind_name(p->t->fns[p->fns[i]].kind));
	ep_jsonw_close(w, ']');
}

static int64_t more_of(const struct plan *p, uint32_t node)
{
	const struct ep_webtree_node *n = &p->t->nodes[node];
	int64_t rest = ep_webtree_width(n) - n->self[0] - n->self[1];
	for (uint32_t c = p->first[node]; c; c = p->next[c])
		rest -= ep_webtree_width(&p->t->nodes[c]);
	return rest;
}

/* --- what sampling can do ----------------------------------------------------------- */

/* What an event weighs here; where nothing was seen, what it weighs elsewhere. */
static double event_weight(const struct ep_webtree *t, int side, int64_t value,
			   double variance)
{
	if (value > 0)
		return variance / (double)value;
	int64_t whole = t->nodes[0].total[side];
	return whole > 0 ? t->nodes[0].variance[side] / (double)whole : 0;
}

/* At least that of one event: nothing seen is not nothing there.  The same as
 * pprof/compare.c. */
static double floored(const struct ep_webtree *t, int side, int64_t value, double variance)
{
	double event = event_weight(t, side, value, variance);
	return variance > event * event ? variance : event * event;
}

/* Of the values as they are shown, side A first. */
static void write_variance(struct ep_jsonw *w, const struct ep_webtree *t, const char *key,
			   const int64_t value[2], const double variance[2])
{
	ep_jsonw_open(w, key, '[');
	for (int side = 0; side < 2; side++)
		ep_jsonw_double(w, NULL, floored(t, side, value[side], variance[side]) *
						 t->ratio * t->ratio);
	ep_jsonw_close(w, ']');
}

/* What an event weighs in a node: times its value on both sides, it is the variance of
 * their difference. */
static double per_sample(const struct ep_webtree *t, const struct ep_webtree_node *n)
{
	double both = (double)ep_webtree_width(n), variance = 0;
	for (int side = 0; side < 2; side++)
		variance += floored(t, side, n->total[side], n->variance[side]);
	return both > 0 ? variance / both * t->ratio : 0;
}

static void write_per_sample(struct ep_jsonw *w, const struct plan *p)
{
	ep_jsonw_open(w, "per_sample", '[');
	for (uint32_t i = 0; i < p->n; i++)
		ep_jsonw_double(w, NULL, per_sample(p->t, &p->t->nodes[p->order[i]]));
	ep_jsonw_close(w, ']');
}

enum column { NAME, DEPTH, SELF, TOTAL, SELF_B, TOTAL_B, MORE };

static void write_column(struct ep_jsonw *w, const struct plan *p, const char *key,
			 enum column column)
{
	const struct ep_webtree *t = p->t;
	ep_jsonw_open(w, key, '[');
	for (uint32_t i = 0; i < p->n; i++) {
		const struct ep_webtree_node *n = &t->nodes[p->order[i]];
		int64_t v = column == NAME    ? (int64_t)p->names[n->fn] - 1 :
			    column == DEPTH   ? p->depth[p->order[i]] :
			    column == SELF    ? scaled(t, n->self[0]) :
			    column == TOTAL   ? scaled(t, n->total[0]) :
			    column == SELF_B  ? scaled(t, n->self[1]) :
			    column == TOTAL_B ? scaled(t, n->total[1]) :
						scaled(t, more_of(p, p->order[i]));
		ep_jsonw_int(w, NULL, v);
	}
	ep_jsonw_close(w, ']');
}

static void write_ledger(struct ep_jsonw *w, const char *key, const struct ep_webtree *t,
			 int side)
{
	static const char *const none[] = {"asked", "taken", "lost", "truncated", "covered_ms",
					   "span_ms"};
	ep_jsonw_open(w, key, '{');
	ep_jsonw_uint(w, "profiles", 1);
	ep_jsonw_uint(w, "samples", (uint64_t)(t->samples[side] + 0.5));
	ep_jsonw_int(w, "unsymbolised", scaled(t, t->unnamed[side]));
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		ep_jsonw_uint(w, none[i], 0);
	ep_jsonw_close(w, '}');
}

static void write_tree(struct ep_jsonw *w, const char *key, const struct plan *p)
{
	const struct ep_webtree *t = p->t;
	ep_jsonw_open(w, key, '{');
	ep_jsonw_slice(w, "unit", t->unit);
	ep_jsonw_slice(w, "type", t->type);
	ep_jsonw_int(w, "total", scaled(t, ep_webtree_width(&t->nodes[0])));
	if (t->is_diff) {
		ep_jsonw_int(w, "total_a", scaled(t, t->nodes[0].total[0]));
		ep_jsonw_int(w, "total_b", scaled(t, t->nodes[0].total[1]));
	}
	if (t->is_diff)
		ep_jsonw_double(w, "per_sample", per_sample(t, &t->nodes[0]));
	write_functions(w, p);
	ep_jsonw_open(w, "node", '{');
	write_column(w, p, "name", NAME);
	write_column(w, p, "depth", DEPTH);
	write_column(w, p, "self", SELF);
	write_column(w, p, "total", TOTAL);
	if (t->is_diff) {
		write_column(w, p, "self_b", SELF_B);
		write_column(w, p, "total_b", TOTAL_B);
		write_per_sample(w, p);
	}
	write_column(w, p, "more", MORE);
	ep_jsonw_close(w, '}');
	write_ledger(w, "ledger", t, 0);
	if (t->is_diff)
		write_ledger(w, "ledger_b", t, 1);
	ep_jsonw_close(w, '}');
}

int ep_webjson_tree(struct ep_jsonw *w, const char *key, const struct ep_webtree *t,
		    const struct ep_webjson_cut *cut)
{
	__attribute__((cleanup(plan_fini))) struct plan p;
	EP_TRY(plan_init(&p, t));
	follow(&p, cut);
	if (cut->max_nodes)
		EP_TRY(drop_small(&p, cut->max_nodes));
	EP_TRY(link_children(&p));
	walk(&p);
	write_tree(w, key, &p);
	return ep_buf_failed(w->out);
}

/* --- the table ---------------------------------------------------------------------- */

static int by_self(const void *a, const void *b)
{
	const struct ep_webtree_fn *x = *(const struct ep_webtree_fn *const *)a;
	const struct ep_webtree_fn *y = *(const struct ep_webtree_fn *const *)b;
	int64_t sx = x->self[0] + x->self[1], sy = y->self[0] + y->self[1];
	int64_t tx = x->total[0] + x->total[1], ty = y->total[0] + y->total[1];
	if (sx != sy)
		return sx < sy ? 1 : -1;
	if (tx != ty)
		return tx < ty ? 1 : -1;
	int c = ep_slice_cmp(x->name, y->name);
	return c ? c : ep_slice_cmp(x->file, y->file);
}

static void write_row(struct ep_jsonw *w, const struct ep_webtree *t,
		      const struct ep_webtree_fn *f)
{
	ep_jsonw_open(w, NULL, '{');
	ep_jsonw_slice(w, "name", f->name);
	ep_jsonw_slice(w, "file", f->file);
	ep_jsonw_str(w, "kind", ep_webtree_kind_name(f->kind));
	if (f->is_inlined)
		ep_jsonw_bool(w, "inlined", true);
	ep_jsonw_int(w, "self", scaled(t, f->self[0]));
	ep_jsonw_int(w, "total", scaled(t, f->total[0]));
	if (t->is_diff) {
		ep_jsonw_int(w, "self_b", scaled(t, f->self[1]));
		ep_jsonw_int(w, "total_b", scaled(t, f->total[1]));
		write_variance(w, t, "self_variance", f->self, f->self_variance);
		write_variance(w, t, "total_variance", f->total, f->total_variance);
	}
	ep_jsonw_close(w, '}');
}

int ep_webjson_top(struct ep_jsonw *w, const struct ep_webtree *t, uint32_t limit)
{
	const struct ep_webtree_fn **v = ep_alloc(((size_t)t->n_fns + 1) * sizeof(*v));
	uint32_t n = 0;
	if (!v)
		return -ENOMEM;
	for (uint32_t i = 1; i < t->n_fns; i++)
		v[n++] = &t->fns[i];
	qsort(v, n, sizeof(*v), by_self);
	ep_jsonw_open(w, NULL, '{');
	ep_jsonw_slice(w, "unit", t->unit);
	ep_jsonw_slice(w, "type", t->type);
	ep_jsonw_int(w, "total", scaled(t, t->nodes[0].total[0]));
	if (t->is_diff)
		ep_jsonw_int(w, "total_b", scaled(t, t->nodes[0].total[1]));
	ep_jsonw_open(w, "rows", '[');
	for (uint32_t i = 0; i < n && (!limit || i < limit); i++)
		write_row(w, t, v[i]);
	ep_jsonw_close(w, ']');
	ep_jsonw_uint(w, "count", n);
	ep_jsonw_close(w, '}');
	ep_free(v);
	return ep_buf_failed(w->out);
}
