/* aggregate.c - see aggregate.h.  Source: google/pprof profile.go (Aggregate). */
#include "profile/aggregate.h"

#include "profile/view.h"

static void aggregate_mappings(struct ep_mapping *m, uint32_t n, struct ep_aggregate keep)
{
	for (uint32_t i = 0; i < n; i++) {
		m[i].has_inline_frames &= keep.inlines;
		m[i].has_functions &= keep.functions;
		m[i].has_filenames &= keep.files;
		m[i].has_line_numbers &= keep.lines;
	}
}

static void aggregate_functions(struct ep_function *f, uint32_t n, struct ep_aggregate keep)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!keep.functions)
			f[i].name = f[i].system_name = 0;
		if (!keep.files)
			f[i].filename = 0;
	}
}

static void aggregate_locations(struct ep_location *l, uint32_t n, struct ep_aggregate keep)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!keep.inlines && l[i].n_lines > 1) {
			l[i].first_line += l[i].n_lines - 1;
			l[i].n_lines = 1;
		}
		if (!keep.addresses)
			l[i].address = 0;
	}
}

static void aggregate_lines(struct ep_line *l, uint32_t n, struct ep_aggregate keep)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!keep.lines)
			l[i].line = 0;
		if (!keep.lines || !keep.columns)
			l[i].column = 0;
	}
}

int ep_aggregate(struct ep_profile *view, struct ep_aggregate keep, struct ep_err *err)
{
	struct ep_mapping *mappings = ep_view_copy(view, mappings);
	struct ep_function *functions = ep_view_copy(view, functions);
	struct ep_location *locations = ep_view_copy(view, locations);
	struct ep_line *lines = ep_view_copy(view, lines);
	if (!mappings || !functions || !locations || !lines)
		return ep_fail(err, -ENOMEM, 0, "no memory for aggregating");
	aggregate_mappings(mappings, view->n_mappings, keep);
	aggregate_functions(functions, view->n_functions, keep);
	aggregate_locations(locations, view->n_locations, keep);
	aggregate_lines(lines, view->n_lines, keep);
	view->mappings = mappings;
	view->functions = functions;
	view->locations = locations;
	view->lines = lines;
	return 0;
}
