/* webtree.c - see webtree.h. */
#include "pprof/webtree.h"

#include "base/grow.h"
#include "base/hash.h"
#include "base/index.h"
#include "base/path.h"
#include "pprof/events.h"

#include <stdio.h>
#include <string.h>

/* The names of one location, outermost first: a run of builder.frames. */
struct run {
	uint32_t first, n;
};

struct builder {
	const struct ep_report *r;
	struct ep_webtree *t;
	struct ep_events events;
	struct ep_index by_name, by_edge;
	uint32_t cap_fns, cap_nodes;
	struct run *runs;  /* of each location; n 0: not resolved yet, or empty */
	uint32_t *frames;  /* function ids */
	uint32_t n_frames, cap_frames;
	bool want_lines, want_addresses, want_nodes;
};

/* --- functions -------------------------------------------------------------------- */

static bool begins(struct ep_slice s, const char *with)
{
	return s.n >= strlen(with) && !memcmp(s.p, with, strlen(with));
}

static int64_t add_fn(struct builder *b, const struct ep_webtree_fn *f)
{
	struct ep_webtree *t = b->t;
	struct ep_index_iter it;
	uint64_t hash = ep_hash_mix(ep_hash64(f->name.p, f->name.n), ep_hash64(f->file.p, f->file.n));
	hash = ep_hash_mix(hash, f->kind);
	for (uint32_t id = ep_index_first(&b->by_name, hash, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&b->by_name, &it)) {
		struct ep_webtree_fn *g = &t->fns[id];
		if (g->kind == f->kind && ep_slice_eq(g->name, f->name) && ep_slice_eq(g->file, f->file)) {
			g->is_inlined &= f->is_inlined;
			return id;
		}
	}
	EP_TRY(ep_grow((void **)&t->fns, &b->cap_fns, t->n_fns, sizeof(*t->fns)));
	EP_TRY(ep_index_add(&b->by_name, hash, t->n_fns));
	t->fns[t->n_fns] = *f;
	t->fns[t->n_fns].last_sample = EP_NONE;
	return t->n_fns++;
}

static struct ep_slice text(struct builder *b, const char *s, int n)
{
	const char *copy = n > 0 ? ep_arena_copy(b->t->arena, s, (size_t)n) : NULL;
	return (struct ep_slice){copy, copy ? (size_t)n : 0};
}

/* "file:12", or the file alone. */
static struct ep_slice place(struct builder *b, struct ep_slice file, const struct ep_line *l)
{
	char buf[4200];
	if (!b->want_lines || l->line == 0)
		return file;
	struct ep_slice cut = file.n > 4096 ? ep_path_name(file) : file;
	int n = snprintf(buf, sizeof(buf), "%.*s:%lld", EP_SLICE_ARG(cut), (long long)l->line);
	return text(b, buf, n < (int)sizeof(buf) ? n : (int)sizeof(buf) - 1);
}

static struct ep_slice with_address(struct builder *b, uint64_t address, struct ep_slice name)
{
	char buf[40];
	int n = snprintf(buf, sizeof(buf), "%016llx%s", (unsigned long long)address,
			 name.n ? " " : "");
	char *all = ep_arena_alloc(b->t->arena, (size_t)n + name.n);
	if (!all)
		return name;
	memcpy(all, buf, (size_t)n);
	if (name.n)
		memcpy(all + n, name.p, name.n);
	return (struct ep_slice){all, (size_t)n + name.n};
}

/* "[binary]", or what an empty name is called. */
static struct ep_slice unnamed(struct builder *b, struct ep_slice object)
{
	char buf[300];
	struct ep_slice base = ep_path_name(object);
	if (!base.n)
		return ep_slice_of("<unknown>");
	int n = snprintf(buf, sizeof(buf), "[%.*s]", base.n > 250 ? 250 : (int)base.n, base.p);
	return text(b, buf, n);
}

