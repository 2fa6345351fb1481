/*
 * callgraph_tags.c - which labels the weight of each node came with.
 *
 * Samples are taken label set by label set, so that a node's sums for the set at hand
 * are found by the node's number; at the end sets become tags: the combination of its
 * string labels, and each of its numbers.  Only numbers with the key "bytes" count.
 */
#include "report/callgraph_inside.h"

#include "base/grow.h"
#include "base/hash.h"
#include "base/index.h"
#include "base/sort.h"
#include "profile/scale.h"
#include "report/wrap.h"

/* A kind of tag, before it belongs to a node. */
struct kind {
	struct ep_slice name;
	uint32_t under; /* the combination, for numbers */
	bool is_number;
};

struct item {
	uint32_t kind;
	int64_t value;
};

/* What a sample's labels come to.  Those that differ in nothing that counts are one
 * set; equal labels in another order are two, which changes nothing. */
struct set {
	uint32_t first_label, n_labels;
	uint32_t first_item, n_items;
};

/* The weight of a node's samples with one set. */
struct share {
	uint32_t node, set, first_sample;
	int64_t flat, cum, flat_div, cum_div;
};

struct work {
	struct ep_callgraph_maker *m;
	struct ep_slice bytes_unit;
	struct ep_index kinds_ix, sets_ix;
	struct kind *kinds;
	struct item *items;
	struct set *sets;
	struct share *shares;
	uint32_t n_kinds, n_items, n_sets, n_shares;
	uint32_t cap_kinds, cap_items, cap_sets, cap_shares;
	uint32_t *set_of; /* of each sample */
	uint32_t bytes_key, base_key; /* of ep_report.keys; EP_NONE without one */
};

static void work_fini(struct work *w)
{
	ep_index_fini(&w->kinds_ix);
	ep_index_fini(&w->sets_ix);
	ep_free(w->kinds);
	ep_free(w->items);
	ep_free(w->sets);
	ep_free(w->shares);
	ep_free(w->set_of);
}

/* --- label sets to items ---------------------------------------------------------- */

/* Samples of a comparison's base are marked by a label that nobody needs to see. */
static bool counts(const struct work *w, const struct ep_label *l)
{
	uint32_t key = ep_keys_number(&w->m->r->keys, l->key);
	return l->str ? key == EP_NONE || key != w->base_key
		      : key != EP_NONE && key == w->bytes_key;
}

static int add_item(struct work *w, const struct kind *kind, int64_t value)
{
	struct ep_index_iter it;
	uint64_t h = ep_hash_mix(ep_hash64(kind->name.p, kind->name.n), kind->under);
	uint32_t i = ep_index_first(&w->kinds_ix, h, &it);
	while (i != EP_INDEX_NONE && (w->kinds[i].under != kind->under ||
				      w->kinds[i].is_number != kind->is_number ||
				      !ep_slice_eq(w->kinds[i].name, kind->name)))
		i = ep_index_next(&w->kinds_ix, &it);
	if (i == EP_INDEX_NONE) {
		EP_TRY(ep_grow((void **)&w->kinds, &w->cap_kinds, w->n_kinds,
			    sizeof(*w->kinds)));
		i = w->n_kinds;
		EP_TRY(ep_index_add(&w->kinds_ix, h, i));
		w->kinds[w->n_kinds++] = *kind;
	}
	EP_TRY(ep_grow((void **)&w->items, &w->cap_items, w->n_items, sizeof(*w->items)));
	w->items[w->n_items++] = (struct item){i, value};
	return 0;
}

static bool slice_before(const void *a, const void *b, void *arg __attribute__((unused)))
{
	return ep_slice_cmp(*(const struct ep_slice *)a, *(const struct ep_slice *)b) < 0;
}

/* "k:v" of a string label, in the graph's arena. */
static int pair_text(struct work *w, const struct ep_label *l, struct ep_slice *ret)
{
	const struct ep_profile *p = w->m->r->p;
	struct ep_slice key = ep_profile_str(p, l->key), v = ep_profile_str(p, l->str);
	char *text = ep_arena_alloc(w->m->g->arena, key.n + v.n + 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, key.n ? key.p : "", key.n);
	text[key.n] = ':';
	memcpy(text + key.n + 1, v.p, v.n);
	*ret = (struct ep_slice){text, key.n + 1 + v.n};
	return 0;
}

