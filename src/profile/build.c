/*
 * build.c - a profile entity by entity.  See build.h.
 *
 * Tables grow on the heap beside an index each; strings go straight into the
 * arena.  Finishing copies nothing: the arena adopts the tables.
 */
#include "profile/build.h"

#include "base/hash.h"
#include "base/index.h"
#include "base/pages.h"
#include "profile/labelorder.h"

#include <assert.h>
#include <errno.h>

enum table {
	STRINGS,
	SAMPLE_TYPES,
	SAMPLES,
	VALUES,
	STACKS,
	LABELS,
	MAPPINGS,
	LOCATIONS,
	LINES,
	FUNCTIONS,
	COMMENTS,
	N_TABLES
};

/* Samples wait here for the index's memory to arrive: the tables of large profiles lie
 * in no cache.  First come, first placed. */
enum { WAITING = 16 };

struct waiting {
	uint64_t hash[WAITING];
	uint32_t stack[WAITING], n_labels[WAITING];
	struct ep_label *labels; /* WAITING rows of cap_labels */
	int64_t *values;	 /* WAITING rows of a sample's */
	uint32_t cap_labels;
	uint32_t first, n;
};

struct ep_build {
	struct ep_profile p;
	size_t max;
	size_t used; /* by the tables */
	int failed;
	size_t cap[N_TABLES]; /* elements */
	struct ep_index strings, mappings, functions, locations, stacks, samples;
	struct stack *stacks_of; /* by number */
	uint32_t n_stacks, cap_stacks;
	struct ep_labelorder order;
	struct waiting waiting;
};

/* Samples of equal stacks share a run of the table. */
struct stack {
	uint32_t first, n;
};

static const struct ep_slice empty_string = {"", 0};

static bool fail(struct ep_build *b, int code)
{
	if (!b->failed)
		b->failed = code;
	return false;
}

/* Where the profile keeps each table. */
static void **table_of(struct ep_profile *p, enum table t)
{
	switch (t) {
	case STRINGS:
		return (void **)&p->strings;
	case SAMPLE_TYPES:
		return (void **)&p->sample_types;
	case SAMPLES:
		return (void **)&p->samples;
	case VALUES:
		return (void **)&p->values;
	case STACKS:
		return (void **)&p->sample_locations;
	case LABELS:
		return (void **)&p->labels;
	case MAPPINGS:
		return (void **)&p->mappings;
	case LOCATIONS:
		return (void **)&p->locations;
	case LINES:
		return (void **)&p->lines;
	case FUNCTIONS:
		return (void **)&p->functions;
	default:
		return (void **)&p->comments;
	}
}

/* Bytes of an element, in the order of enum table. */
static const size_t element_size[N_TABLES] = {
	sizeof(struct ep_slice),
	sizeof(struct ep_value_type),
	sizeof(struct ep_sample),
	sizeof(int64_t),
	sizeof(uint32_t),
	sizeof(struct ep_label),
	sizeof(struct ep_mapping),
	sizeof(struct ep_location),
	sizeof(struct ep_line),
	sizeof(struct ep_function),
	sizeof(ep_str),
};

/* Make room for n elements in all; false when that failed. */
static bool grow(struct ep_build *b, enum table t, size_t n)
{
	if (b->failed)
		return false;
	if (n <= b->cap[t])
		return true;
	size_t cap = b->cap[t] ? b->cap[t] : 8;
	while (cap < n)
		cap *= 2;
	size_t more = (cap - b->cap[t]) * element_size[t];
	size_t used = b->used + (b->p.arena ? ep_arena_used(b->p.arena) : 0);
	if (n >= UINT32_MAX || used > b->max || more > b->max - used)
		return fail(b, -E2BIG);
	void **at = table_of(&b->p, t);
	void *old = b->cap[t] ? *at : NULL;
	void *now = ep_realloc(old, cap * element_size[t]);
	if (!now)
		return fail(b, -ENOMEM);
	ep_pages_expect(now, cap * element_size[t]);
	b->used += more;
	b->cap[t] = cap;
	*at = now;
	return true;
}

