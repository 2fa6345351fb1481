/* fntree.c - see fntree.h; which of them are kept is in fntrees.c. */
#include "query/fntree.h"

#include <stdlib.h>
#include <string.h>

/* A node's first children are looked through one by one, which most nodes' all are;
 * the others are in the index. */
enum { MAX_LISTED = 8 };

/* --- nodes ---------------------------------------------------------------------------------- */

static bool resize(void *at, uint32_t n, size_t bytes)
{
	void **p = at;
	void *v = ep_realloc(*p, ((size_t)n + 1) * bytes);
	if (v)
		*p = v;
	return v;
}

static bool resize_nodes(struct ep_fntree *t, uint32_t cap)
{
	bool ok = resize(&t->parent, cap, sizeof(*t->parent)) &&
		  resize(&t->v, cap, sizeof(*t->v));
	if (ok)
		t->cap = cap;
	return ok;
}

static uint32_t append(struct ep_fntree *t, uint32_t parent, uint32_t fn)
{
	if (t->n == t->cap && !resize_nodes(t, t->n + t->n / 2 + 256))
		return EP_INDEX_NONE;
	t->parent[t->n] = parent;
	t->v[t->n] = (struct ep_fntree_node){.fn = fn};
	return t->n++;
}

static uint32_t indexed_child(struct ep_fntree *t, uint32_t parent, uint32_t fn)
{
	uint64_t h = ep_hash_mix(parent, fn);
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&t->ix, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&t->ix, &it))
		if (t->parent[id] == parent && t->v[id].fn == fn)
			return id;
	uint32_t id = append(t, parent, fn);
	return id != EP_INDEX_NONE && ep_index_add(&t->ix, h, id) == 0 ? id : EP_INDEX_NONE;
}

uint32_t ep_fntree_child(struct ep_fntree *t, uint32_t parent, uint32_t fn)
{
	unsigned n = 0;
	for (uint32_t id = t->v[parent].first_child; id; id = t->v[id].next, n++)
		if (t->v[id].fn == fn)
			return id;
	if (n == MAX_LISTED)
		return indexed_child(t, parent, fn);
	uint32_t id = append(t, parent, fn);
	if (id == EP_INDEX_NONE)
		return id;
	t->v[id].next = t->v[parent].first_child;
	t->v[parent].first_child = id;
	return id;
}

int ep_fntree_init(struct ep_fntree *t, bool borrows)
{
	*t = (struct ep_fntree){.fns = {.arena = ep_arena_new(0), .borrows = borrows}};
	struct ep_fn root = {ep_slice_of("total"), ep_slice_of(""), EP_KIND_ROOT};
	bool ok = t->fns.arena && ep_fns_add(&t->fns, &root) == 0 && append(t, 0, 0) == 0;
	return ok ? 0 : -ENOMEM;
}

void ep_fntree_fini(struct ep_fntree *t)
{
	ep_arena_free(t->fns.arena);
	ep_fns_fini(&t->fns);
	ep_index_fini(&t->ix);
	ep_free(t->parent);
	ep_free(t->v);
	ep_free(t->rank);
	ep_free(t->order);
	memset(t, 0, sizeof(*t));
}

/* --- functions by name ---------------------------------------------------------------------- */

static int by_name(const void *a, const void *b, void *fns)
{
	const struct ep_fn *v = fns, *x = &v[*(const uint32_t *)a], *y = &v[*(const uint32_t *)b];
	int c = ep_slice_cmp(x->name, y->name);
	if (!c)
		c = ep_slice_cmp(x->file, y->file);
	return c ? c : (int)x->kind - (int)y->kind;
}

/* Those ranked before and the new ones, both sorted, into one. */
static void merge(const struct ep_fntree *t, const uint32_t *old, const uint32_t *new, uint32_t *to)
{
	uint32_t i = 0, k = 0, n_old = t->n_ranked, n_new = t->fns.n - t->n_ranked;
	while (i < n_old || k < n_new) {
		bool takes_old = k == n_new ||
				 (i < n_old && by_name(&old[i], &new[k], t->fns.v) < 0);
		*to++ = takes_old ? old[i++] : new[k++];
	}
}