/* The parts sorted and joined by a backslash and an n. */
static int join(struct work *w, struct ep_slice *parts, uint32_t n, struct ep_slice *ret)
{
	size_t len = 0;
	for (uint32_t i = 0; i < n; i++)
		len += parts[i].n + 2;
	char *text = ep_arena_alloc(w->m->g->arena, len);
	if (!text)
		return -ENOMEM;
	ep_sort(parts, n, sizeof(*parts), slice_before, NULL);
	len = 0;
	for (uint32_t i = 0; i < n; i++) {
		memcpy(text + len, i ? "\\n" : "", i ? 2 : 0);
		len += i ? 2 : 0;
		memcpy(text + len, parts[i].p, parts[i].n);
		len += parts[i].n;
	}
	*ret = (struct ep_slice){text, len};
	return 0;
}

static int add_combination(struct work *w, const struct ep_label *labels, uint32_t n,
			   uint32_t *ret_kind)
{
	struct ep_slice *parts ep_auto_mem = ep_alloc(((size_t)n + 1) * sizeof(*parts));
	uint32_t n_parts = 0;
	*ret_kind = EP_NONE;
	if (!parts)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		if (labels[i].str && counts(w, &labels[i]))
			EP_TRY(pair_text(w, &labels[i], &parts[n_parts++]));
	if (!n_parts)
		return 0;
	struct kind kind = {.under = EP_NONE};
	EP_TRY(join(w, parts, n_parts, &kind.name));
	EP_TRY(add_item(w, &kind, 0));
	*ret_kind = w->items[w->n_items - 1].kind;
	return 0;
}

static int add_number(struct work *w, const struct ep_label *l, uint32_t under)
{
	char text[EP_UNITS_LABEL_MAX];
	ep_units_label(text, l->num, w->bytes_unit, w->m->r->unit);
	struct kind kind = {.under = under, .is_number = true};
	kind.name.n = strlen(text);
	kind.name.p = ep_arena_copy(w->m->g->arena, text, kind.name.n);
	return kind.name.p ? add_item(w, &kind, l->num) : -ENOMEM;
}

static int add_set(struct work *w, const struct ep_sample *s, uint32_t *ret)
{
	const struct ep_profile *p = w->m->r->p;
	const struct ep_label *labels = p->labels + s->first_label;
	struct set set = {s->first_label, s->n_labels, w->n_items, 0};
	uint32_t under;
	EP_TRY(add_combination(w, labels, s->n_labels, &under));
	for (uint32_t i = 0; i < s->n_labels; i++)
		if (!labels[i].str && counts(w, &labels[i]))
			EP_TRY(add_number(w, &labels[i], under));
	set.n_items = w->n_items - set.first_item;
	EP_TRY(ep_grow((void **)&w->sets, &w->cap_sets, w->n_sets, sizeof(*w->sets)));
	w->sets[w->n_sets] = set;
	*ret = w->n_sets++;
	return 0;
}

/* The next label that counts at or behind i; n at the end. */
static uint32_t next_label(const struct work *w, const struct ep_label *labels, uint32_t i,
			   uint32_t n)
{
	while (i < n && !counts(w, &labels[i]))
		i++;
	return i;
}

static uint64_t hash_labels(const struct work *w, const struct ep_label *labels, uint32_t n)
{
	uint64_t h = 0;
	for (uint32_t i = next_label(w, labels, 0, n); i < n;
	     i = next_label(w, labels, i + 1, n)) {
		h = ep_hash_mix(h, (uint64_t)labels[i].key << 32 | labels[i].str);
		h = ep_hash_mix(h, (uint64_t)labels[i].num);
	}
	return h;
}