static void start_empty(struct ep_build *b)
{
	*b = (struct ep_build){.max = b->max};
	b->p.strings = (struct ep_slice *)&empty_string; /* never written: cap is 0 */
	b->p.n_strings = 1;
}

static void free_tables(struct ep_build *b)
{
	for (enum table t = 0; t < N_TABLES; t++)
		if (b->cap[t])
			ep_free(*table_of(&b->p, t));
}

static void free_indexes(struct ep_build *b)
{
	ep_index_fini(&b->strings);
	ep_index_fini(&b->mappings);
	ep_index_fini(&b->functions);
	ep_index_fini(&b->locations);
	ep_index_fini(&b->stacks);
	ep_index_fini(&b->samples);
	ep_free(b->stacks_of);
	ep_labelorder_fini(&b->order);
	ep_free(b->waiting.labels);
	ep_free(b->waiting.values);
}

int ep_build_new(size_t max_bytes, struct ep_build **ret_b)
{
	struct ep_build *b = ep_alloc(sizeof(*b));
	if (!b)
		return -ENOMEM;
	b->max = max_bytes ? max_bytes : SIZE_MAX;
	start_empty(b);
	*ret_b = b;
	return 0;
}

void ep_build_free(struct ep_build *b)
{
	if (!b)
		return;
	free_tables(b);
	free_indexes(b);
	ep_arena_free(b->p.arena);
	ep_free(b);
}

struct ep_profile *ep_build_profile(struct ep_build *b)
{
	return &b->p;
}

/* --- strings ------------------------------------------------------------------ */

static bool add_string(struct ep_build *b, struct ep_slice s)
{
	if (!grow(b, STRINGS, (size_t)b->p.n_strings + 1))
		return false;
	b->p.strings[0] = empty_string;
	if (!b->p.arena)
		b->p.arena = ep_arena_new(0); /* the bound is kept here */
	if (!b->p.arena)
		return fail(b, -ENOMEM);
	if (b->max < s.n + 1 + ep_arena_used(b->p.arena) + b->used)
		return fail(b, -E2BIG);
	char *copy = ep_arena_copy(b->p.arena, s.p, s.n);
	if (!copy)
		return fail(b, -ENOMEM);
	b->p.strings[b->p.n_strings] = (struct ep_slice){copy, s.n};
	return true;
}

ep_str ep_build_string(struct ep_build *b, struct ep_slice s)
{
	if (!s.n || b->failed)
		return 0;
	uint64_t h = ep_hash64(s.p, s.n);
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&b->strings, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&b->strings, &it))
		if (ep_slice_eq(b->p.strings[id], s))
			return id;
	if (!add_string(b, s))
		return 0;
	if (ep_index_add(&b->strings, h, b->p.n_strings) < 0)
		return (void)fail(b, -ENOMEM), 0;
	return b->p.n_strings++;
}

ep_str ep_build_cstr(struct ep_build *b, const char *s)
{
	return ep_build_string(b, ep_slice_of(s));
}

void ep_build_sample_type(struct ep_build *b, const char *type, const char *unit)
{
	ep_build_sample_type_slices(b, ep_slice_of(type), ep_slice_of(unit));
}

void ep_build_sample_type_slices(struct ep_build *b, struct ep_slice type,
				 struct ep_slice unit)
{
	assert(!b->p.n_samples);
	struct ep_value_type t = {ep_build_string(b, type), ep_build_string(b, unit)};
	if (grow(b, SAMPLE_TYPES, (size_t)b->p.n_sample_types + 1))
		b->p.sample_types[b->p.n_sample_types++] = t;
}

void ep_build_comment(struct ep_build *b, struct ep_slice s)
{
	ep_str c = ep_build_string(b, s);
	if (grow(b, COMMENTS, (size_t)b->p.n_comments + 1))
		b->p.comments[b->p.n_comments++] = c;
}

/* --- mappings, functions, locations ------------------------------------------- */

