/*
 * dwarf_tree.c - functions and inlined calls of a unit, into segments.
 *
 * Only DIEs of code are read; all others are stepped over, by their size where that
 * does not vary.  Ranges nest, so in the order (start, depth) a stack cuts them into
 * segments that tell for each address the innermost function.  See dwarf_in.h.
 */
#include "symbol/dwarf_in.h"

#include "base/sort.h"

#define NO_FN UINT32_MAX

struct range {
	uint64_t lo, hi;
	uint32_t fn, depth;
};

struct walk {
	struct ep_dwarf_unit *u;
	const struct ep_dwarf_abbrevs *all;
	struct ep_dwarf_at a;
	const uint8_t *section;
	struct ep_dwarf_tree *t;
	struct range *ranges; /* owned */
	size_t n_ranges, cap_ranges;
	uint32_t stack[EP_DWARF_MAX_DEPTH]; /* the function around, by depth of DIEs */
	uint32_t fn_depth[EP_DWARF_MAX_DEPTH];
	uint32_t depth;
	uint32_t new_fn; /* that gets ranges */
	bool failed;
};

void ep_dwarf_tree_free(struct ep_dwarf_tree *t)
{
	if (!t)
		return;
	ep_free(t->fns);
	ep_free(t->segments);
	ep_free(t);
}

static bool add_range(void *ctx, uint64_t lo, uint64_t hi)
{
	struct walk *w = ctx;
	if (!ep_dwarf_grow(&w->ranges, w->n_ranges, &w->cap_ranges, sizeof(*w->ranges))) {
		w->failed = true;
		return false;
	}
	struct ep_dwarf_fn *fn = &w->t->fns[w->new_fn];
	if (!fn->start)
		fn->start = lo;
	w->ranges[w->n_ranges++] =
		(struct range){lo, hi, w->new_fn, w->fn_depth[w->depth] + 1};
	return true;
}

static uint32_t small(uint64_t v)
{
	return v > UINT32_MAX ? 0 : (uint32_t)v;
}

static void take_call(struct ep_dwarf_fn *fn, uint16_t name, const struct ep_dwarf_value *v)
{
	if (name == DW_AT_call_file)
		fn->call_file = small(v->u);
	else if (name == DW_AT_call_line)
		fn->call_line = small(v->u);
	else if (name == DW_AT_call_column)
		fn->call_column = v->u > UINT16_MAX ? 0 : (uint16_t)v->u;
	else if (name == DW_AT_GNU_discriminator)
		fn->call_discriminator = small(v->u);
}

/* A DIE of code: its index as function, or that around it when it has no code. */
static uint32_t read_fn(struct walk *w, const struct ep_dwarf_abbrev *ab, uint64_t offset)
{
	struct ep_dwarf_tree *t = w->t;
	struct ep_dwarf_pcs pcs = {0};
	bool is_inlined = ab->tag == DW_TAG_inlined_subroutine;
	uint32_t around = w->stack[w->depth];
	struct ep_dwarf_fn fn = {.die = offset,
				 .parent = is_inlined ? around : NO_FN,
				 .is_inlined = is_inlined};
	for (uint32_t i = 0; i < ab->n_attrs; i++) {
		const struct ep_dwarf_attr *attr = &w->all->attrs[ab->first_attr + i];
		struct ep_dwarf_value v;
		if (!ep_dwarf_form_read(&w->a, w->u, attr, &v))
			return around;
		ep_dwarf_range_take(&pcs, attr->name, &v);
		if (is_inlined)
			take_call(&fn, attr->name, &v);
	}
	if (!pcs.has_ranges && !pcs.has_high)
		return is_inlined ? around : NO_FN;
	if (!ep_dwarf_grow(&t->fns, t->n_fns, &t->cap_fns, sizeof(*t->fns))) {
		w->failed = true;
		return around;
	}
	w->new_fn = (uint32_t)t->n_fns;
	t->fns[t->n_fns++] = fn;
	ep_dwarf_range_each(w->u, &pcs, add_range, w);
	return w->new_fn;
}

/* Step over a DIE; true and *ret_next when its children can be left out, too. */
static bool step_over(struct walk *w, const struct ep_dwarf_abbrev *ab, uint64_t *ret_next)
{
	bool can_skip = ab->has_children && ab->tag == DW_TAG_enumeration_type, has = false;
	if (ab->n_fixed != UINT32_MAX && !can_skip) {
		ep_dwarf_skip(&w->a, ab->n_fixed);
		return false;
	}
	for (uint32_t i = 0; i < ab->n_attrs; i++) {
		const struct ep_dwarf_attr *attr = &w->all->attrs[ab->first_attr + i];
		struct ep_dwarf_value v;
		struct ep_dwarf_die to;
		if (!ep_dwarf_form_read(&w->a, w->u, attr, &v))
			return false;
		if (can_skip && attr->name == DW_AT_sibling &&
		    ep_dwarf_form_die(w->u, &v, &to) && to.unit == w->u) {
			*ret_next = to.offset;
			has = true;
		}
	}
	return has && *ret_next > (uint64_t)(w->a.p - w->section);
}