int ep_fntree_rank(struct ep_fntree *t)
{
	uint32_t n = t->fns.n, n_new = n - t->n_ranked;
	if (!n_new)
		return 0;
	uint32_t *new ep_auto_mem = ep_alloc(n_new * sizeof(*new));
	uint32_t *order ep_auto_mem = ep_alloc(n * sizeof(*order));
	if (!new || !order || !resize(&t->rank, n, sizeof(*t->rank)))
		return -ENOMEM;
	for (uint32_t i = 0; i < n_new; i++)
		new[i] = t->n_ranked + i;
	qsort_r(new, n_new, sizeof(*new), by_name, t->fns.v);
	merge(t, t->order, new, order);
	for (uint32_t i = 0; i < n; i++)
		t->rank[order[i]] = i;
	ep_free(t->order);
	t->order = ep_take(&order);
	t->n_ranked = n;
	return 0;
}

/* --- of a dictionary ------------------------------------------------------------------------ */

int ep_dicttree_init(struct ep_dicttree *x, const struct ep_dict *d, struct ep_symcache *symbols)
{
	*x = (struct ep_dicttree){0};
	EP_TRY(ep_fntree_init(&x->t, true));
	return ep_naming_init(&x->names, d, symbols, &x->t.fns);
}

void ep_dicttree_fini(struct ep_dicttree *x)
{
	ep_fntree_fini(&x->t);
	ep_naming_fini(&x->names);
	ep_free(x->node);
	memset(x, 0, sizeof(*x));
}

static int add_stack(struct ep_dicttree *x, uint32_t id)
{
	const struct ep_dict_stack *st = ep_dict_stack(x->names.d, id);
	uint32_t n = 0, at = x->node[st->parent];
	const uint32_t *fns = ep_naming_of(&x->names, st->frame, &n);
	if (!fns)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		at = ep_fntree_child(&x->t, at, fns[i]);
		if (at == EP_INDEX_NONE)
			return -ENOMEM;
	}
	x->node[id] = at;
	return 0;
}

/* Room that a growing dictionary will need soon, not twice what it needs. */
static int settle(struct ep_dicttree *x)
{
	uint32_t cap = x->t.n + x->t.n / 16;
	if (x->t.cap > x->t.n + x->t.n / 8 + 256 && !resize_nodes(&x->t, cap))
		return -ENOMEM;
	return ep_fntree_rank(&x->t);
}

int ep_dicttree_grow(struct ep_dicttree *x, uint32_t n, const uint8_t *needed)
{
	if (n > x->cap) {
		uint32_t cap = x->cap ? n + n / 16 : n;
		if (!resize(&x->node, cap, sizeof(*x->node)))
			return -ENOMEM;
		x->cap = cap;
	}
	EP_TRY(ep_naming_fit(&x->names));
	for (; x->n < n; x->n++) {
		if (!x->n || (needed && !needed[x->n]))
			x->node[x->n] = 0;
		else
			EP_TRY(add_stack(x, x->n));
	}
	return settle(x);
}

size_t ep_dicttree_bytes(const struct ep_dicttree *x)
{
	const struct ep_fntree *t = &x->t;
	size_t nodes = (size_t)t->cap * (sizeof(*t->parent) + sizeof(*t->v));
	size_t fns = (size_t)t->fns.cap * sizeof(*t->fns.v) + ep_arena_used(t->fns.arena) +
		     (size_t)t->n_ranked * (sizeof(*t->rank) + sizeof(*t->order));
	size_t names = ((size_t)x->names.n_first + x->names.cap_chains) * sizeof(uint32_t);
	return sizeof(*x) + nodes + fns + names + (size_t)x->cap * sizeof(*x->node) +
	       (t->ix.n_slots + t->fns.ix.n_slots) * sizeof(uint64_t);
}