/* The name a frame is shown with, by the rules of the reference's reports. */
static void describe(struct builder *b, const struct ep_location *loc, const struct ep_line *l,
		     struct ep_webtree_fn *f)
{
	const struct ep_profile *p = b->r->p;
	struct ep_slice object = {0};
	if (loc->mapping != EP_NONE)
		object = ep_profile_str(p, p->mappings[loc->mapping].filename);
	f->kind = begins(object, "[kernel") ? EP_WEBTREE_KERNEL : EP_WEBTREE_NATIVE;
	f->file = object;
	if (l) {
		const struct ep_function *fn = &p->functions[l->function];
		f->name = ep_profile_str(p, fn->name);
		f->file = place(b, ep_profile_str(p, fn->filename), l);
	}
	if (!f->name.n && l && f->file.n) {
		f->name = f->file; /* by file */
	} else if (!f->name.n) {
		f->kind = EP_WEBTREE_UNNAMED;
		f->name = loc->address ? (struct ep_slice){0} : unnamed(b, object);
	}
	if (loc->address && (b->want_addresses || !f->name.n))
		f->name = with_address(b, loc->address, f->name);
}

static int add_frame(struct builder *b, const struct ep_location *loc, const struct ep_line *l,
		     bool is_inlined)
{
	struct ep_webtree_fn f = {.is_inlined = is_inlined};
	describe(b, loc, l, &f);
	int64_t id = add_fn(b, &f);
	if (id < 0)
		return (int)id;
	EP_TRY(ep_grow((void **)&b->frames, &b->cap_frames, b->n_frames, sizeof(*b->frames)));
	b->frames[b->n_frames++] = (uint32_t)id;
	return 0;
}

static int resolve(struct builder *b, uint32_t location)
{
	const struct ep_location *loc = &b->r->p->locations[location];
	struct run *run = &b->runs[location];
	run->first = b->n_frames;
	if (loc->n_lines == 0)
		EP_TRY(add_frame(b, loc, NULL, false));
	for (uint32_t i = loc->n_lines; i-- > 0;)
		EP_TRY(add_frame(b, loc, &b->r->p->lines[loc->first_line + i], i + 1 < loc->n_lines));
	run->n = b->n_frames - run->first;
	return 0;
}

/* --- nodes ------------------------------------------------------------------------ */

static int64_t child_of(struct builder *b, uint32_t parent, uint32_t fn)
{
	struct ep_webtree *t = b->t;
	uint32_t last = t->nodes[parent].last_child;
	if (last && t->nodes[last].fn == fn)
		return last;
	struct ep_index_iter it;
	uint64_t hash = ep_hash_mix(ep_hash_mix(0, parent), fn);
	for (uint32_t id = ep_index_first(&b->by_edge, hash, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&b->by_edge, &it))
		if (t->nodes[id].parent == parent && t->nodes[id].fn == fn) {
			t->nodes[parent].last_child = id;
			return id;
		}
	EP_TRY(ep_grow((void **)&t->nodes, &b->cap_nodes, t->n_nodes, sizeof(*t->nodes)));
	EP_TRY(ep_index_add(&b->by_edge, hash, t->n_nodes));
	t->nodes[t->n_nodes] = (struct ep_webtree_node){.parent = parent, .fn = fn};
	t->nodes[parent].last_child = t->n_nodes;
	return t->n_nodes++;
}

/* Totals of functions: each counts a sample once, however often it is on the stack. */
static void count_fn(struct ep_webtree_fn *f, uint32_t sample, int side, int64_t v,
		     double variance)
{
	if (f->last_sample == sample)
		return;
	f->last_sample = sample;
	f->total[side] += v;
	f->total_variance[side] += variance;
}

