/*
 * topproto.c - what `top` shows, as a profile: a sample for each node.
 */
#include "report/callgraph.h"
#include "report/reports.h"

#include "profile/build.h"
#include "profile/encode.h"

static void copy_header(struct ep_build *b, const struct ep_profile *p)
{
	struct ep_slice type = ep_profile_str(p, p->period_type.type);
	struct ep_slice unit = ep_profile_str(p, p->period_type.unit);
	struct ep_value_type period = {ep_build_string(b, type), ep_build_string(b, unit)};
	struct ep_profile *to = ep_build_profile(b);
	to->time_ns = p->time_ns;
	to->duration_ns = p->duration_ns;
	to->period = p->period;
	to->period_type = period;
}

/* Strings and functions, each once; *functions: of each node that is shown. */
static int make_names(const struct ep_report *r, const struct ep_callgraph *g,
		      uint32_t *functions, struct ep_profile **ret_p, struct ep_err *err)
{
	ep_auto(ep_build) b = NULL;
	if (ep_build_new(0, &b) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for a profile");
	ep_build_sample_type_slices(b, ep_slice_of("cum"), r->unit);
	ep_build_sample_type_slices(b, ep_slice_of("flat"), r->unit);
	for (uint32_t i = 0; i < g->n_shown; i++) {
		const struct ep_callgraph_frame *f = ep_callgraph_frame_of(g, g->shown[i]);
		struct ep_function fn = {.name = ep_build_string(b, f->name),
					 .filename = ep_build_string(b, f->file),
					 .start_line = f->start_line};
		functions[i] = ep_build_function(b, &fn);
	}
	copy_header(b, r->p); /* its strings stand last */
	return ep_build_finish(b, ret_p, err);
}

static int64_t scaled(const struct ep_report *r, int64_t value)
{
	struct ep_slice unit;
	return ep_units_whole(ep_units_scale(value, r->sample_unit, r->unit, &unit));
}

/* A location and a sample for each node, also where nodes look the same in a profile. */
static int add_nodes(const struct ep_report *r, const struct ep_callgraph *g,
		     const uint32_t *functions, struct ep_profile *p)
{
	uint32_t n = g->n_shown;
	p->locations = ep_arena_array(p->arena, struct ep_location, (size_t)n + 1);
	p->lines = ep_arena_array(p->arena, struct ep_line, (size_t)n + 1);
	p->samples = ep_arena_array(p->arena, struct ep_sample, (size_t)n + 1);
	p->sample_locations = ep_arena_array(p->arena, uint32_t, (size_t)n + 1);
	p->values = ep_arena_array(p->arena, int64_t, 2 * (size_t)n + 1);
	if (!p->locations || !p->lines || !p->samples || !p->sample_locations || !p->values)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		const struct ep_callgraph_node *node = &g->nodes[g->shown[i]];
		const struct ep_callgraph_frame *f = &g->frames[node->frame];
		p->lines[i] = (struct ep_line){functions[i], f->line, f->column};
		p->locations[i] = (struct ep_location){.address = f->address,
						       .mapping = EP_NONE,
						       .first_line = i,
						       .n_lines = 1};
		p->samples[i] = (struct ep_sample){.first_location = i, .n_locations = 1};
		p->sample_locations[i] = i;
		p->values[2 * i] = scaled(r, ep_callgraph_cum(node));
		p->values[2 * i + 1] = scaled(r, ep_callgraph_flat(node));
	}
	p->n_locations = p->n_lines = p->n_samples = p->n_sample_locations = n;
	return 0;
}

int ep_topproto_write(struct ep_report *r, struct ep_objects *objects __attribute__((unused)),
		      struct ep_buf *out, struct ep_err *err)
{
	ep_auto(ep_callgraph) g = NULL;
	EP_TRY(ep_callgraph_trimmed(r, &g, err));
	ep_auto(ep_profile) p = NULL;
	uint32_t *functions = ep_arena_array(g->arena, uint32_t, (size_t)g->n_shown + 1);
	if (!functions)
		return ep_fail(err, -ENOMEM, 0, "no memory for a profile");
	EP_TRY(make_names(r, g, functions, &p, err));
	if (add_nodes(r, g, functions, p) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for a profile");
	return ep_encode_gzip(p, out, err);
}