static bool same_labels(const struct work *w, const struct set *set, const struct ep_sample *s)
{
	const struct ep_label *x = w->m->r->p->labels + set->first_label;
	const struct ep_label *y = w->m->r->p->labels + s->first_label;
	uint32_t i = 0, k = 0;
	for (;; i++, k++) {
		i = next_label(w, x, i, set->n_labels);
		k = next_label(w, y, k, s->n_labels);
		if (i == set->n_labels || k == s->n_labels)
			return i == set->n_labels && k == s->n_labels;
		if (x[i].key != y[k].key || x[i].str != y[k].str || x[i].num != y[k].num)
			return false;
	}
}

static int set_of_sample(struct work *w, const struct ep_sample *s, uint32_t *ret)
{
	struct ep_index_iter it;
	uint64_t h = hash_labels(w, w->m->r->p->labels + s->first_label, s->n_labels);
	for (uint32_t i = ep_index_first(&w->sets_ix, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&w->sets_ix, &it))
		if (same_labels(w, &w->sets[i], s)) {
			*ret = i;
			return 0;
		}
	EP_TRY(add_set(w, s, ret));
	return ep_index_add(&w->sets_ix, h, *ret);
}

static int find_sets(struct work *w)
{
	const struct ep_profile *p = w->m->r->p;
	const struct ep_keys *keys = &w->m->r->keys;
	w->bytes_key = ep_keys_find(keys, ep_slice_of("bytes"));
	w->base_key = ep_keys_find(keys, ep_slice_of(EP_SCALE_BASE_KEY));
	w->bytes_unit = ep_slice_of("");
	if (w->bytes_key != EP_NONE)
		w->bytes_unit = keys->keys[w->bytes_key].unit;
	w->set_of = ep_alloc(((size_t)p->n_samples + 1) * sizeof(*w->set_of));
	if (!w->set_of)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->n_samples; i++) {
		w->set_of[i] = EP_NONE;
		if (w->m->stack_of[i] == EP_NONE || !p->samples[i].n_labels)
			continue;
		EP_TRY(set_of_sample(w, &p->samples[i], &w->set_of[i]));
		if (!w->sets[w->set_of[i]].n_items)
			w->set_of[i] = EP_NONE;
	}
	return 0;
}

/* --- weights ------------------------------------------------------------------------ */

/* Sample numbers, set by set; first[i] is where set i begins. */
static void group_samples(struct work *w, uint32_t *first, uint32_t *samples)
{
	uint32_t n = w->m->r->p->n_samples;
	for (uint32_t i = 0; i < n; i++)
		if (w->set_of[i] != EP_NONE)
			first[w->set_of[i]]++;
	for (uint32_t i = 0; i < w->n_sets; i++)
		first[i + 1] += first[i];
	for (uint32_t i = n; i-- > 0;)
		if (w->set_of[i] != EP_NONE)
			samples[--first[w->set_of[i]]] = i;
}

struct piece {
	uint32_t stack, set, first_sample;
	int64_t value, divisor;
};

struct pass {
	const bool *kept;
	uint32_t *share_of; /* of each node for the set at hand */
	uint32_t *met;	    /* the last stack, counted from 1, that a node was met in */
	uint32_t n_met;
	uint32_t first_share;
	/* The set's samples, summed by stack. */
	struct piece *pieces;
	uint32_t n_pieces;
	uint32_t *piece_of; /* of each stack */
};

static int share_for(struct work *w, struct pass *ps, uint32_t node, const struct piece *pc,
		     struct share **ret)
{
	uint32_t i = ps->share_of[node];
	if (i < ps->first_share || i >= w->n_shares || w->shares[i].node != node) {
		EP_TRY(ep_grow((void **)&w->shares, &w->cap_shares, w->n_shares,
			    sizeof(*w->shares)));
		i = ps->share_of[node] = w->n_shares++;
		w->shares[i] = (struct share){
			.node = node, .set = pc->set, .first_sample = pc->first_sample};
	}
	*ret = &w->shares[i];
	return 0;
}

/* The leaf comes first. */
static int add_to_node(struct work *w, struct pass *ps, uint32_t node, const struct piece *pc,
		       bool is_leaf)
{
	struct share *sh;
	if ((ps->kept && !ps->kept[node]) || ps->met[node] == ps->n_met)
		return 0;
	ps->met[node] = ps->n_met;
	EP_TRY(share_for(w, ps, node, pc, &sh));
	sh->cum = ep_wrap_add(sh->cum, pc->value);
	sh->cum_div = ep_wrap_add(sh->cum_div, pc->divisor);
	if (is_leaf) {
		sh->flat = ep_wrap_add(sh->flat, pc->value);
		sh->flat_div = ep_wrap_add(sh->flat_div, pc->divisor);
	}
	return 0;
}

