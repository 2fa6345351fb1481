/*
 * dottags.c - see dottags.h.  Source: behaviour of google/pprof dotgraph.go.
 */
#include "report/dottags.h"

#include "base/sort.h"
#include "report/wrap.h"

#include <stdio.h>

bool ep_dottags_are_flat(const struct ep_callgraph *g, uint32_t node)
{
	return g->out.first[node] < g->out.first[node + 1];
}

/* --- order -------------------------------------------------------------------------- */

struct weight {
	int64_t flat, cum;
	struct ep_slice name;
};

/* Heaviest first.  By cum also flat counts. */
static bool heavier(const struct weight *x, const struct weight *y, bool by_flat, bool *same)
{
	int64_t fx = ep_wrap_abs(x->flat), fy = ep_wrap_abs(y->flat);
	int64_t cx = ep_wrap_abs(x->cum), cy = ep_wrap_abs(y->cum);
	*same = false;
	if (!by_flat && cx != cy)
		return cx > cy;
	if (fx != fy)
		return fx > fy;
	int c = ep_slice_cmp(x->name, y->name);
	*same = c == 0;
	return c < 0;
}

struct order {
	const struct ep_callgraph *g;
	bool by_flat;
};

static bool tag_before(const void *a, const void *b, void *arg)
{
	const struct order *o = arg;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct ep_callgraph_tag *x = &o->g->tags[i], *y = &o->g->tags[k];
	bool same;
	bool before = heavier(&(struct weight){x->flat, x->cum, x->name},
			      &(struct weight){y->flat, y->cum, y->name}, o->by_flat, &same);
	return same ? i < k : before;
}

/* In place, keeping the order of equal ones; there are at most four. */
static void sort_boxes(struct ep_dottag *v, int n, bool by_flat)
{
	for (int i = 1; i < n; i++)
		for (int k = i; k > 0; k--) {
			bool same;
			struct weight x = {v[k].flat, v[k].cum, v[k].name};
			struct weight y = {v[k - 1].flat, v[k - 1].cum, v[k - 1].name};
			if (!heavier(&x, &y, by_flat, &same))
				break;
			struct ep_dottag t = v[k];
			v[k] = v[k - 1];
			v[k - 1] = t;
		}
}

