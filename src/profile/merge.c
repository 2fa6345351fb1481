/*
 * merge.c - see merge.h.
 *
 * A builder takes the result.  For each source a table says what became of each of
 * its elements, so an element is looked up by content once and by index ever after.
 * Source: google/pprof profile/merge.go.
 */
#include "profile/merge.h"

#include "base/hash.h"
#include "base/index.h"
#include "base/pages.h"
#include "profile/build.h"
#include "profile/ledger.h"

#include <errno.h>
#include <inttypes.h>

struct ep_merge {
	bool short_of_memory; /* an index of ours lacks something */
	struct ep_build *b;
	/* Mappings of the result by merge key; the builder's own key is finer. */
	struct ep_index mappings;
	struct ep_index comments; /* those the result has, by string */
	struct ep_ledger ledger;  /* the sum of all */
	bool has_ledger;
	struct ep_err *err;
	size_t max_bytes;	  /* of the result */
	bool has_first;		  /* the header is begun */
	bool owned;		  /* the source at hand may go as it is read */

	/* Of the source at hand: the index in the result, EP_NONE when not yet known.
	 */
	const struct ep_profile *src;
	enum ep_merge_role role;
	bool labels_in_order; /* each sample has labels of its own, one behind the other */
	uint32_t *string_to, *function_to, *location_to;
	uint32_t *stack_to; /* by the place of its first location; NULL: not kept */
	uint32_t *mapping_to;
	uint64_t *mapping_shift; /* what to add to an address */
	/* Room for the largest sample and location of the source. */
	uint32_t *stack;
	struct ep_label *labels;
	struct ep_line *lines;
	int64_t *values; /* of a sample that is subtracted */
	ep_str base_key, base_value;
};

/* --- one source --------------------------------------------------------------- */

static ep_str map_string(struct ep_merge *m, ep_str s)
{
	if (m->string_to[s] == EP_NONE)
		m->string_to[s] = ep_build_string(m->b, m->src->strings[s]);
	return m->string_to[s];
}

struct mapping_key {
	uint64_t size, offset;
	ep_str name;
};

static struct mapping_key key_of(const struct ep_mapping *m)
{
	enum { PAGE = 4096 };
	return (struct mapping_key){
		.size = (m->limit - m->start + PAGE - 1) & ~(uint64_t)(PAGE - 1),
		.offset = m->file_offset,
		.name = m->build_id ? m->build_id : m->filename,
	};
}

static uint32_t intern_mapping(struct ep_merge *m, const struct ep_mapping *mapping)
{
	struct mapping_key k = key_of(mapping);
	uint64_t h = ep_hash_mix(ep_hash_mix(k.size, k.offset), k.name);
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&m->mappings, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&m->mappings, &it)) {
		struct mapping_key o = key_of(&ep_build_profile(m->b)->mappings[i]);
		if (o.size == k.size && o.offset == k.offset && o.name == k.name)
			return i;
	}
	uint32_t i = ep_build_mapping(m->b, mapping);
	if (i >= ep_build_profile(m->b)->n_mappings)
		return i; /* it was not made; the builder remembers why */
	m->short_of_memory |= ep_index_add(&m->mappings, h, i) < 0;
	return i;
}

static void map_mapping(struct ep_merge *m, uint32_t i)
{
	if (m->mapping_to[i] != EP_NONE)
		return;
	struct ep_mapping mapping = m->src->mappings[i];
	mapping.filename = map_string(m, mapping.filename);
	mapping.build_id = map_string(m, mapping.build_id);
	uint32_t to = intern_mapping(m, &mapping);
	const struct ep_profile *p = ep_build_profile(m->b);
	m->mapping_to[i] = to;
	if (to < p->n_mappings)
		m->mapping_shift[i] = p->mappings[to].start - mapping.start;
}

static uint32_t map_function(struct ep_merge *m, uint32_t i)
{
	if (m->function_to[i] == EP_NONE) {
		struct ep_function f = m->src->functions[i];
		f.name = map_string(m, f.name);
		f.system_name = map_string(m, f.system_name);
		f.filename = map_string(m, f.filename);
		m->function_to[i] = ep_build_function(m->b, &f);
	}
	return m->function_to[i];
}