static uint64_t hash_mapping(const struct ep_mapping *m)
{
	uint64_t h = ep_hash_mix(m->start, m->limit);
	h = ep_hash_mix(h, m->file_offset);
	return ep_hash_mix(h, (uint64_t)m->filename << 32 | m->build_id);
}

static bool same_mapping(const struct ep_mapping *a, const struct ep_mapping *b)
{
	return a->start == b->start && a->limit == b->limit &&
	       a->file_offset == b->file_offset && a->filename == b->filename &&
	       a->build_id == b->build_id && a->has_functions == b->has_functions &&
	       a->has_filenames == b->has_filenames &&
	       a->has_line_numbers == b->has_line_numbers &&
	       a->has_inline_frames == b->has_inline_frames;
}

uint32_t ep_build_mapping_apart(struct ep_build *b, const struct ep_mapping *m)
{
	if (!grow(b, MAPPINGS, (size_t)b->p.n_mappings + 1))
		return 0;
	b->p.mappings[b->p.n_mappings] = *m;
	return b->p.n_mappings++;
}

uint32_t ep_build_mapping(struct ep_build *b, const struct ep_mapping *m)
{
	struct ep_index_iter it;
	uint64_t h = hash_mapping(m);
	for (uint32_t id = ep_index_first(&b->mappings, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&b->mappings, &it))
		if (same_mapping(&b->p.mappings[id], m))
			return id;
	if (!grow(b, MAPPINGS, (size_t)b->p.n_mappings + 1))
		return 0;
	if (ep_index_add(&b->mappings, h, b->p.n_mappings) < 0)
		return (void)fail(b, -ENOMEM), 0;
	return ep_build_mapping_apart(b, m);
}

uint32_t ep_build_function(struct ep_build *b, const struct ep_function *f)
{
	struct ep_index_iter it;
	uint64_t h = ep_hash_mix(f->name, (uint64_t)f->system_name << 32 | f->filename);
	h = ep_hash_mix(h, (uint64_t)f->start_line);
	for (uint32_t id = ep_index_first(&b->functions, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&b->functions, &it)) {
		const struct ep_function *g = &b->p.functions[id];
		if (g->name == f->name && g->system_name == f->system_name &&
		    g->filename == f->filename && g->start_line == f->start_line)
			return id;
	}
	if (!grow(b, FUNCTIONS, (size_t)b->p.n_functions + 1))
		return 0;
	if (ep_index_add(&b->functions, h, b->p.n_functions) < 0)
		return (void)fail(b, -ENOMEM), 0;
	b->p.functions[b->p.n_functions] = *f;
	return b->p.n_functions++;
}

static bool same_lines(const struct ep_line *a, const struct ep_line *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (a[i].function != b[i].function || a[i].line != b[i].line ||
		    a[i].column != b[i].column)
			return false;
	return true;
}

static bool same_location(const struct ep_profile *p, const struct ep_location *a,
			  const struct ep_location *b, const struct ep_line *lines)
{
	return a->address == b->address && a->mapping == b->mapping &&
	       a->is_folded == b->is_folded && a->n_lines == b->n_lines &&
	       same_lines(p->lines + a->first_line, lines, b->n_lines);
}

static uint64_t hash_location(const struct ep_location *l, const struct ep_line *lines)
{
	uint64_t h = ep_hash_mix(l->address, (uint64_t)l->mapping << 1 | l->is_folded);
	for (uint32_t i = 0; i < l->n_lines; i++) {
		h = ep_hash_mix(h, (uint64_t)lines[i].function << 32 ^
					   (uint64_t)lines[i].line);
		h = ep_hash_mix(h, (uint64_t)lines[i].column);
	}
	return h;
}

/* Its lines go to the end of their table, where there is room. */
static void put_location(struct ep_profile *p, uint32_t i, const struct ep_location *l,
			 const struct ep_line *lines)
{
	if (l->n_lines)
		memcpy(p->lines + p->n_lines, lines, l->n_lines * sizeof(*lines));
	p->locations[i] = *l;
	p->locations[i].first_line = p->n_lines;
	p->n_lines += l->n_lines;
}

