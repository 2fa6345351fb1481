/*
 * topproto.c - what `top` shows, as a profile: a sample for each node.
 */
#include "report/callgraph.h"
#include "report/reports.h"

#include "profile/build.h"
#include "profile/encode.h"

static uint32_t location_of(struct ep_build *b, const struct ep_callgraph_frame *f)
{
	struct ep_function function = {.name = ep_build_string(b, f->name),
				       .filename = ep_build_string(b, f->file),
				       .start_line = f->start_line};
	struct ep_line line = {.function = ep_build_function(b, &function),
			       .line = f->line,
			       .column = f->column};
	return ep_build_location(b, f->address, EP_NONE, &line, 1);
}

static void add_node(struct ep_build *b, const struct ep_report *r,
		     const struct ep_callgraph *g, uint32_t node)
{
	const struct ep_callgraph_node *n = &g->nodes[node];
	struct ep_slice unit;
	double cum = ep_units_scale(ep_callgraph_cum(n), r->sample_unit, r->unit, &unit);
	double flat = ep_units_scale(ep_callgraph_flat(n), r->sample_unit, r->unit, &unit);
	int64_t values[] = {ep_units_whole(cum), ep_units_whole(flat)};
	uint32_t location = location_of(b, ep_callgraph_frame_of(g, node));
	ep_build_sample(b, &location, 1, NULL, 0, values);
}

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

int ep_topproto_write(struct ep_report *r, struct ep_objects *objects __attribute__((unused)),
		      struct ep_buf *out, struct ep_err *err)
{
	ep_auto(ep_callgraph) g = NULL;
	EP_TRY(ep_callgraph_trimmed(r, &g, err));
	ep_auto(ep_build) b = NULL;
	if (ep_build_new(0, &b) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for a profile");
	ep_build_sample_type_slices(b, ep_slice_of("cum"), r->unit);
	ep_build_sample_type_slices(b, ep_slice_of("flat"), r->unit);
	for (uint32_t i = 0; i < g->n_shown; i++)
		add_node(b, r, g, g->shown[i]);
	copy_header(b, r->p); /* its strings stand last */
	ep_auto(ep_profile) p = NULL;
	EP_TRY(ep_build_finish(b, &p, err));
	return ep_encode_gzip(p, out, err);
}
