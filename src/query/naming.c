/*
 * naming.c - frames to functions, with the symbols known now.
 */
#include "query/sums.h"
#include "symbol/nameless.h"
#include "symbol/symbol.h"

#include <string.h>

/* --- functions ----------------------------------------------------------------------------- */

void ep_fns_fini(struct ep_fns *f)
{
	ep_index_fini(&f->ix);
	ep_free(f->v);
	memset(f, 0, sizeof(*f));
}

static bool same(const struct ep_fn *a, const struct ep_fn *b)
{
	return a->kind == b->kind && ep_slice_eq(a->name, b->name) && ep_slice_eq(a->file, b->file);
}

static bool keep(struct ep_arena *a, struct ep_slice s, struct ep_slice *ret)
{
	char *p = ep_arena_copy(a, s.n ? s.p : "", s.n);
	*ret = (struct ep_slice){p, s.n};
	return p;
}

static uint32_t add(struct ep_fns *f, const struct ep_fn *fn, bool copies)
{
	uint64_t h = ep_hash_mix(ep_hash64(fn->name.n ? fn->name.p : "", fn->name.n),
				 ep_hash64(fn->file.n ? fn->file.p : "", fn->file.n) + fn->kind);
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&f->ix, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&f->ix, &it))
		if (same(&f->v[id], fn))
			return id;
	if (f->n == f->cap) {
		uint32_t cap = f->n + f->n / 2 + 64;
		struct ep_fn *v = ep_realloc(f->v, cap * sizeof(*v));
		if (!v)
			return EP_INDEX_NONE;
		f->v = v;
		f->cap = cap;
	}
	struct ep_fn *to = &f->v[f->n];
	*to = *fn;
	if (copies &&
	    (!keep(f->arena, fn->name, &to->name) || !keep(f->arena, fn->file, &to->file)))
		return EP_INDEX_NONE;
	return ep_index_add(&f->ix, h, f->n) < 0 ? EP_INDEX_NONE : f->n++;
}

uint32_t ep_fns_add(struct ep_fns *f, const struct ep_fn *fn)
{
	return add(f, fn, !f->borrows);
}

/* --- a frame ----------------------------------------------------------------------------------- */

static bool starts(struct ep_slice s, const char *with)
{
	size_t n = strlen(with);
	return s.n >= n && !memcmp(s.p, with, n);
}

/* What a frame with a name is, by the mapping it lies in. */
static enum ep_kind kind_of(const struct ep_dict *d, const struct ep_dict_frame *f,
			    struct ep_slice name)
{
	if (ep_slice_is(name, "[lost]") || ep_slice_is(name, "[truncated]") ||
	    ep_slice_is(name, "[damaged]"))
		return EP_KIND_LOST;
	struct ep_slice file = {"", 0};
	if (f->mapping != EP_DICT_NONE)
		file = ep_dict_str(d, ep_dict_mapping(d, f->mapping)->filename);
	if (starts(file, "[kernel"))
		return EP_KIND_KERNEL;
	if (starts(file, "[jit]") || starts(file, "//anon"))
		return EP_KIND_JIT;
	if (starts(name, "[") && name.p[name.n - 1] == ']')
		return EP_KIND_UNNAMED;
	return EP_KIND_NATIVE;
}

int ep_naming_symbol(struct ep_symcache *symbols, const struct ep_dict *d,
		    const struct ep_dict_frame *f, struct ep_symbol *ret_s)
{
	if (!symbols || f->mapping == EP_DICT_NONE || !(f->flags & EP_FRAME_OFFSET))
		return -ENOENT;
	struct ep_slice id = ep_dict_str(d, ep_dict_mapping(d, f->mapping)->build_id);
	const struct ep_symtab *t = id.n ? ep_symcache_get(symbols, id) : NULL;
	return t ? ep_symtab_find_offset(t, f->address, ret_s) : -ENOENT;
}

static struct ep_slice module_of(const struct ep_naming *n, const struct ep_dict_frame *f)
{
	if (f->mapping == EP_DICT_NONE)
		return (struct ep_slice){"", 0};
	return ep_dict_str(n->d, ep_dict_mapping(n->d, f->mapping)->filename);
}

