/*
 * callgrind.c - a graph as text for KCachegrind.
 *
 * Names are numbered where they first occur; addresses are given relative to the
 * position before where that is shorter.
 *
 * Source: the callgrind format of Valgrind's manual; behaviour of google/pprof.
 */
#include "report/callgraph.h"
#include "report/reports.h"

#include "base/hash.h"
#include "base/index.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>

struct names {
	struct ep_index ix;
	struct ep_slice *v;
	uint32_t n, cap;
};

struct page {
	const struct ep_report *r;
	struct ep_callgraph *g;
	struct ep_buf *out;
	struct names objects, files, functions;
	struct ep_slice *callee_names; /* of each node */
	const struct ep_callgraph_frame *before; /* NULL at the start */
	int rc;
};

static int number_of(struct names *names, struct ep_slice s, uint32_t *ret, bool *ret_new)
{
	struct ep_index_iter it;
	uint64_t h = ep_hash64(s.p, s.n);
	*ret_new = false;
	for (uint32_t i = ep_index_first(&names->ix, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&names->ix, &it))
		if (ep_slice_eq(names->v[i], s)) {
			*ret = i;
			return 0;
		}
	if (names->n == names->cap) {
		uint32_t cap = names->cap ? names->cap * 2 : 64;
		void *v = cap > names->cap ? ep_realloc(names->v, cap * sizeof(*names->v))
					   : NULL;
		if (!v)
			return -ENOMEM;
		names->v = v;
		names->cap = cap;
	}
	EP_TRY(ep_index_add(&names->ix, h, names->n));
	names->v[names->n] = s;
	*ret = names->n++;
	*ret_new = true;
	return 0;
}

/* "fn=(1) main", later "fn=(1)". */
static void add_name(struct page *pg, const char *key, struct names *names, struct ep_slice s)
{
	uint32_t i;
	bool is_new;
	ep_buf_add_str(pg->out, key);
	if (s.n && pg->rc >= 0 && (pg->rc = number_of(names, s, &i, &is_new)) >= 0) {
		ep_buf_printf(pg->out, "(%u)", i + 1);
		if (is_new) {
			ep_buf_add_char(pg->out, ' ');
			ep_buf_add(pg->out, s.p, s.n);
		}
	}
	ep_buf_add_char(pg->out, '\n');
}

static void add_address(struct page *pg, uint64_t address)
{
	char absolute[32], relative[32];
	int n = snprintf(absolute, sizeof(absolute), "0x%" PRIx64, address);
	if (!pg->before) {
		ep_buf_add_str(pg->out, absolute);
	} else if (pg->before->address == address) {
		ep_buf_add_char(pg->out, '*');
	} else {
		int64_t by = (int64_t)(address - pg->before->address);
		int m = snprintf(relative, sizeof(relative), "%+" PRId64, by);
		ep_buf_add_str(pg->out, m < n ? relative : absolute);
	}
}

static int64_t scaled(const struct page *pg, int64_t value)
{
	struct ep_slice unit;
	return ep_units_whole(ep_units_scale(value, pg->r->sample_unit, pg->r->unit, &unit));
}

static void add_call(struct page *pg, const struct ep_callgraph_edge *e)
{
	const struct ep_callgraph_frame *callee = ep_callgraph_frame_of(pg->g, e->dst);
	add_name(pg, "cfl=", &pg->files, callee->file);
	add_name(pg, "cfn=", &pg->functions, pg->callee_names[e->dst]);
	ep_buf_add_str(pg->out, "calls=0 ");
	add_address(pg, callee->address);
	ep_buf_printf(pg->out, " %" PRId64 "\n* * %" PRId64 "\n", callee->line,
		      scaled(pg, e->weight));
}

static bool same_function(const struct ep_callgraph_frame *a, const struct ep_callgraph_frame *b)
{
	return ep_slice_eq(a->objfile, b->objfile) && ep_slice_eq(a->file, b->file) &&
	       ep_slice_eq(a->name, b->name);
}

static void add_node(struct page *pg, uint32_t node)
{
	struct ep_callgraph *g = pg->g;
	const struct ep_callgraph_frame *f = ep_callgraph_frame_of(g, node);
	if (!pg->before || !same_function(pg->before, f)) {
		ep_buf_add_char(pg->out, '\n');
		add_name(pg, "ob=", &pg->objects, f->objfile);
		add_name(pg, "fl=", &pg->files, f->file);
		add_name(pg, "fn=", &pg->functions, f->name);
	}
	add_address(pg, f->address);
	ep_buf_printf(pg->out, " %" PRId64 " %" PRId64 "\n", f->line,
		      scaled(pg, ep_callgraph_flat(&g->nodes[node])));
	uint32_t first = g->out.first[node], end = g->out.first[node + 1];
	ep_callgraph_edges_sort(g, g->out.at + first, end - first);
	for (uint32_t i = first; i < end; i++)
		add_call(pg, &g->edges[g->out.at[i]]);
	pg->before = f;
}

/* --- functions of one name ------------------------------------------------------------ */

/*
 * Readers take functions of one file and name as one.  Where they are several (in a
 * call tree, or in several binaries), callees are named "NAME [1/2]".
 */
static bool is_whole(const struct ep_callgraph_frame *f)
{
	return !f->address && !f->line;
}

/* Are two nodes of one function, in one context? */
static bool is_same(const struct ep_callgraph *g, uint32_t a, uint32_t b)
{
	const struct ep_callgraph_frame *x = ep_callgraph_frame_of(g, a);
	const struct ep_callgraph_frame *y = ep_callgraph_frame_of(g, b);
	int64_t column_x = is_whole(x) ? x->column : 0, column_y = is_whole(y) ? y->column : 0;
	return g->nodes[a].parent == g->nodes[b].parent && x->start_line == y->start_line &&
	       column_x == column_y && same_function(x, y);
}

