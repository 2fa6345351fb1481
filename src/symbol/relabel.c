/* relabel.c - see relabel.h. */
#include "symbol/relabel.h"

#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

void ep_relabel_init(struct ep_relabel *r, struct ep_profile *p)
{
	*r = (struct ep_relabel){.p = p};
}

void ep_relabel_fini(struct ep_relabel *r)
{
	ep_free(r->strings);
	ep_free(r->functions);
	ep_free(r->lines);
	ep_free(r->places);
	ep_index_fini(&r->string_index);
	ep_index_fini(&r->function_index);
}

static bool room(struct ep_relabel *r, void *array, size_t n, size_t *cap, size_t size)
{
	void **p = array;
	if (n < *cap)
		return true;
	size_t more = *cap ? *cap * 2 : 256;
	void *bigger = more < UINT32_MAX / 2 ? ep_realloc(*p, more * size) : NULL;
	if (!bigger) {
		r->failed = more < UINT32_MAX / 2 ? -ENOMEM : -E2BIG;
		return false;
	}
	*p = bigger;
	*cap = more;
	return true;
}

/* ---- strings ---- */

struct ep_slice ep_relabel_text(const struct ep_relabel *r, ep_str s)
{
	return s < r->p->n_strings ? r->p->strings[s] : r->strings[s - r->p->n_strings];
}

ep_str ep_relabel_string(struct ep_relabel *r, struct ep_slice s)
{
	struct ep_index_iter it;
	if (!s.n)
		return 0;
	uint64_t hash = ep_hash64(s.p, s.n);
	for (uint32_t id = ep_index_first(&r->string_index, hash, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&r->string_index, &it))
		if (ep_slice_eq(r->strings[id], s))
			return r->p->n_strings + id;
	if (!room(r, &r->strings, r->n_strings, &r->cap_strings, sizeof(*r->strings)))
		return 0;
	char *text = ep_arena_copy(r->p->arena, s.p, s.n);
	if (!text || ep_index_add(&r->string_index, hash, (uint32_t)r->n_strings) < 0) {
		r->failed = -ENOMEM;
		return 0;
	}
	r->strings[r->n_strings] = (struct ep_slice){text, s.n};
	return r->p->n_strings + (ep_str)r->n_strings++;
}

/* ---- functions ---- */

struct ep_function *ep_relabel_function_at(struct ep_relabel *r, uint32_t function)
{
	return function < r->p->n_functions ? &r->p->functions[function]
					    : &r->functions[function - r->p->n_functions];
}

size_t ep_relabel_n_functions(const struct ep_relabel *r)
{
	return r->p->n_functions + r->n_functions;
}

static bool same(const struct ep_function *a, const struct ep_function *b)
{
	return a->name == b->name && a->system_name == b->system_name &&
	       a->filename == b->filename && a->start_line == b->start_line;
}

uint32_t ep_relabel_function(struct ep_relabel *r, const struct ep_function *f)
{
	struct ep_index_iter it;
	uint64_t hash = ep_hash_mix(ep_hash_mix(f->name, f->system_name),
				    ep_hash_mix(f->filename, (uint64_t)f->start_line));
	for (uint32_t id = ep_index_first(&r->function_index, hash, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&r->function_index, &it))
		if (same(&r->functions[id], f))
			return r->p->n_functions + id;
	if (!room(r, &r->functions, r->n_functions, &r->cap_functions, sizeof(*r->functions)))
		return 0;
	if (ep_index_add(&r->function_index, hash, (uint32_t)r->n_functions) < 0) {
		r->failed = -ENOMEM;
		return 0;
	}
	r->functions[r->n_functions] = *f;
	return r->p->n_functions + (uint32_t)r->n_functions++;
}

/* ---- lines ---- */

void ep_relabel_lines(struct ep_relabel *r, uint32_t location, const struct ep_line *lines,
		      size_t n)
{
	if (!r->places)
		r->places = ep_zalloc(r->p->n_locations * sizeof(*r->places));
	if (!r->places) {
		r->failed = -ENOMEM;
		return;
	}
	struct ep_relabel_place at = {r->p->n_lines + (uint32_t)r->n_lines, (uint32_t)n};
	for (size_t i = 0; i < n; i++) {
		if (!room(r, &r->lines, r->n_lines, &r->cap_lines, sizeof(*r->lines)))
			return;
		r->lines[r->n_lines++] = lines[i];
	}
	r->places[location] = at;
}

bool ep_relabel_has_lines(const struct ep_relabel *r, uint32_t location)
{
	return r->p->locations[location].n_lines || (r->places && r->places[location].n_lines);
}

/* The profile's table with the new elements behind; NULL without memory. */
static void *joined(struct ep_arena *a, const void *old, size_t n_old, const void *add,
		    size_t n_add, size_t size)
{
	char *all = ep_arena_alloc(a, (n_old + n_add) * size);
	if (all && n_old)
		memcpy(all, old, n_old * size);
	if (all && n_add)
		memcpy(all + n_old * size, add, n_add * size);
	return all;
}

int ep_relabel_finish(struct ep_relabel *r, struct ep_err *err)
{
	struct ep_profile *p = r->p;
	struct ep_slice *strings = p->strings;
	struct ep_function *functions = p->functions;
	struct ep_line *lines = p->lines;
	if (!r->failed && r->n_strings)
		strings = joined(p->arena, strings, p->n_strings, r->strings, r->n_strings,
				 sizeof(*strings));
	if (!r->failed && r->n_functions)
		functions = joined(p->arena, functions, p->n_functions, r->functions,
				   r->n_functions, sizeof(*functions));
	if (!r->failed && r->n_lines)
		lines = joined(p->arena, lines, p->n_lines, r->lines, r->n_lines, sizeof(*lines));
	if (r->failed || (r->n_strings && !strings) || (r->n_functions && !functions) ||
	    (r->n_lines && !lines))
		return ep_fail(err, r->failed ? r->failed : -ENOMEM, 0,
			       "no memory for the names of a profile");
	p->strings = strings;
	p->n_strings += (uint32_t)r->n_strings;
	p->functions = functions;
	p->n_functions += (uint32_t)r->n_functions;
	p->lines = lines;
	p->n_lines += (uint32_t)r->n_lines;
	for (uint32_t i = 0; r->places && i < p->n_locations; i++) {
		if (!r->places[i].n_lines)
			continue;
		p->locations[i].first_line = r->places[i].first_line;
		p->locations[i].n_lines = r->places[i].n_lines;
	}
	return 0;
}
