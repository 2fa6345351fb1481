/* names.c - see names.h. */
#include "profile/names.h"

#include "base/hash.h"
#include "base/index.h"

struct set {
	uint32_t location, function;
};

struct ep_names {
	struct ep_profile *p;
	struct ep_slice
		*strings; /* new ones, behind the profile's; bytes in its arena */
	size_t n_strings, cap_strings;
	struct ep_function *functions; /* new ones */
	size_t n_functions, cap_functions;
	struct set *sets;
	size_t n_sets, cap_sets;
	struct ep_index by_string, by_function;
	int failed;
};

int ep_names_new(struct ep_profile *p, struct ep_names **ret_n)
{
	ep_auto(ep_names) n = ep_zalloc(sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->p = p;
	for (uint32_t i = 0; i < p->n_strings; i++)
		EP_TRY(ep_index_add(&n->by_string,
				    ep_hash64(p->strings[i].p, p->strings[i].n), i));
	*ret_n = ep_take(&n);
	return 0;
}

void ep_names_free(struct ep_names *n)
{
	if (!n)
		return;
	ep_index_fini(&n->by_string);
	ep_index_fini(&n->by_function);
	ep_free(n->strings);
	ep_free(n->functions);
	ep_free(n->sets);
	ep_free(n);
}

static bool grow(struct ep_names *n, void **p, size_t *cap, size_t at, size_t size)
{
	if (n->failed || at < *cap)
		return !n->failed;
	size_t bigger = *cap ? *cap * 2 : 64;
	void *moved = bigger > UINT32_MAX / 2 ? NULL : ep_realloc(*p, bigger * size);
	if (!moved) {
		n->failed = -ENOMEM;
		return false;
	}
	*p = moved;
	*cap = bigger;
	return true;
}

static struct ep_slice string_at(const struct ep_names *n, uint32_t i)
{
	return i < n->p->n_strings ? n->p->strings[i] : n->strings[i - n->p->n_strings];
}

static ep_str intern(struct ep_names *n, struct ep_slice s)
{
	struct ep_index_iter it;
	uint64_t h = ep_hash64(s.p, s.n);
	if (!s.n || n->failed)
		return 0;
	for (uint32_t i = ep_index_first(&n->by_string, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&n->by_string, &it))
		if (ep_slice_eq(string_at(n, i), s))
			return i;
	void *strings = n->strings;
	if (!grow(n, &strings, &n->cap_strings, n->n_strings, sizeof(*n->strings)))
		return 0;
	n->strings = strings;
	char *copy = ep_arena_copy(n->p->arena, s.p, s.n);
	uint32_t id = n->p->n_strings + (uint32_t)n->n_strings;
	if (!copy || ep_index_add(&n->by_string, h, id) < 0) {
		n->failed = -ENOMEM;
		return 0;
	}
	n->strings[n->n_strings++] = (struct ep_slice){copy, s.n};
	return id;
}

static uint32_t intern_function(struct ep_names *n, struct ep_function f)
{
	struct ep_index_iter it;
	uint64_t h = ep_hash_mix(ep_hash_mix(f.name, f.system_name), f.filename);
	for (uint32_t i = ep_index_first(&n->by_function, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&n->by_function, &it)) {
		const struct ep_function *g = &n->functions[i];
		if (g->name == f.name && g->system_name == f.system_name &&
		    g->filename == f.filename)
			return i;
	}
	void *functions = n->functions;
	if (!grow(n, &functions, &n->cap_functions, n->n_functions, sizeof(f)))
		return 0;
	n->functions = functions;
	if (ep_index_add(&n->by_function, h, (uint32_t)n->n_functions) < 0) {
		n->failed = -ENOMEM;
		return 0;
	}
	n->functions[n->n_functions] = f;
	return (uint32_t)n->n_functions++;
}

void ep_names_set(struct ep_names *n, uint32_t location, struct ep_slice name,
		  struct ep_slice system_name, struct ep_slice filename)
{
	if (location >= n->p->n_locations || n->p->locations[location].n_lines)
		return;
	struct ep_function f = {.name = intern(n, name),
				.system_name = intern(n, system_name),
				.filename = intern(n, filename)};
	uint32_t function = intern_function(n, f);
	void *sets = n->sets;
	if (!grow(n, &sets, &n->cap_sets, n->n_sets, sizeof(*n->sets)))
		return;
	n->sets = sets;
	n->sets[n->n_sets++] = (struct set){location, function};
}

/* A table of the profile with `more` elements behind, in its arena; NULL when
 * there is no room. */
static void *extend(struct ep_profile *p, const void *old, size_t n, const void *more,
		    size_t n_more, size_t size)
{
	if (n + n_more >= UINT32_MAX)
		return NULL;
	char *table = ep_arena_alloc(p->arena, (n + n_more) * size);
	if (!table)
		return NULL;
	if (n)
		memcpy(table, old, n * size);
	if (n_more && more)
		memcpy(table + n * size, more, n_more * size);
	return table;
}

static void place_lines(struct ep_names *n, struct ep_line *lines,
			uint32_t first_function)
{
	struct ep_profile *p = n->p;
	uint32_t at = p->n_lines;
	for (size_t i = 0; i < n->n_sets; i++) {
		struct ep_location *l = &p->locations[n->sets[i].location];
		if (l->n_lines)
			continue; /* set twice: the first one counts */
		lines[at] = (struct ep_line){.function = first_function +
							 n->sets[i].function};
		l->first_line = at++;
		l->n_lines = 1;
	}
	p->n_lines = at;
	p->lines = lines;
}

int ep_names_finish(struct ep_names *n, struct ep_err *err)
{
	struct ep_profile *p = n->p;
	if (n->failed)
		return ep_fail(err, n->failed, 0, "no memory for names");
	if (!n->n_sets)
		return 0;
	void *strings = extend(p, p->strings, p->n_strings, n->strings, n->n_strings,
			       sizeof(*p->strings));
	void *functions = extend(p, p->functions, p->n_functions, n->functions,
				 n->n_functions, sizeof(*p->functions));
	void *lines =
		extend(p, p->lines, p->n_lines, NULL, n->n_sets, sizeof(*p->lines));
	if (!strings || !functions || !lines)
		return ep_fail(err, -E2BIG, 0,
			       "the profile's bound leaves no room for names");
	uint32_t first_function = p->n_functions;
	p->strings = strings;
	p->n_strings += (uint32_t)n->n_strings;
	p->functions = functions;
	p->n_functions += (uint32_t)n->n_functions;
	place_lines(n, lines, first_function);
	n->n_sets = 0;
	return 0;
}
