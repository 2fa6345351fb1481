/*
 * callgraph_groups.c - nodes that are the values of a label instead of places in code.
 *
 * Below each value, for reports with edges, stand the nodes whose own weight it is.
 */
#include "report/callgraph_inside.h"

#include "base/grow.h"
#include "base/hash.h"
#include "base/index.h"
#include "report/wrap.h"

struct value {
	struct ep_slice name;
	int64_t sum, divisor;
};

struct work {
	struct ep_callgraph_maker *m;
	uint32_t key; /* of ep_report.keys */
	bool has_edges;
	struct ep_index values_ix, edges_ix;
	struct value *values;
	uint32_t n_values, cap_values, cap_edges;
	uint32_t *value_of; /* of strings of the profile; EP_NONE: not met yet */
	struct ep_buf text;
};

static void work_fini(struct work *w)
{
	ep_index_fini(&w->values_ix);
	ep_index_fini(&w->edges_ix);
	ep_free(w->values);
	ep_free(w->value_of);
	ep_buf_fini(&w->text);
}

static int intern(struct work *w, struct ep_slice name, uint32_t *ret)
{
	struct ep_index_iter it;
	uint64_t h = ep_hash64(name.p, name.n);
	for (uint32_t i = ep_index_first(&w->values_ix, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&w->values_ix, &it))
		if (ep_slice_eq(w->values[i].name, name)) {
			*ret = i;
			return 0;
		}
	EP_TRY(ep_grow((void **)&w->values, &w->cap_values, w->n_values, sizeof(*w->values)));
	char *copy = ep_arena_copy(w->m->g->arena, name.p, name.n);
	if (!copy)
		return -ENOMEM;
	EP_TRY(ep_index_add(&w->values_ix, h, w->n_values));
	w->values[w->n_values] = (struct value){.name = {copy, name.n}};
	*ret = w->n_values++;
	return 0;
}

static void add_text(struct work *w, const struct ep_label *l)
{
	const struct ep_report *r = w->m->r;
	char number[EP_UNITS_LABEL_MAX];
	if (w->text.len)
		ep_buf_add_char(&w->text, ',');
	if (l->str) {
		struct ep_slice s = ep_profile_str(r->p, l->str);
		ep_buf_add(&w->text, s.p, s.n);
	} else {
		ep_units_label(number, l->num, r->keys.keys[w->key].unit,
			       ep_slice_of("auto"));
		ep_buf_add_str(&w->text, number);
	}
}

/* Several values of one sample are one, with commas. */
static int value_of_sample(struct work *w, const struct ep_sample *s, uint32_t *ret)
{
	const struct ep_report *r = w->m->r;
	const struct ep_label *labels = r->p->labels + s->first_label, *only = NULL;
	uint32_t n = 0;
	for (uint32_t i = 0; i < s->n_labels; i++)
		if (ep_keys_number(&r->keys, labels[i].key) == w->key) {
			only = &labels[i];
			n++;
		}
	bool is_cached = n == 1 && only->str;
	if (is_cached && w->value_of[only->str] != EP_NONE) {
		*ret = w->value_of[only->str];
		return 0;
	}
	ep_buf_clear(&w->text);
	for (uint32_t i = 0; i < s->n_labels; i++)
		if (ep_keys_number(&r->keys, labels[i].key) == w->key)
			add_text(w, &labels[i]);
	if (!n)
		ep_buf_printf(&w->text, "(no %s)", r->o.group_by);
	EP_TRY(ep_buf_failed(&w->text));
	EP_TRY(intern(w, (struct ep_slice){(const char *)w->text.data, w->text.len}, ret));
	if (is_cached)
		w->value_of[only->str] = *ret;
	return 0;
}

