/*
 * profile.h - one profile in memory: the pprof model.
 *
 * Every format becomes a struct ep_profile at the door and stays one.  All of
 * it lives in one arena.  Tables refer to each other by dense index, never by
 * the ids of the file; those are kept beside, where they tell more than the index.
 * Strings are slices into the decoded input, which the arena owns; they are not copied.
 *
 * Plain data: readers walk the arrays; only decode.c and build.c write them, and the
 * transforms make new ones (profile/view.h).
 *
 * Source: google/pprof proto/profile.proto; rules in docs/formats/pprof.md.
 */
#ifndef EP_PROFILE_PROFILE_H
#define EP_PROFILE_PROFILE_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* An index into ep_profile.strings; 0 is the empty string. */
typedef uint32_t ep_str;

#define EP_NONE UINT32_MAX /* no mapping, no function */

struct ep_value_type {
	ep_str type, unit;
};

struct ep_mapping {
	uint64_t start, limit; /* [start, limit) in the process */
	uint64_t file_offset;
	ep_str filename, build_id;
	bool has_functions, has_filenames, has_line_numbers, has_inline_frames;
};

struct ep_function {
	ep_str name, system_name, filename;
	int64_t start_line;
};

struct ep_line {
	uint32_t function; /* index; always valid in a valid profile */
	int64_t line, column;
};

struct ep_location {
	uint64_t address; /* in the process; non-leaf: return address - 1 */
	uint32_t mapping; /* index or EP_NONE */
	uint32_t first_line, n_lines; /* in ep_profile.lines; [0] is the innermost inlined */
	bool is_folded;
};

struct ep_label {
	ep_str key;
	ep_str str;      /* not 0: a string label */
	int64_t num;     /* a numeric label when str is 0 */
	ep_str num_unit;
};

/* Samples of equal stacks or labels may share a run of the table, so a run is never
 * changed in place, and the same run means the same stack. */
struct ep_sample {
	uint32_t first_location, n_locations; /* in sample_locations; leaf first */
	uint32_t first_label, n_labels;       /* in ep_profile.labels */
};

/*
 * The ids a file has for its mappings, functions or locations, where they are not
 * index + 1: for output that shows them.  Elements that are added later count on from
 * the largest.  All zero: index + 1.
 */
struct ep_file_ids {
	const uint64_t *ids;
	uint32_t n;
	uint64_t max;
};

static inline uint64_t ep_profile_id(const struct ep_file_ids *f, uint32_t i)
{
	return i < f->n ? f->ids[i] : f->max + (i - f->n) + 1;
}

struct ep_profile {
	struct ep_arena *arena;

	struct ep_slice *strings; /* [0] is empty */
	uint32_t n_strings;

	struct ep_value_type *sample_types;
	uint32_t n_sample_types;

	struct ep_sample *samples;
	int64_t *values; /* n_samples rows of n_sample_types */
	uint32_t n_samples;

	uint32_t *sample_locations; /* indexes of locations */
	uint32_t n_sample_locations;
	struct ep_label *labels;
	uint32_t n_labels;

	struct ep_mapping *mappings;
	uint32_t n_mappings;
	struct ep_location *locations;
	uint32_t n_locations;
	struct ep_line *lines;
	uint32_t n_lines;
	struct ep_function *functions;
	uint32_t n_functions;

	ep_str *comments;
	uint32_t n_comments;

	struct ep_value_type period_type;
	int64_t period;
	int64_t time_ns;     /* since 1970, UTC; 0: unknown */
	int64_t duration_ns;
	ep_str drop_frames, keep_frames;
	ep_str default_sample_type, doc_url;

	struct ep_file_ids mapping_ids, location_ids, function_ids;
};

/*
 * ep_profile_new - an empty profile with its arena and string 0.
 *
 * in       max_bytes  bound of the arena, 0 for none
 * out      NULL when memory is short
 * owns     the caller frees it with ep_profile_free()
 * threads  one thread at a time per profile; many may read one
 */
struct ep_profile *ep_profile_new(size_t max_bytes);
void ep_profile_free(struct ep_profile *p);
EP_DEFINE_AUTO(ep_profile);

static inline struct ep_slice ep_profile_str(const struct ep_profile *p, ep_str s)
{
	return p->strings[s];
}

static inline const uint32_t *ep_profile_stack(const struct ep_profile *p,
					       const struct ep_sample *s)
{
	return p->sample_locations + s->first_location;
}

/* Have the stack of a sample that comes soon on its way: runs lie in no order. */
static inline void ep_profile_prefetch_stack(const struct ep_profile *p, uint32_t sample)
{
	if (sample >= p->n_samples)
		return;
	const struct ep_sample *s = &p->samples[sample];
	__builtin_prefetch(ep_profile_stack(p, s));
	__builtin_prefetch(ep_profile_stack(p, s) + s->n_locations / 2);
}

static inline const int64_t *ep_profile_values(const struct ep_profile *p, uint32_t sample)
{
	return p->values + (size_t)sample * p->n_sample_types;
}

/* The column reports show: default_sample_type by name, else the last one. */
uint32_t ep_profile_default_column(const struct ep_profile *p);
/* The column whose type is `name`; EP_NONE when there is none. */
uint32_t ep_profile_column(const struct ep_profile *p, const char *name);

#endif