/* Tags of a node that are left, sorted; *ret_n of them, to be freed. */
static int select_tags(const struct ep_callgraph *g, uint32_t node, bool numbers,
		       uint32_t combination, uint32_t **ret, uint32_t *ret_n)
{
	uint32_t first = g->first_tag[node], end = g->first_tag[node + 1], n = 0;
	uint32_t *v = ep_alloc(((size_t)(end - first) + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (uint32_t i = first; i < end; i++) {
		const struct ep_callgraph_tag *t = &g->tags[i];
		if (!t->dropped && t->is_number == numbers &&
		    (!numbers || t->combination == combination))
			v[n++] = i;
	}
	struct order o = {g, ep_dottags_are_flat(g, node)};
	ep_sort(v, n, sizeof(*v), tag_before, &o);
	*ret = v;
	*ret_n = n;
	return 0;
}

int ep_dottags_combinations(struct ep_callgraph *g, uint32_t node,
			    struct ep_dottag ret[EP_DOTTAGS_MAX])
{
	uint32_t *tags ep_auto_mem = NULL, n;
	EP_TRY(select_tags(g, node, false, EP_NONE, &tags, &n));
	n = n < EP_DOTTAGS_MAX ? n : EP_DOTTAGS_MAX;
	for (uint32_t i = 0; i < n; i++) {
		const struct ep_callgraph_tag *t = &g->tags[tags[i]];
		ret[i] = (struct ep_dottag){t->name, ep_callgraph_mean(t->flat, t->flat_div),
					    ep_callgraph_mean(t->cum, t->cum_div),
					    t->combination};
	}
	return (int)n;
}

/* --- ranges ------------------------------------------------------------------------------ */

/* Numbers that share a box, and its sums. */
struct range {
	const struct ep_callgraph_tag *first; /* the others gather around it */
	const struct ep_callgraph_tag *min, *max;
	int64_t flat, cum, flat_div, cum_div;
	uint32_t n;
};

static struct range range_of(const struct ep_callgraph_tag *t)
{
	return (struct range){t, t, t, t->flat, t->cum, t->flat_div, t->cum_div, 1};
}

/* Distances and ends are compared as the reference compares them: as floats. */
static double distance(const struct ep_callgraph_tag *t, const struct ep_callgraph_tag *to)
{
	struct ep_slice unit;
	double v = ep_units_scale(to->value, to->unit, t->unit, &unit);
	return v < (double)t->value ? (double)t->value - v : v - (double)t->value;
}

static void widen(struct range *r, const struct ep_callgraph_tag *t)
{
	struct ep_slice unit;
	double v = ep_units_scale(t->value, t->unit, r->min->unit, &unit);
	if (ep_units_whole(v) < r->min->value)
		r->min = t;
	v = ep_units_scale(t->value, t->unit, r->max->unit, &unit);
	if (ep_units_whole(v) > r->max->value)
		r->max = t;
	r->flat = ep_wrap_add(r->flat, t->flat);
	r->cum = ep_wrap_add(r->cum, t->cum);
	r->flat_div = ep_wrap_add(r->flat_div, t->flat_div);
	r->cum_div = ep_wrap_add(r->cum_div, t->cum_div);
	r->n++;
}

static int name_range(struct ep_callgraph *g, const struct range *r, struct ep_slice *ret)
{
	char min[EP_UNITS_LABEL_MAX], max[EP_UNITS_LABEL_MAX];
	char text[2 * EP_UNITS_LABEL_MAX + 2];
	struct ep_slice automatic = ep_slice_of("auto");
	ep_units_label(min, r->min->value, r->min->unit, automatic);
	ep_units_label(max, r->max->value, r->max->unit, automatic);
	int n = r->n == 1 ? snprintf(text, sizeof(text), "%s", min)
			  : snprintf(text, sizeof(text), "%s..%s", min, max);
	ret->n = (size_t)n;
	ret->p = ep_arena_copy(g->arena, text, ret->n);
	return ret->p ? 0 : -ENOMEM;
}

/* The heaviest numbers begin a range each; every other joins the nearest. */
static void gather(const struct ep_callgraph *g, const uint32_t *tags, uint32_t n,
		   struct range ranges[EP_DOTTAGS_MAX])
{
	for (uint32_t i = 0; i < n; i++) {
		const struct ep_callgraph_tag *t = &g->tags[tags[i]];
		if (i < EP_DOTTAGS_MAX) {
			ranges[i] = range_of(t);
			continue;
		}
		int nearest = 0;
		for (int k = 1; k < EP_DOTTAGS_MAX; k++)
			if (distance(t, ranges[k].first) < distance(t, ranges[nearest].first))
				nearest = k;
		widen(&ranges[nearest], t);
	}
}

int ep_dottags_ranges(struct ep_callgraph *g, uint32_t node, uint32_t combination,
		      struct ep_dottag ret[EP_DOTTAGS_MAX])
{
	uint32_t *tags ep_auto_mem = NULL, n;
	struct range ranges[EP_DOTTAGS_MAX];
	EP_TRY(select_tags(g, node, true, combination, &tags, &n));
	gather(g, tags, n, ranges);
	bool collapsed = n > EP_DOTTAGS_MAX;
	n = collapsed ? EP_DOTTAGS_MAX : n;
	for (uint32_t i = 0; i < n; i++) {
		const struct range *r = &ranges[i];
		struct ep_slice name = r->first->name;
		if (collapsed)
			EP_TRY(name_range(g, r, &name));
		ret[i] = (struct ep_dottag){name, ep_callgraph_mean(r->flat, r->flat_div),
					    ep_callgraph_mean(r->cum, r->cum_div), EP_NONE};
	}
	if (collapsed)
		sort_boxes(ret, (int)n, ep_dottags_are_flat(g, node));
	return (int)n;
}

/* --- as DOT --------------------------------------------------------------------------------- */

struct page {
	const struct ep_report *r;
	struct ep_callgraph *g;
	struct ep_buf *out;
	uint32_t node;
	bool flat;
};

/* A box named `id` hanging on `from`. */
static void add_box(struct page *pg, const char *from, const char *id,
		    const struct ep_dottag *t, int64_t value, const char *style)
{
	char w[EP_UNITS_LABEL_MAX];
	ep_report_label(pg->r, w, value);
	ep_buf_printf(pg->out, "%s [label = \"", id);
	ep_buf_add(pg->out, t->name.p, t->name.n);
	ep_buf_printf(pg->out, "\" id=\"%s\" fontsize=8 shape=box3d tooltip=\"%s\"]\n", id, w);
	ep_buf_printf(pg->out,
		      "%s -> %s [label=\" %s\" weight=100 tooltip=\"%s\" "
		      "labeltooltip=\"%s\"%s]\n",
		      from, id, w, w, w, style);
}

static int add_ranges(struct page *pg, const char *from, uint32_t combination)
{
	struct ep_dottag ranges[EP_DOTTAGS_MAX];
	int n = ep_dottags_ranges(pg->g, pg->node, combination, ranges);
	for (int i = 0; i < n; i++) {
		const struct ep_dottag *t = &ranges[i];
		bool own = pg->flat || t->flat == t->cum;
		int64_t value = own ? t->flat : t->cum;
		char id[64];
		snprintf(id, sizeof(id), "N%s_%d", from, i);
		if (value)
			add_box(pg, from, id, t, value, own ? "" : " style=\"dotted\"");
	}
	return n < 0 ? n : 0;
}

int ep_dottags_add(const struct ep_report *r, struct ep_callgraph *g, uint32_t node,
		   uint32_t number, struct ep_buf *out)
{
	struct page pg = {r, g, out, node, ep_dottags_are_flat(g, node)};
	struct ep_dottag labels[EP_DOTTAGS_MAX];
	char from[32], id[48];
	snprintf(from, sizeof(from), "N%u", number);
	int n = ep_dottags_combinations(g, node, labels);
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		int64_t value = pg.flat ? labels[i].flat : labels[i].cum;
		if (!value)
			continue;
		snprintf(id, sizeof(id), "%s_%d", from, i);
		add_box(&pg, from, id, &labels[i], value, "");
		EP_TRY(add_ranges(&pg, id, labels[i].combination));
	}
	return add_ranges(&pg, from, EP_NONE);
}