static uint32_t map_location_anew(struct ep_merge *m, uint32_t i)
{
	struct ep_location l = m->src->locations[i];
	const struct ep_line *lines = m->src->lines + l.first_line;
	if (l.mapping != EP_NONE) {
		map_mapping(m, l.mapping);
		l.address += m->mapping_shift[l.mapping];
		l.mapping = m->mapping_to[l.mapping];
	}
	for (uint32_t k = 0; k < l.n_lines; k++) {
		m->lines[k] = lines[k];
		m->lines[k].function = map_function(m, lines[k].function);
	}
	return ep_build_location_like(m->b, &l, m->lines);
}

static inline uint32_t map_location(struct ep_merge *m, uint32_t i)
{
	if (__builtin_expect(m->location_to[i] == EP_NONE, 0))
		m->location_to[i] = map_location_anew(m, i);
	return m->location_to[i];
}

static bool is_zero(const int64_t *values, uint32_t n)
{
	int64_t any = 0;
	for (uint32_t i = 0; i < n; i++)
		any |= values[i];
	return !any;
}

/* The labels of a sample, and of a base the one that says so in place of any other. */
static uint32_t map_labels(struct ep_merge *m, const struct ep_sample *s)
{
	bool mark = m->role == EP_MERGE_COMPARE;
	uint32_t n = 0;
	for (uint32_t i = 0; i < s->n_labels; i++) {
		const struct ep_label *l = &m->src->labels[s->first_label + i];
		struct ep_label *to = &m->labels[n++];
		*to = (struct ep_label){
			.key = map_string(m, l->key),
			.str = map_string(m, l->str),
			.num = l->num,
			.num_unit = map_string(m, l->num_unit),
		};
		n -= mark && to->str && to->key == m->base_key;
	}
	if (mark)
		m->labels[n++] =
			(struct ep_label){.key = m->base_key, .str = m->base_value};
	return n;
}

static const int64_t *map_values(struct ep_merge *m, const int64_t *values)
{
	if (m->role == EP_MERGE_ADD)
		return values;
	for (uint32_t i = 0; i < m->src->n_sample_types; i++)
		m->values[i] = (int64_t)(0 - (uint64_t)values[i]);
	return m->values;
}

/* A stack that many samples share is looked up once. */
static uint32_t map_stack(struct ep_merge *m, const struct ep_sample *s)
{
	const uint32_t *stack = ep_profile_stack(m->src, s);
	uint32_t *known = m->stack_to && s->n_locations ? m->stack_to + s->first_location
							: NULL;
	/* What begins at one place may end at several. */
	if (known && *known != EP_NONE &&
	    ep_build_stack_depth(m->b, *known) == s->n_locations)
		return *known;
	for (uint32_t i = 0; i < s->n_locations; i++)
		m->stack[i] = map_location(m, stack[i]);
	uint32_t to = ep_build_stack(m->b, m->stack, s->n_locations);
	if (known)
		*known = to;
	return to;
}

static void add_sample(struct ep_merge *m, const struct ep_sample *s,
		       const int64_t *values)
{
	uint32_t stack = map_stack(m, s);
	uint32_t n_labels = map_labels(m, s);
	ep_build_sample_on(m->b, stack, m->labels, n_labels, map_values(m, values));
}

/* Give back what samples of a source take that is not needed again. */
static void release(struct ep_merge *m, uint32_t from, uint32_t to)
{
	const struct ep_profile *p = m->src;
	size_t n = p->n_sample_types;
	if (m->labels_in_order)
		ep_pages_release(p->labels + p->samples[from].first_label,
				 p->labels + p->samples[to].first_label);
	ep_pages_release(p->values + from * n, p->values + to * n);
	ep_pages_release(p->samples + from, p->samples + to);
}