static void descend(struct walk *w, uint32_t fn)
{
	if (w->depth + 1 == EP_DWARF_MAX_DEPTH) {
		ep_dwarf_spoil(&w->a);
		return;
	}
	uint32_t around = w->stack[w->depth], depth = w->fn_depth[w->depth];
	w->depth++;
	w->stack[w->depth] = fn;
	w->fn_depth[w->depth] = fn != around ? depth + 1 : depth;
}

static void read_die(struct walk *w)
{
	uint64_t offset = (uint64_t)(w->a.p - w->section), next;
	uint64_t code = ep_dwarf_uleb(&w->a);
	uint32_t fn = w->stack[w->depth];
	if (!code) {
		if (w->depth)
			w->depth--;
		return;
	}
	const struct ep_dwarf_abbrev *ab = ep_dwarf_file_abbrev(w->all, code);
	if (!ab) {
		ep_dwarf_spoil(&w->a);
		return;
	}
	if (ab->tag == DW_TAG_subprogram || ab->tag == DW_TAG_inlined_subroutine) {
		fn = read_fn(w, ab, offset);
	} else if (step_over(w, ab, &next)) {
		w->a.p = w->section + next;
		return;
	}
	if (ab->has_children && !w->a.bad)
		descend(w, fn);
}

/* ---- segments ---- */

static bool before(const void *x, const void *y, void *arg)
{
	(void)arg;
	const struct range *a = x, *b = y;
	return a->lo != b->lo	      ? a->lo < b->lo
	       : a->depth != b->depth ? a->depth < b->depth
				      : a->fn < b->fn;
}

static void cut(struct walk *w, uint64_t start, uint32_t fn)
{
	struct ep_dwarf_tree *t = w->t;
	struct ep_dwarf_segment *last = t->n_segments ? &t->segments[t->n_segments - 1] : NULL;
	if (last && last->start == start) {
		last->fn = fn;
		return;
	}
	if (last && last->fn == fn)
		return;
	if (!ep_dwarf_grow(&t->segments, t->n_segments, &t->cap_segments,
			   sizeof(*t->segments)))
		w->failed = true;
	else
		t->segments[t->n_segments++] = (struct ep_dwarf_segment){start, fn};
}

/* End what ends up to an address. */
static size_t close_until(struct walk *w, const struct range **open, size_t n, uint64_t to)
{
	while (n && open[n - 1]->hi <= to) {
		uint64_t end = open[--n]->hi;
		while (n && open[n - 1]->hi <= end)
			n--; /* the inner one reached as far, or farther */
		cut(w, end, n ? open[n - 1]->fn : NO_FN);
	}
	return n;
}

static void cut_all(struct walk *w)
{
	ep_auto_mem const struct range **open = ep_alloc((w->n_ranges + 1) * sizeof(*open));
	size_t n = 0;
	if (!open) {
		w->failed = true;
		return;
	}
	ep_sort(w->ranges, w->n_ranges, sizeof(*w->ranges), before, NULL);
	for (size_t i = 0; i < w->n_ranges && !w->failed; i++) {
		n = close_until(w, open, n, w->ranges[i].lo);
		cut(w, w->ranges[i].lo, w->ranges[i].fn);
		open[n++] = &w->ranges[i];
	}
	close_until(w, open, n, UINT64_MAX);
}

struct ep_dwarf_tree *ep_dwarf_tree_read(struct ep_dwarf_unit *u)
{
	struct ep_elffile_bytes info = u->file->section[EP_DWARF_INFO];
	struct ep_dwarf_tree *t = ep_zalloc(sizeof(*t));
	ep_auto_mem struct walk *w = ep_zalloc(sizeof(*w));
	const struct ep_dwarf_abbrevs *all = ep_dwarf_file_abbrevs(u);
	if (!t || !w || !all)
		return t;
	w->u = u;
	w->all = all;
	w->t = t;
	w->section = info.p;
	w->a = ep_dwarf_at(info.p, u->end, u->dies);
	w->stack[0] = NO_FN;
	while (!w->a.bad && !w->failed && w->a.p < w->a.end)
		read_die(w);
	cut_all(w);
	ep_free(w->ranges);
	return t;
}

uint32_t ep_dwarf_tree_find(const struct ep_dwarf_tree *t, uint64_t address)
{
	size_t lo = 0, hi = t->n_segments;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (t->segments[mid].start <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? t->segments[lo - 1].fn : NO_FN;
}