static int add_sample(struct builder *b, uint32_t i)
{
	struct ep_webtree *t = b->t;
	const struct ep_profile *p = b->r->p;
	const struct ep_sample *s = &p->samples[i];
	const uint32_t *stack = ep_profile_stack(p, s);
	int64_t v = ep_report_value(b->r, i), at = 0;
	uint32_t leaf = 0;
	if (v == 0)
		return 0;
	int side = t->is_diff && v > 0;
	double n = ep_events_count(&b->events, ep_profile_values(p, i), (double)v);
	n = n > 0 ? n : 1; /* unknown: seen once at least */
	double variance = (double)v * (double)v / n;
	v = v < 0 ? -v : v;
	for (uint32_t k = s->n_locations; k-- > 0;) {
		struct run *run = &b->runs[stack[k]];
		if (!run->n)
			EP_TRY(resolve(b, stack[k]));
		for (uint32_t f = 0; f < run->n; f++) {
			leaf = b->frames[run->first + f];
			if (b->want_nodes)
				at = child_of(b, (uint32_t)at, leaf);
			if (at < 0)
				return (int)at;
			count_fn(&t->fns[leaf], i, side, v, variance);
		}
	}
	t->nodes[at].self[side] += v;
	t->nodes[at].variance[side] += variance;
	t->fns[leaf].self[side] += v;
	t->fns[leaf].self_variance[side] += variance;
	t->samples[side] += n;
	if (t->fns[leaf].kind == EP_WEBTREE_UNNAMED)
		t->unnamed[side] += v;
	return 0;
}

/* Children stand behind their parents, so one way back sums them. */
static void sum(struct ep_webtree *t)
{
	for (uint32_t i = t->n_nodes; i-- > 0;) {
		struct ep_webtree_node *n = &t->nodes[i];
		for (int side = 0; side < 2; side++) {
			n->total[side] += n->self[side];
			if (!i)
				continue;
			t->nodes[n->parent].total[side] += n->total[side];
			t->nodes[n->parent].variance[side] += n->variance[side];
		}
	}
}

/* --- the whole -------------------------------------------------------------------- */

static bool has_negative(const struct ep_report *r)
{
	for (uint32_t i = 0; i < r->p->n_samples; i++)
		if (ep_report_value(r, i) < 0)
			return true;
	return false;
}

static int build(struct builder *b)
{
	struct ep_webtree *t = b->t;
	const struct ep_webtree_fn root = {.name = ep_slice_of("total"), .kind = EP_WEBTREE_ROOT};
	int64_t id = add_fn(b, &root);
	if (id < 0)
		return (int)id;
	EP_TRY(ep_grow((void **)&t->nodes, &b->cap_nodes, 0, sizeof(*t->nodes)));
	t->nodes[t->n_nodes++] = (struct ep_webtree_node){0};
	for (uint32_t i = 0; i < b->r->p->n_samples; i++)
		EP_TRY(add_sample(b, i));
	sum(t);
	return 0;
}

int ep_webtree_new(const struct ep_report *r, enum ep_webtree_parts parts,
		   struct ep_webtree **ret_t, struct ep_err *err)
{
	ep_auto(ep_webtree) t = ep_zalloc(sizeof(*t));
	struct builder b = {.r = r, .t = t,
			    .events = ep_events_find(r->p, r->column),
			    .want_lines = r->o.granularity >= EP_BY_LINE,
			    .want_addresses = r->o.granularity == EP_BY_ADDRESS,
			    .want_nodes = parts == EP_WEBTREE_ALL};
	b.runs = ep_zalloc(((size_t)r->p->n_locations + 1) * sizeof(*b.runs));
	if (!t || !b.runs || !(t->arena = ep_arena_new(0))) {
		ep_free(b.runs);
		return ep_fail(err, -ENOMEM, 0, "out of memory");
	}
	t->is_diff = has_negative(r);
	t->ratio = r->ratio;
	t->type = r->sample_type;
	t->unit = r->sample_unit;
	int rc = build(&b);
	ep_index_fini(&b.by_name);
	ep_index_fini(&b.by_edge);
	ep_free(b.runs);
	ep_free(b.frames);
	if (rc < 0)
		return ep_fail(err, rc, 0, "the graph does not fit in memory");
	*ret_t = ep_take(&t);
	return 0;
}

void ep_webtree_free(struct ep_webtree *t)
{
	if (!t)
		return;
	ep_free(t->fns);
	ep_free(t->nodes);
	ep_arena_free(t->arena);
	ep_free(t);
}

const char *ep_webtree_kind_name(enum ep_webtree_kind kind)
{
	static const char *const names[] = {"root", "native", "kernel", "unnamed"};
	return names[kind];
}