static void add_samples(struct ep_merge *m)
{
	enum { RELEASED_AT_ONCE = 1 << 17, AHEAD = 12 };
	const struct ep_profile *src = m->src;
	/* The first mapping of a profile is its main binary: it stays the first. */
	if (src->n_mappings && !ep_build_profile(m->b)->n_mappings)
		map_mapping(m, 0);
	ep_build_expect(m->b, src->n_samples);
	for (uint32_t i = 0; i < src->n_samples; i++) {
		if (m->owned && i && i % RELEASED_AT_ONCE == 0)
			release(m, i - RELEASED_AT_ONCE, i);
		if (m->stack_to && i + AHEAD < src->n_samples)
			__builtin_prefetch(m->stack_to +
					   src->samples[i + AHEAD].first_location);
		const int64_t *values = ep_profile_values(src, i);
		if (!is_zero(values, src->n_sample_types))
			add_sample(m, &src->samples[i], values);
	}
}

/* n elements of EP_NONE, in the source's scratch arena. */
static bool unknown(struct ep_arena *a, uint32_t n, uint32_t **ret)
{
	size_t n_bytes = (size_t)n * sizeof(**ret);
	*ret = ep_arena_alloc(a, n_bytes);
	if (*ret)
		memset(*ret, 0xff, n_bytes);
	return *ret;
}

static bool make_scratch(struct ep_merge *m, struct ep_arena *a)
{
	enum { SHARED_DEPTH = 8 }; /* table entries a sample, where they are */
	const struct ep_profile *p = m->src;
	uint32_t stack = 0, labels = 0, lines = 0, next_label = 0;
	m->labels_in_order = true;
	for (uint32_t i = 0; i < p->n_samples; i++) {
		const struct ep_sample *s = &p->samples[i];
		m->labels_in_order &= s->first_label == next_label;
		next_label = s->first_label + s->n_labels;
		stack = s->n_locations > stack ? s->n_locations : stack;
		labels = s->n_labels > labels ? s->n_labels : labels;
	}
	for (uint32_t i = 0; i < p->n_locations; i++)
		lines = p->locations[i].n_lines > lines ? p->locations[i].n_lines
							: lines;
	m->stack = ep_arena_alloc(a, stack * sizeof(*m->stack));
	m->labels = ep_arena_alloc(a, ((size_t)labels + 1) * sizeof(*m->labels));
	m->lines = ep_arena_alloc(a, lines * sizeof(*m->lines));
	m->values = ep_arena_alloc(a, p->n_sample_types * sizeof(*m->values));
	m->mapping_shift = ep_arena_array(a, uint64_t, p->n_mappings);
	/* Where stacks are shared, the table is small. */
	m->stack_to = NULL;
	if (p->n_sample_locations / SHARED_DEPTH < p->n_samples &&
	    !unknown(a, p->n_sample_locations, &m->stack_to))
		return false;
	return m->values && m->stack && m->labels && m->lines && m->mapping_shift &&
	       unknown(a, p->n_strings, &m->string_to) &&
	       unknown(a, p->n_functions, &m->function_to) &&
	       unknown(a, p->n_locations, &m->location_to) &&
	       unknown(a, p->n_mappings, &m->mapping_to);
}

static int add_source(struct ep_merge *m, const struct ep_profile *src,
		      enum ep_merge_role role)
{
	ep_auto(ep_arena) scratch = ep_arena_new(0);
	m->src = src;
	m->role = role;
	if (role == EP_MERGE_COMPARE) {
		m->base_key = ep_build_cstr(m->b, EP_MERGE_BASE_KEY);
		m->base_value = ep_build_cstr(m->b, "true");
	}
	if (!scratch || !make_scratch(m, scratch))
		return ep_fail(m->err, -ENOMEM, 0, "no memory for merging");
	add_samples(m);
	return 0;
}

/* --- headers ------------------------------------------------------------------ */

static bool same_type(const struct ep_profile *a, struct ep_value_type s,
		      const struct ep_profile *b, struct ep_value_type t)
{
	return ep_slice_eq(a->strings[s.type], b->strings[t.type]) &&
	       ep_slice_eq(a->strings[s.unit], b->strings[t.unit]);
}

#define TYPE_ARG(p, t)                                                                 \
	EP_SLICE_ARG((p)->strings[(t).type]), EP_SLICE_ARG((p)->strings[(t).unit])