/* From a value to a frame; src is the value's number until all are known. */
static int add_edge(struct work *w, uint32_t value, uint32_t frame, uint32_t sample)
{
	struct ep_callgraph *g = w->m->g;
	struct ep_index_iter it;
	uint64_t h = ep_hash_mix(value, frame);
	uint32_t e = ep_index_first(&w->edges_ix, h, &it);
	while (e != EP_INDEX_NONE && (g->edges[e].src != value || g->edges[e].dst != frame))
		e = ep_index_next(&w->edges_ix, &it);
	if (e == EP_INDEX_NONE) {
		EP_TRY(ep_grow((void **)&g->edges, &w->cap_edges, g->n_edges,
			    sizeof(*g->edges)));
		EP_TRY(ep_index_add(&w->edges_ix, h, g->n_edges));
		e = g->n_edges++;
		g->edges[e] = (struct ep_callgraph_edge){.src = value, .dst = frame};
	}
	const struct ep_report *r = w->m->r;
	g->edges[e].weight = ep_wrap_add(g->edges[e].weight, ep_report_value(r, sample));
	g->edges[e].weight_div =
		ep_wrap_add(g->edges[e].weight_div, ep_report_divisor(r, sample));
	return 0;
}

static int add_sample(struct work *w, uint32_t i)
{
	const struct ep_report *r = w->m->r;
	const struct ep_sample *s = &r->p->samples[i];
	int64_t value = ep_report_value(r, i), divisor = ep_report_divisor(r, i);
	uint32_t v;
	if (!value && !divisor)
		return 0;
	EP_TRY(value_of_sample(w, s, &v));
	w->values[v].sum = ep_wrap_add(w->values[v].sum, value);
	w->values[v].divisor = ep_wrap_add(w->values[v].divisor, divisor);
	if (!w->has_edges || !s->n_locations)
		return 0;
	uint32_t leaf = ep_profile_stack(r->p, s)[0];
	return add_edge(w, v, w->m->frames[w->m->first_frame[leaf]], i);
}

/* Values come behind the frames of code, which have no weight of their own here. */
static int make_nodes(struct work *w)
{
	struct ep_callgraph *g = w->m->g;
	uint32_t first = g->n_frames, n = first + w->n_values;
	struct ep_callgraph_frame *frames = ep_callgraph_array(g, struct ep_callgraph_frame, n);
	g->nodes = ep_zalloc(((size_t)n + 1) * sizeof(*g->nodes));
	if (!frames || !g->nodes)
		return -ENOMEM;
	if (first)
		memcpy(frames, g->frames, first * sizeof(*frames));
	g->frames = frames;
	g->n_frames = g->n_nodes = n;
	for (uint32_t i = 0; i < n; i++)
		g->nodes[i] = (struct ep_callgraph_node){.frame = i, .parent = EP_NONE};
	for (uint32_t i = 0; i < w->n_values; i++) {
		const struct value *v = &w->values[i];
		frames[first + i] = (struct ep_callgraph_frame){.name = v->name};
		g->nodes[first + i] = (struct ep_callgraph_node){
			v->sum, v->sum, v->divisor, v->divisor, first + i, EP_NONE};
	}
	for (uint32_t i = 0; i < g->n_edges; i++)
		g->edges[i].src += first;
	return 0;
}

static int make(struct work *w)
{
	const struct ep_profile *p = w->m->r->p;
	w->value_of = ep_alloc(((size_t)p->n_strings + 1) * sizeof(*w->value_of));
	if (!w->value_of)
		return -ENOMEM;
	memset(w->value_of, 0xff, ((size_t)p->n_strings + 1) * sizeof(*w->value_of));
	ep_buf_init(&w->text, EP_NONE);
	if (w->has_edges)
		EP_TRY(ep_callgraph_frames_make(w->m));
	for (uint32_t i = 0; i < p->n_samples; i++)
		EP_TRY(add_sample(w, i));
	return make_nodes(w);
}

int ep_callgraph_groups_make(struct ep_callgraph_maker *m)
{
	const struct ep_report *r = m->r;
	struct work w = {.m = m, .has_edges = r->o.kind != EP_REPORT_TEXT};
	w.key = ep_keys_find(&r->keys, ep_slice_of(r->o.group_by));
	if (w.key == EP_NONE)
		return -ENOENT;
	int rc = make(&w);
	work_fini(&w);
	return rc;
}
