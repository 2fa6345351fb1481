/*
 * relabel.h - give locations of a finished profile other lines.
 *
 * New strings, functions and lines are collected beside the profile and put in place
 * at the end.  Unlike profile/names.h it gives several lines a location, replaces what
 * is there, and leaves old functions where they are, as the reference does.
 */
#ifndef EP_SYMBOL_RELABEL_H
#define EP_SYMBOL_RELABEL_H

#include "base/err.h"
#include "base/index.h"
#include "profile/profile.h"

/* All zero but `p` is valid. */
struct ep_relabel {
	struct ep_profile *p;
	struct ep_slice *strings; /* owned; those after the profile's own */
	size_t n_strings, cap_strings;
	struct ep_index string_index;
	struct ep_function *functions; /* owned; likewise */
	size_t n_functions, cap_functions;
	struct ep_index function_index;
	struct ep_line *lines; /* owned; likewise */
	size_t n_lines, cap_lines;
	struct ep_relabel_place {
		uint32_t first_line, n_lines; /* n_lines 0: as it was */
	} *places; /* owned; by location; NULL: none has new lines */
	int failed; /* 0, -ENOMEM or -E2BIG: remembered to the end */
};

void ep_relabel_init(struct ep_relabel *r, struct ep_profile *p);
void ep_relabel_fini(struct ep_relabel *r);

/* A string; copied into the profile's arena when it is new. */
ep_str ep_relabel_string(struct ep_relabel *r, struct ep_slice s);
struct ep_slice ep_relabel_text(const struct ep_relabel *r, ep_str s);
/* One function for equal ones that were asked for here; the profile's own don't count. */
uint32_t ep_relabel_function(struct ep_relabel *r, const struct ep_function *f);
/* The profile's own or a new one; to change its name. */
struct ep_function *ep_relabel_function_at(struct ep_relabel *r, uint32_t function);
size_t ep_relabel_n_functions(const struct ep_relabel *r);

/* All lines of a location at once; n at least 1.  The last call for it counts. */
void ep_relabel_lines(struct ep_relabel *r, uint32_t location, const struct ep_line *lines,
		      size_t n);
/* Has it lines, old or new? */
bool ep_relabel_has_lines(const struct ep_relabel *r, uint32_t location);

/*
 * ep_relabel_finish - put all of it into the profile.
 *
 * errors   -ENOMEM, -E2BIG: the profile's locations are as they were
 */
int ep_relabel_finish(struct ep_relabel *r, struct ep_err *err);

#endif