/* Called by where its function begins; by its own place when that is not known. */
static uint32_t unnamed(struct ep_naming *n, const struct ep_dict_frame *f, uint64_t at)
{
	char text[EP_NAMELESS_MAX];
	struct ep_slice module = module_of(n, f);
	struct ep_fn fn = {ep_nameless_format(module, at, text), module, EP_KIND_UNNAMED};
	return add(n->fns, &fn, true);
}

static uint32_t native(struct ep_naming *n, const struct ep_dict_frame *f)
{
	struct ep_symbol s;
	if (ep_naming_symbol(n->symbols, n->d, f, &s) < 0)
		return unnamed(n, f, f->address);
	if (!s.name.n)
		return unnamed(n, f, s.file_offset);
	struct ep_fn fn = {s.name, module_of(n, f), kind_of(n->d, f, s.name)};
	return ep_fns_add(n->fns, &fn);
}

static uint32_t line_fn(struct ep_naming *n, const struct ep_dict_frame *f, uint32_t line)
{
	const struct ep_dict_function *from = ep_dict_function(n->d, ep_dict_line(n->d, line)->function);
	struct ep_fn fn = {ep_dict_str(n->d, from->name), ep_dict_str(n->d, from->filename), 0};
	if (!fn.name.n)
		fn.name = ep_dict_str(n->d, from->system_name);
	if (!fn.name.n)
		return unnamed(n, f, f->address);
	/* A recording's stand-in for a name: there may be a real one now. */
	if (!ep_dict_str(n->d, from->system_name).n &&
	    ep_nameless_is(fn.name, module_of(n, f)))
		return native(n, f);
	fn.kind = kind_of(n->d, f, fn.name);
	return ep_fns_add(n->fns, &fn);
}

static uint32_t damaged(struct ep_naming *n)
{
	struct ep_fn fn = {ep_slice_of("[damaged]"), ep_slice_of(""), EP_KIND_LOST};
	return ep_fns_add(n->fns, &fn);
}

static bool room(struct ep_naming *n, uint32_t more)
{
	if (n->n_chains + more <= n->cap_chains)
		return true;
	uint32_t cap = (n->cap_chains ? n->cap_chains * 2 : 1024) + more;
	uint32_t *v = ep_realloc(n->chains, cap * sizeof(*v));
	if (!v)
		return false;
	n->chains = v;
	n->cap_chains = cap;
	return true;
}

static bool resolve(struct ep_naming *n, uint32_t frame)
{
	const struct ep_dict_frame *f = ep_dict_frame(n->d, frame);
	uint32_t n_fns = f->n_lines ? f->n_lines : 1;
	if (!room(n, n_fns + 1))
		return false;
	uint32_t *to = n->chains + n->n_chains;
	to[0] = n_fns;
	for (uint32_t i = 0; i < f->n_lines; i++) /* lines are innermost first */
		to[1 + i] = line_fn(n, f, f->first_line + f->n_lines - 1 - i);
	if (!f->n_lines)
		to[1] = f->flags & EP_FRAME_DAMAGED ? damaged(n) : native(n, f);
	for (uint32_t i = 0; i < n_fns; i++)
		if (to[1 + i] == EP_INDEX_NONE)
			return false;
	n->first[frame] = n->n_chains;
	n->n_chains += n_fns + 1;
	return true;
}

int ep_naming_init(struct ep_naming *n, const struct ep_dict *d, struct ep_symcache *symbols,
		  struct ep_fns *fns)
{
	*n = (struct ep_naming){.d = d, .symbols = symbols, .fns = fns, .n_chains = 1};
	return ep_naming_fit(n);
}

int ep_naming_fit(struct ep_naming *n)
{
	uint32_t frames = ep_vec_n(&n->d->frames);
	if (n->first && frames == n->n_first)
		return 0;
	uint32_t *first = ep_realloc(n->first, ((size_t)frames + 1) * sizeof(*first));
	if (!first)
		return -ENOMEM;
	memset(first + n->n_first, 0, ((size_t)frames - n->n_first + 1) * sizeof(*first));
	n->first = first;
	n->n_first = frames;
	return 0;
}

void ep_naming_fini(struct ep_naming *n)
{
	ep_free(n->first);
	ep_free(n->chains);
}

const uint32_t *ep_naming_of(struct ep_naming *n, uint32_t frame, uint32_t *ret_n)
{
	if (frame >= n->n_first || (!n->first[frame] && !resolve(n, frame)))
		return NULL;
	const uint32_t *c = n->chains + n->first[frame];
	*ret_n = c[0];
	return c + 1;
}