static int add_in_tree(struct work *w, struct pass *ps, const struct piece *pc)
{
	uint32_t leaf = w->m->leaves[pc->stack];
	for (uint32_t v = leaf; v != EP_NONE; v = w->m->g->nodes[v].parent)
		EP_TRY(add_to_node(w, ps, v, pc, v == leaf));
	return 0;
}

static int add_piece(struct work *w, struct pass *ps, const struct piece *pc)
{
	struct ep_callgraph_maker *m = w->m;
	const struct ep_callgraph_stack *s = &m->stacks[pc->stack];
	const uint32_t *locations = m->r->p->sample_locations + s->first;
	ps->n_met++;
	if (m->leaves)
		return add_in_tree(w, ps, pc);
	for (uint32_t i = 0; i < s->n; i++) {
		uint32_t l = locations[i], first = m->first_frame[l];
		for (uint32_t f = first; f < m->first_frame[l + 1]; f++)
			EP_TRY(add_to_node(w, ps, m->frames[f], pc, i == 0 && f == first));
	}
	return 0;
}

static void sum_piece(struct work *w, struct pass *ps, uint32_t sample)
{
	const struct ep_report *r = w->m->r;
	uint32_t stack = w->m->stack_of[sample], i = ps->piece_of[stack];
	if (i >= ps->n_pieces || ps->pieces[i].stack != stack) {
		i = ps->piece_of[stack] = ps->n_pieces++;
		ps->pieces[i] = (struct piece){stack, w->set_of[sample], sample, 0, 0};
	}
	struct piece *pc = &ps->pieces[i];
	pc->value = ep_wrap_add(pc->value, ep_report_value(r, sample));
	pc->divisor = ep_wrap_add(pc->divisor, ep_report_divisor(r, sample));
}

static int sum_set(struct work *w, struct pass *ps, const uint32_t *samples, uint32_t n)
{
	ps->first_share = w->n_shares;
	ps->n_pieces = 0;
	for (uint32_t i = 0; i < n; i++)
		sum_piece(w, ps, samples[i]);
	for (uint32_t i = 0; i < ps->n_pieces; i++)
		EP_TRY(add_piece(w, ps, &ps->pieces[i]));
	return 0;
}

static int sum_shares(struct work *w, struct pass *ps)
{
	uint32_t n = w->m->r->p->n_samples;
	uint32_t *first ep_auto_mem = ep_zalloc(((size_t)w->n_sets + 2) * sizeof(*first));
	uint32_t *samples ep_auto_mem = ep_alloc(((size_t)n + 1) * sizeof(*samples));
	if (!first || !samples)
		return -ENOMEM;
	group_samples(w, first, samples);
	for (uint32_t set = 0; set < w->n_sets; set++)
		EP_TRY(sum_set(w, ps, samples + first[set], first[set + 1] - first[set]));
	return 0;
}

/* --- shares to tags -------------------------------------------------------------------- */

struct part {
	uint32_t node, kind, share, order;
	int64_t value;
};

static bool part_before(const void *a, const void *b, void *arg)
{
	const struct part *x = a, *y = b;
	const struct work *w = arg;
	if (x->node != y->node)
		return x->node < y->node;
	if (x->kind != y->kind)
		return x->kind < y->kind;
	uint32_t sx = w->shares[x->share].first_sample, sy = w->shares[y->share].first_sample;
	return sx != sy ? sx < sy : x->order < y->order;
}

static size_t count_parts(const struct work *w)
{
	size_t n = 0;
	for (uint32_t i = 0; i < w->n_shares; i++)
		n += w->sets[w->shares[i].set].n_items;
	return n;
}