static bool is_same_name(const struct ep_callgraph *g, uint32_t a, uint32_t b)
{
	const struct ep_callgraph_frame *x = ep_callgraph_frame_of(g, a);
	const struct ep_callgraph_frame *y = ep_callgraph_frame_of(g, b);
	return ep_slice_eq(x->file, y->file) && ep_slice_eq(x->name, y->name);
}

typedef bool same_fn(const struct ep_callgraph *g, uint32_t a, uint32_t b);

/* The number of the first node like this one among those in ix; adds it when there is
 * none.  Numbers are those of `firsts`. */
static int find_or_add(const struct ep_callgraph *g, struct ep_index *ix, same_fn *same,
		       uint32_t node, uint32_t *firsts, uint32_t *n, uint32_t *ret)
{
	const struct ep_callgraph_frame *f = ep_callgraph_frame_of(g, node);
	uint64_t h = ep_hash_mix(ep_hash64(f->name.p, f->name.n), (uintptr_t)f->file.p);
	if (same == is_same)
		h = ep_hash_mix(h, g->nodes[node].parent);
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(ix, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(ix, &it))
		if (same(g, firsts[i], node)) {
			*ret = i;
			return 0;
		}
	EP_TRY(ep_index_add(ix, h, *n));
	firsts[*n] = node;
	*ret = (*n)++;
	return 0;
}

struct groups {
	struct ep_index names_ix, functions_ix;
	uint32_t *first_of_name, *first_of_function; /* nodes */
	uint32_t n_names, n_functions;
	uint32_t *size;	  /* functions of each name */
	uint32_t *number; /* of each function among those of its name, from 1 */
	uint32_t *name_of, *function_of; /* of each node */
};

static void groups_fini(struct groups *gr)
{
	ep_index_fini(&gr->names_ix);
	ep_index_fini(&gr->functions_ix);
}

static int find_groups(const struct ep_callgraph *g, struct groups *gr)
{
	size_t n = g->n_shown;
	gr->first_of_name = ep_arena_array(g->arena, uint32_t, n + 1);
	gr->first_of_function = ep_arena_array(g->arena, uint32_t, n + 1);
	gr->size = ep_arena_array(g->arena, uint32_t, n + 1);
	gr->number = ep_arena_array(g->arena, uint32_t, n + 1);
	gr->name_of = ep_arena_array(g->arena, uint32_t, (size_t)g->n_nodes + 1);
	gr->function_of = ep_arena_array(g->arena, uint32_t, (size_t)g->n_nodes + 1);
	if (!gr->first_of_name || !gr->first_of_function || !gr->size || !gr->number ||
	    !gr->name_of || !gr->function_of)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->n_shown; i++) {
		uint32_t v = g->shown[i], name, function;
		EP_TRY(find_or_add(g, &gr->names_ix, is_same_name, v, gr->first_of_name,
				   &gr->n_names, &name));
		EP_TRY(find_or_add(g, &gr->functions_ix, is_same, v, gr->first_of_function,
				   &gr->n_functions, &function));
		if (!gr->number[function])
			gr->number[function] = ++gr->size[name];
		gr->name_of[v] = name;
		gr->function_of[v] = function;
	}
	return 0;
}

/* Nodes that are not shown have no name to be called by. */
static int name_callees(struct page *pg, const struct groups *gr)
{
	struct ep_callgraph *g = pg->g;
	pg->callee_names = ep_arena_array(g->arena, struct ep_slice, (size_t)g->n_nodes + 1);
	if (!pg->callee_names)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->n_shown; i++) {
		uint32_t v = g->shown[i], of = gr->size[gr->name_of[v]];
		struct ep_slice name = ep_callgraph_frame_of(g, v)->name;
		pg->callee_names[v] = name;
		if (of < 2)
			continue;
		char *text = ep_arena_alloc(g->arena, name.n + 32);
		if (!text)
			return -ENOMEM;
		int n = sprintf(text, "%.*s [%u/%u]", EP_SLICE_ARG(name),
				gr->number[gr->function_of[v]], of);
		pg->callee_names[v] = (struct ep_slice){text, (size_t)n};
	}
	return 0;
}

/* --- all ---------------------------------------------------------------------------- */

static int add_nodes(struct page *pg)
{
	struct groups gr = {0};
	int rc = find_groups(pg->g, &gr);
	if (rc >= 0)
		rc = name_callees(pg, &gr);
	groups_fini(&gr);
	for (uint32_t i = 0; i < pg->g->n_shown && rc >= 0; i++) {
		add_node(pg, pg->g->shown[i]);
		rc = pg->rc;
	}
	return rc;
}

static void names_fini(struct names *names)
{
	ep_index_fini(&names->ix);
	ep_free(names->v);
}

int ep_callgrind_write(struct ep_report *r, struct ep_objects *objects __attribute__((unused)),
		       struct ep_buf *out, struct ep_err *err)
{
	ep_auto(ep_callgraph) g = NULL;
	EP_TRY(ep_callgraph_trimmed(r, &g, err));
	ep_buf_printf(out, "positions: instr line\nevents: %.*s(%.*s)\n",
		      EP_SLICE_ARG(r->sample_type), EP_SLICE_ARG(r->unit));
	struct page pg = {.r = r, .g = g, .out = out};
	int rc = add_nodes(&pg);
	names_fini(&pg.objects);
	names_fini(&pg.files);
	names_fini(&pg.functions);
	return rc < 0 ? ep_fail(err, rc, 0, "no memory for a report") : 0;
}