uint32_t ep_build_location_like(struct ep_build *b, const struct ep_location *l,
				const struct ep_line *lines)
{
	struct ep_index_iter it;
	uint64_t h = hash_location(l, lines);
	for (uint32_t id = ep_index_first(&b->locations, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&b->locations, &it))
		if (same_location(&b->p, &b->p.locations[id], l, lines))
			return id;
	if (!grow(b, LOCATIONS, (size_t)b->p.n_locations + 1) ||
	    !grow(b, LINES, (size_t)b->p.n_lines + l->n_lines))
		return 0;
	if (ep_index_add(&b->locations, h, b->p.n_locations) < 0)
		return (void)fail(b, -ENOMEM), 0;
	put_location(&b->p, b->p.n_locations, l, lines);
	return b->p.n_locations++;
}

void ep_build_change_location(struct ep_build *b, uint32_t location,
			      const struct ep_location *l, const struct ep_line *lines)
{
	if (grow(b, LINES, (size_t)b->p.n_lines + l->n_lines))
		put_location(&b->p, location, l, lines);
}

uint32_t ep_build_location(struct ep_build *b, uint64_t address, uint32_t mapping,
			   const struct ep_line *lines, uint32_t n_lines)
{
	struct ep_location l = {
		.address = address, .mapping = mapping, .n_lines = n_lines};
	return ep_build_location_like(b, &l, lines);
}

uint32_t ep_build_named_frame(struct ep_build *b, const char *name,
			      const char *filename)
{
	struct ep_function f = {.name = ep_build_cstr(b, name)};
	f.system_name = f.name;
	f.filename = ep_build_cstr(b, filename);
	struct ep_line line = {.function = ep_build_function(b, &f)};
	return ep_build_location(b, 0, EP_NONE, &line, 1);
}

/* --- samples ------------------------------------------------------------------ */

static bool grow_stacks(struct ep_build *b)
{
	if (b->n_stacks < b->cap_stacks)
		return true;
	uint32_t cap = b->cap_stacks ? b->cap_stacks * 2 : 64;
	void *now = ep_realloc(b->stacks_of, (size_t)cap * sizeof(*b->stacks_of));
	if (!now)
		return fail(b, -ENOMEM);
	b->stacks_of = now;
	b->cap_stacks = cap;
	return true;
}

uint32_t ep_build_stack(struct ep_build *b, const uint32_t *locations, uint32_t n)
{
	struct ep_profile *p = &b->p;
	size_t n_bytes = n * sizeof(*locations);
	uint64_t h = ep_hash64(n ? locations : &n, n_bytes);
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&b->stacks, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&b->stacks, &it)) {
		struct stack s = b->stacks_of[i];
		if (s.n == n && (!n || !memcmp(p->sample_locations + s.first, locations,
					       n_bytes)))
			return i;
	}
	if (!grow_stacks(b) || !grow(b, STACKS, (size_t)p->n_sample_locations + n))
		return EP_NONE;
	if (ep_index_add(&b->stacks, h, b->n_stacks) < 0)
		return (void)fail(b, -ENOMEM), EP_NONE;
	if (n)
		memcpy(p->sample_locations + p->n_sample_locations, locations, n_bytes);
	b->stacks_of[b->n_stacks] = (struct stack){p->n_sample_locations, n};
	p->n_sample_locations += n;
	return b->n_stacks++;
}

uint32_t ep_build_stack_depth(const struct ep_build *b, uint32_t stack)
{
	return b->stacks_of[stack].n;
}

static uint64_t hash_sample(uint32_t stack, const struct ep_label *labels,
			    uint32_t n_labels)
{
	uint64_t h = ep_hash_mix(stack, n_labels);
	for (uint32_t i = 0; i < n_labels; i++) {
		const struct ep_label *l = &labels[i];
		h = ep_hash_mix(h, (uint64_t)l->key << 32 | l->str);
		if (!l->str)
			h = ep_hash_mix(h, (uint64_t)l->num ^ (uint64_t)l->num_unit << 40);
	}
	return h;
}