int ep_merge_check(const struct ep_profile *a, const struct ep_profile *b, struct ep_err *err)
{
	if (!same_type(a, a->period_type, b, b->period_type))
		return ep_fail(err, -EINVAL, 0,
			       "incompatible period types &{%.*s %.*s 0 0} and &{%.*s %.*s "
			       "0 0}",
			       TYPE_ARG(a, a->period_type),
			       TYPE_ARG(b, b->period_type));
	if (a->n_sample_types != b->n_sample_types)
		return ep_fail(err, -EINVAL, 0,
			       "incompatible sample types: %" PRIu32 " and %" PRIu32
			       " of them",
			       a->n_sample_types, b->n_sample_types);
	for (uint32_t i = 0; i < a->n_sample_types; i++)
		if (!same_type(a, a->sample_types[i], b, b->sample_types[i]))
			return ep_fail(
				err, -EINVAL, 0,
				"incompatible sample types %.*s/%.*s and %.*s/%.*s",
				TYPE_ARG(a, a->sample_types[i]),
				TYPE_ARG(b, b->sample_types[i]));
	return 0;
}

static ep_str copy_string(struct ep_build *b, const struct ep_profile *src, ep_str s)
{
	return ep_build_string(b, src->strings[s]);
}

static bool has_comment(const struct ep_merge *m, uint64_t h, ep_str c)
{
	const struct ep_profile *p = ep_build_profile(m->b);
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&m->comments, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&m->comments, &it))
		if (p->comments[i] == c)
			return true;
	return false;
}

/* Ledgers are no words but numbers: equal ones add up instead of being one. */
static bool is_ledger(struct ep_merge *m, struct ep_slice comment)
{
	struct ep_ledger l;
	if (!ep_ledger_parse(comment, &l))
		return false;
	m->has_ledger = true;
	ep_ledger_add(&m->ledger, &l);
	return true;
}

static void add_ledger(struct ep_merge *m)
{
	char text[EP_LEDGER_TEXT_MAX];
	if (!m->has_ledger)
		return;
	ep_ledger_format(&m->ledger, text);
	ep_build_comment(m->b, ep_slice_of(text));
}

static void merge_comments(struct ep_merge *m, const struct ep_profile *src)
{
	for (uint32_t i = 0; i < src->n_comments; i++) {
		if (is_ledger(m, src->strings[src->comments[i]]))
			continue;
		ep_str c = copy_string(m->b, src, src->comments[i]);
		uint64_t h = ep_hash_mix(0, c);
		if (has_comment(m, h, c))
			continue;
		uint32_t id = ep_build_profile(m->b)->n_comments;
		ep_build_comment(m->b, src->strings[src->comments[i]]);
		if (id < ep_build_profile(m->b)->n_comments)
			m->short_of_memory |= ep_index_add(&m->comments, h, id) < 0;
	}
}

static void merge_header(struct ep_merge *m, const struct ep_profile *src)
{
	struct ep_profile *p = ep_build_profile(m->b);
	if (!p->time_ns || src->time_ns < p->time_ns)
		p->time_ns = src->time_ns;
	p->duration_ns =
		(int64_t)((uint64_t)p->duration_ns + (uint64_t)src->duration_ns);
	if (!p->period || src->period > p->period)
		p->period = src->period;
	merge_comments(m, src);
	if (!p->default_sample_type)
		p->default_sample_type =
			copy_string(m->b, src, src->default_sample_type);
	if (!p->doc_url)
		p->doc_url = copy_string(m->b, src, src->doc_url);
}

static void start_header(struct ep_build *b, const struct ep_profile *first)
{
	struct ep_profile *p = ep_build_profile(b);
	for (uint32_t i = 0; i < first->n_sample_types; i++)
		ep_build_sample_type_slices(
			b, first->strings[first->sample_types[i].type],
			first->strings[first->sample_types[i].unit]);
	p->period_type.type = copy_string(b, first, first->period_type.type);
	p->period_type.unit = copy_string(b, first, first->period_type.unit);
	p->drop_frames = copy_string(b, first, first->drop_frames);
	p->keep_frames = copy_string(b, first, first->keep_frames);
}

/* --- all ---------------------------------------------------------------------- */

int ep_merge_start(size_t max_bytes, struct ep_merge **ret_m)
{
	struct ep_merge *m = ep_alloc(sizeof(*m));
	if (!m)
		return -ENOMEM;
	*m = (struct ep_merge){.max_bytes = max_bytes};
	if (ep_build_new(max_bytes, &m->b) < 0) {
		ep_free(m);
		return -ENOMEM;
	}
	*ret_m = m;
	return 0;
}

