/*
 * build.h - making a profile from samples, entity by entity.
 *
 * Interns everything: equal strings, mappings, functions and locations get one
 * index, equal samples (stack and labels) are summed.  Used by all who make
 * profiles rather than read them: the library, the agent, the query export.
 */
#ifndef EP_PROFILE_BUILD_H
#define EP_PROFILE_BUILD_H

#include "base/err.h"
#include "profile/profile.h"

struct ep_build;

/*
 * ep_build_new - start a profile.
 *
 * in       max_bytes  bound of the finished profile's arena; 0 for none
 * errors   -ENOMEM
 * owns     the caller frees with ep_build_free(), also after finish
 * threads  one thread at a time per object; not signal-safe
 */
int ep_build_new(size_t max_bytes, struct ep_build **ret_b);
void ep_build_free(struct ep_build *b);
EP_DEFINE_AUTO(ep_build);

/*
 * The profile under construction, for its scalar fields (period, time_ns, …).
 * Its tables may move with each call below, and the last samples join them at the end.
 */
struct ep_profile *ep_build_profile(struct ep_build *b);

/*
 * The interning calls return the index of the element.  When memory is short,
 * they return 0 (string, mapping...), remember -ENOMEM or -E2BIG, and finish
 * reports it, so that a producer need not check each call.  Strings are copied.
 */
ep_str ep_build_string(struct ep_build *b, struct ep_slice s);
ep_str ep_build_cstr(struct ep_build *b, const char *s);
/* Before the first sample. */
void ep_build_sample_type(struct ep_build *b, const char *type, const char *unit);
void ep_build_sample_type_slices(struct ep_build *b, struct ep_slice type,
				 struct ep_slice unit);
/* Appended, not interned. */
void ep_build_comment(struct ep_build *b, struct ep_slice s);
/* Equal in all fields means the same mapping. */
uint32_t ep_build_mapping(struct ep_build *b, const struct ep_mapping *m);
/* The same, but one of its own even when there is an equal one. */
uint32_t ep_build_mapping_apart(struct ep_build *b, const struct ep_mapping *m);
uint32_t ep_build_function(struct ep_build *b, const struct ep_function *f);
/* A location with its lines; mapping may be EP_NONE; n_lines may be 0. */
uint32_t ep_build_location(struct ep_build *b, uint64_t address, uint32_t mapping,
			   const struct ep_line *lines, uint32_t n_lines);
/* The same with is_folded; first_line of *l is not read. */
uint32_t ep_build_location_like(struct ep_build *b, const struct ep_location *l,
				const struct ep_line *lines);
/*
 * What became known later of a location: all its fields and lines are replaced, the
 * index stays.  For when all locations are made: interning knows it by its old fields.
 */
void ep_build_change_location(struct ep_build *b, uint32_t location,
			      const struct ep_location *l, const struct ep_line *lines);
/* A nameable frame without an address: one function, one line. */
uint32_t ep_build_named_frame(struct ep_build *b, const char *name,
			      const char *filename);
/*
 * Add values (one per sample type) to the sample of this stack and label set.
 * locations: leaf first.  labels: any order; equal sets in another order are
 * the same set, but several values of one key keep their order.
 */
void ep_build_sample(struct ep_build *b, const uint32_t *locations,
		     uint32_t n_locations, const struct ep_label *labels,
		     uint32_t n_labels, const int64_t *values);

/*
 * The same in two steps, for those who meet a stack many times: the number of a stack
 * (EP_NONE when memory is short, which the second step takes), and a sample on it.
 */
uint32_t ep_build_stack(struct ep_build *b, const uint32_t *locations, uint32_t n);
uint32_t ep_build_stack_depth(const struct ep_build *b, uint32_t stack);
void ep_build_sample_on(struct ep_build *b, uint32_t stack, const struct ep_label *labels,
			uint32_t n_labels, const int64_t *values);
/* So many samples more may come. */
void ep_build_expect(struct ep_build *b, size_t n_samples);

/* The same, but a sample of its own even when there is an equal one. */
void ep_build_sample_apart(struct ep_build *b, const uint32_t *locations,
			   uint32_t n_locations, const struct ep_label *labels,
			   uint32_t n_labels, const int64_t *values);

/*
 * ep_build_finish - hand out the profile; the builder is empty afterwards.
 *
 * errors   -ENOMEM, -E2BIG  what an earlier call remembered
 * owns     the caller frees *ret_p with ep_profile_free()
 */
int ep_build_finish(struct ep_build *b, struct ep_profile **ret_p, struct ep_err *err);

#endif