static bool same_labels(const struct ep_label *a, const struct ep_label *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (a[i].key != b[i].key || a[i].str != b[i].str ||
		    a[i].num != b[i].num || a[i].num_unit != b[i].num_unit)
			return false;
	return true;
}

/* A sample more, all 0; EP_NONE on failure.  The labels are sorted. */
static uint32_t append_sample(struct ep_build *b, uint32_t stack,
			      const struct ep_label *labels, uint32_t n_labels)
{
	struct ep_profile *p = &b->p;
	struct stack run = b->stacks_of[stack];
	if (!grow(b, SAMPLES, (size_t)p->n_samples + 1) ||
	    !grow(b, LABELS, (size_t)p->n_labels + n_labels) ||
	    !grow(b, VALUES, ((size_t)p->n_samples + 1) * p->n_sample_types))
		return EP_NONE;
	p->samples[p->n_samples] =
		(struct ep_sample){run.first, run.n, p->n_labels, n_labels};
	if (n_labels)
		memcpy(p->labels + p->n_labels, labels, n_labels * sizeof(*labels));
	p->n_labels += n_labels;
	if (p->n_sample_types)
		memset(p->values + (size_t)p->n_samples * p->n_sample_types, 0,
		       p->n_sample_types * sizeof(*p->values));
	return p->n_samples++;
}

/* The sample of this stack and these labels, made when it is new; EP_NONE on
 * failure.  The labels are sorted. */
static uint32_t intern_sample(struct ep_build *b, uint64_t h, uint32_t stack,
			      const struct ep_label *labels, uint32_t n_labels)
{
	const struct ep_profile *p = &b->p;
	struct stack run = b->stacks_of[stack];
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&b->samples, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&b->samples, &it)) {
		const struct ep_sample *s = &p->samples[id];
		if (s->first_location == run.first && s->n_locations == run.n &&
		    s->n_labels == n_labels &&
		    same_labels(p->labels + s->first_label, labels, n_labels))
			return id;
	}
	uint32_t id = append_sample(b, stack, labels, n_labels);
	if (id != EP_NONE && ep_index_add(&b->samples, h, id) < 0)
		return (void)fail(b, -ENOMEM), EP_NONE;
	return id;
}

static void add_values(struct ep_build *b, uint32_t sample, const int64_t *values)
{
	struct ep_profile *p = &b->p;
	if (sample == EP_NONE)
		return;
	int64_t *sum = p->values + (size_t)sample * p->n_sample_types;
	for (uint32_t i = 0; i < p->n_sample_types; i++)
		sum[i] = (int64_t)((uint64_t)sum[i] + (uint64_t)values[i]);
}

static void place_first(struct ep_build *b)
{
	struct waiting *w = &b->waiting;
	uint32_t i = w->first;
	w->first = (i + 1) % WAITING;
	w->n--;
	uint32_t id = intern_sample(b, w->hash[i], w->stack[i],
				    w->labels + (size_t)i * w->cap_labels, w->n_labels[i]);
	add_values(b, id, w->values + (size_t)i * b->p.n_sample_types);
}

static void place_all(struct ep_build *b)
{
	while (b->waiting.n)
		place_first(b);
}

/* Room for n labels a sample; nobody waits while it is made. */
static bool make_waiting_room(struct ep_build *b, uint32_t n)
{
	struct waiting *w = &b->waiting;
	if (w->values && n <= w->cap_labels)
		return true;
	place_all(b);
	uint32_t cap = n < 8 ? 8 : n;
	ep_free(w->labels);
	ep_free(w->values);
	w->labels = ep_alloc((size_t)cap * WAITING * sizeof(*w->labels));
	w->values = ep_alloc((size_t)b->p.n_sample_types * WAITING * sizeof(*w->values));
	w->cap_labels = w->labels ? cap : 0;
	return (w->labels && w->values) || fail(b, -ENOMEM);
}