static void list_parts(const struct work *w, struct part *parts)
{
	size_t n = 0;
	for (uint32_t i = 0; i < w->n_shares; i++) {
		const struct set *set = &w->sets[w->shares[i].set];
		for (uint32_t k = 0; k < set->n_items; k++, n++) {
			const struct item *item = &w->items[set->first_item + k];
			parts[n] = (struct part){w->shares[i].node, item->kind, i, k,
						 item->value};
		}
	}
}

/* The first sample that brought a number to a node gives the tag its value. */
static void merge_parts(const struct work *w, const struct part *parts, size_t n)
{
	struct ep_callgraph *g = w->m->g;
	struct ep_callgraph_tag *t = g->tags - 1;
	for (size_t i = 0; i < n; i++) {
		const struct kind *kind = &w->kinds[parts[i].kind];
		const struct share *sh = &w->shares[parts[i].share];
		if (!i || parts[i].node != parts[i - 1].node ||
		    parts[i].kind != parts[i - 1].kind) {
			*++t = (struct ep_callgraph_tag){
				.name = kind->name, .node = parts[i].node,
				.is_number = kind->is_number, .value = parts[i].value,
				.unit = w->bytes_unit,
				.combination = kind->is_number ? kind->under
							       : parts[i].kind};
		}
		t->flat = ep_wrap_add(t->flat, sh->flat);
		t->cum = ep_wrap_add(t->cum, sh->cum);
		t->flat_div = ep_wrap_add(t->flat_div, sh->flat_div);
		t->cum_div = ep_wrap_add(t->cum_div, sh->cum_div);
	}
	g->n_tags = (uint32_t)(t + 1 - g->tags);
}

static int index_tags(struct ep_callgraph *g)
{
	if (!g->first_tag)
		g->first_tag = ep_callgraph_array(g, uint32_t, g->n_nodes + 1);
	if (!g->first_tag)
		return -ENOMEM;
	uint32_t at = 0;
	for (uint32_t v = 0; v <= g->n_nodes; v++) {
		while (at < g->n_tags && g->tags[at].node < v)
			at++;
		g->first_tag[v] = at;
	}
	return 0;
}

static int make_tags(struct work *w)
{
	struct ep_callgraph *g = w->m->g;
	size_t n = count_parts(w);
	if (n > UINT32_MAX)
		return -E2BIG;
	struct part *parts ep_auto_mem = ep_alloc((n + 1) * sizeof(*parts));
	g->tags = ep_callgraph_array(g, struct ep_callgraph_tag, n);
	if (!parts || !g->tags)
		return -ENOMEM;
	list_parts(w, parts);
	ep_sort(parts, n, sizeof(*parts), part_before, w);
	merge_parts(w, parts, n);
	return index_tags(g);
}

static int make(struct work *w, const bool *kept)
{
	size_t n_nodes = (size_t)w->m->g->n_nodes + 1, n_stacks = (size_t)w->m->n_stacks + 1;
	uint32_t *share_of ep_auto_mem = ep_zalloc(n_nodes * sizeof(*share_of));
	uint32_t *met ep_auto_mem = ep_zalloc(n_nodes * sizeof(*met));
	uint32_t *piece_of ep_auto_mem = ep_zalloc(n_stacks * sizeof(*piece_of));
	struct piece *pieces ep_auto_mem = ep_alloc(n_stacks * sizeof(*pieces));
	struct pass ps = {.kept = kept, .share_of = share_of, .met = met, .pieces = pieces,
			  .piece_of = piece_of};
	if (!share_of || !met || !piece_of || !pieces)
		return -ENOMEM;
	EP_TRY(find_sets(w));
	EP_TRY(sum_shares(w, &ps));
	return make_tags(w);
}

int ep_callgraph_tags_make(struct ep_callgraph_maker *m, const bool *kept)
{
	struct work w = {.m = m};
	int rc = make(&w, kept);
	work_fini(&w);
	return rc;
}

void ep_callgraph_tags_trim(struct ep_callgraph *g, int64_t cutoff)
{
	for (uint32_t i = 0; i < g->n_tags; i++) {
		struct ep_callgraph_tag *t = &g->tags[i];
		t->dropped |= ep_wrap_abs(t->flat) < cutoff && ep_wrap_abs(t->cum) < cutoff;
	}
}