void ep_merge_free(struct ep_merge *m)
{
	if (!m)
		return;
	ep_build_free(m->b);
	ep_index_fini(&m->mappings);
	ep_index_fini(&m->comments);
	ep_free(m);
}

static int add(struct ep_merge *m, const struct ep_profile *src, enum ep_merge_role role,
	       struct ep_err *err)
{
	m->err = err;
	if (!m->has_first)
		start_header(m->b, src);
	m->has_first = true;
	merge_header(m, src);
	return add_source(m, src, role);
}

static int finish(struct ep_merge *m, struct ep_profile **ret_p, struct ep_err *err)
{
	add_ledger(m);
	if (m->short_of_memory)
		return ep_fail(err, -ENOMEM, 0, "no memory for merging");
	return ep_build_finish(m->b, ret_p, err);
}

static bool has_zero_sample(const struct ep_profile *p)
{
	for (uint32_t i = 0; i < p->n_samples; i++)
		if (is_zero(ep_profile_values(p, i), p->n_sample_types))
			return true;
	return false;
}

/* Sums came to zero: again, so that what only they used goes too. */
static int merge_again(struct ep_profile *p, size_t max_bytes, struct ep_profile **ret_p,
		       struct ep_err *err)
{
	ep_auto(ep_merge) m = NULL;
	if (ep_merge_start(max_bytes, &m) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for merging");
	m->owned = true;
	EP_TRY(add(m, p, EP_MERGE_ADD, err));
	return finish(m, ret_p, err);
}

int ep_merge_finish(struct ep_merge *m, struct ep_profile **ret_p, struct ep_err *err)
{
	ep_auto(ep_profile) p = NULL;
	if (!m->has_first)
		return ep_fail(err, -EINVAL, 0, "no profiles to merge");
	EP_TRY(finish(m, &p, err));
	if (has_zero_sample(p))
		return merge_again(p, m->max_bytes, ret_p, err);
	*ret_p = ep_take(&p);
	return 0;
}

int ep_merge_take(struct ep_merge *m, struct ep_profile **p, struct ep_err *err)
{
	if (m->has_first)
		EP_TRY(ep_merge_check(ep_build_profile(m->b), *p, err));
	m->owned = true;
	EP_TRY(add(m, *p, EP_MERGE_ADD, err));
	ep_profile_free(*p);
	*p = NULL;
	return 0;
}

/* With `owned` the profiles are those, and go. */
static int merge(const struct ep_profile *const *profiles, const enum ep_merge_role *roles,
		 size_t n, struct ep_profile **owned, size_t max_bytes,
		 struct ep_profile **ret_p, struct ep_err *err)
{
	for (size_t i = 1; i < n; i++)
		EP_TRY(ep_merge_check(profiles[0], profiles[i], err));
	ep_auto(ep_merge) m = NULL;
	if (ep_merge_start(max_bytes, &m) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for merging");
	m->owned = owned;
	for (size_t i = 0; i < n; i++) {
		EP_TRY(add(m, profiles[i], roles ? roles[i] : EP_MERGE_ADD, err));
		if (owned) {
			ep_profile_free(owned[i]);
			owned[i] = NULL;
		}
	}
	return ep_merge_finish(m, ret_p, err);
}

int ep_merge_as(const struct ep_profile *const *profiles, const enum ep_merge_role *roles,
		size_t n, size_t max_bytes, struct ep_profile **ret_p, struct ep_err *err)
{
	return merge(profiles, roles, n, NULL, max_bytes, ret_p, err);
}

int ep_merge_owned(struct ep_profile **profiles, const enum ep_merge_role *roles, size_t n,
		   size_t max_bytes, struct ep_profile **ret_p, struct ep_err *err)
{
	return merge((const struct ep_profile *const *)profiles, roles, n, profiles,
		     max_bytes, ret_p, err);
}

int ep_merge(const struct ep_profile *const *profiles, size_t n, size_t max_bytes,
	     struct ep_profile **ret_p, struct ep_err *err)
{
	return ep_merge_as(profiles, NULL, n, max_bytes, ret_p, err);
}