static const struct ep_label *sort_labels(struct ep_build *b, const struct ep_label *labels,
					  uint32_t n)
{
	const struct ep_label *sorted =
		ep_labelorder_sort(&b->order, b->p.strings, labels, n);
	if (n && !sorted)
		(void)fail(b, -ENOMEM); /* finish says it */
	return sorted;
}

void ep_build_sample_on(struct ep_build *b, uint32_t stack, const struct ep_label *labels,
			uint32_t n_labels, const int64_t *values)
{
	struct waiting *w = &b->waiting;
	const struct ep_label *sorted = sort_labels(b, labels, n_labels);
	if (b->failed || stack == EP_NONE || !make_waiting_room(b, n_labels))
		return;
	if (w->n == WAITING)
		place_first(b);
	uint32_t i = (w->first + w->n++) % WAITING;
	w->hash[i] = hash_sample(stack, sorted, n_labels);
	w->stack[i] = stack;
	w->n_labels[i] = n_labels;
	if (n_labels)
		memcpy(w->labels + (size_t)i * w->cap_labels, sorted,
		       n_labels * sizeof(*sorted));
	if (b->p.n_sample_types)
		memcpy(w->values + (size_t)i * b->p.n_sample_types, values,
		       b->p.n_sample_types * sizeof(*values));
	ep_index_prefetch(&b->samples, w->hash[i]);
}

void ep_build_sample(struct ep_build *b, const uint32_t *locations,
		     uint32_t n_locations, const struct ep_label *labels,
		     uint32_t n_labels, const int64_t *values)
{
	ep_build_sample_on(b, ep_build_stack(b, locations, n_locations), labels, n_labels,
			   values);
}

void ep_build_sample_apart(struct ep_build *b, const uint32_t *locations,
			   uint32_t n_locations, const struct ep_label *labels,
			   uint32_t n_labels, const int64_t *values)
{
	uint32_t stack = ep_build_stack(b, locations, n_locations);
	const struct ep_label *sorted = sort_labels(b, labels, n_labels);
	place_all(b);
	if (!b->failed && stack != EP_NONE)
		add_values(b, append_sample(b, stack, sorted, n_labels), values);
}

void ep_build_expect(struct ep_build *b, size_t n_samples)
{
	/* A hint: without memory the index grows, or fails, later. */
	(void)ep_index_reserve(&b->samples, b->samples.n + n_samples);
}

/* --- the end ------------------------------------------------------------------ */

/* Hand the tables over to the arena.  The bound was kept by grow(). */
static bool adopt_tables(struct ep_build *b)
{
	for (enum table t = 0; t < N_TABLES; t++) {
		if (!b->cap[t])
			continue;
		if (ep_arena_adopt(b->p.arena, *table_of(&b->p, t), 0) < 0)
			return fail(b, -ENOMEM);
		b->cap[t] = 0;
	}
	return true;
}

static struct ep_profile *finish(struct ep_build *b)
{
	place_all(b);
	if (b->failed)
		return NULL;
	if (!b->p.arena)
		b->p.arena = ep_arena_new(0);
	struct ep_profile *p =
		b->p.arena ? ep_arena_alloc(b->p.arena, sizeof(*p)) : NULL;
	if (!p || !adopt_tables(b)) {
		(void)fail(b, -ENOMEM); /* adopt_tables() may have said so already */
		return NULL;
	}
	*p = b->p;
	b->p.arena = NULL;
	return p;
}

int ep_build_finish(struct ep_build *b, struct ep_profile **ret_p, struct ep_err *err)
{
	struct ep_profile *p = finish(b);
	int failed = b->failed;
	size_t max = b->max;
	free_tables(b);
	free_indexes(b);
	ep_arena_free(b->p.arena);
	start_empty(b);
	if (failed == -E2BIG)
		return ep_fail(err, -E2BIG, 0, "profile is over the limit of %zu bytes",
			       max);
	if (failed)
		return ep_fail(err, failed, 0, "no memory for the profile");
	*ret_p = p;
	return 0;
}
