/* The graph itself, as list and disasm use it, and what its text doesn't show. */
#include "report/callgraph.h"
#include "small.h"
#include "test.h"

#include <stdlib.h>

static struct ep_report *prepare(const struct ep_profile *p, enum ep_report_kind kind)
{
	struct ep_report_options o;
	ep_report_options_init(&o);
	o.kind = kind;
	o.argument = "main";
	o.granularity = EP_BY_LINE;
	struct ep_report *r = NULL;
	assert_int_equal(ep_report_prepare(p, &o, NULL, &r, NULL), 0);
	return r;
}

static uint32_t node_named(struct ep_callgraph *g, const char *name)
{
	for (uint32_t i = 0; i < g->n_shown; i++)
		if (ep_slice_is(ep_callgraph_name(g, g->nodes[g->shown[i]].frame), name))
			return g->shown[i];
	return EP_NONE;
}

TEST(callgraph_has_all_nodes_with_their_places)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add(&s, "src//./a.c:main@3 b.c:work@7", 1);
	small_add(&s, "src/a.c:main@3", 1000000);
	ep_auto(ep_report) r = prepare(small_finish(&s), EP_REPORT_LIST);
	ep_auto(ep_callgraph) g = NULL;
	assert_int_equal(ep_callgraph_new(r, &g, NULL), 0);
	assert_int_equal(g->n_shown, 2); /* the tiny one too, and main once */
	uint32_t v = node_named(g, "main src/a.c:3");
	assert_int_not_equal(v, EP_NONE);
	assert_int_equal(g->nodes[v].flat, 1000000);
	assert_int_equal(g->nodes[v].cum, 1000001);
	const struct ep_callgraph_frame *f = ep_callgraph_frame_of(g, v);
	assert_true(ep_slice_is(f->name, "main"));
	assert_true(ep_slice_is(f->file, "src/a.c"));
	assert_int_equal(f->line, 3);
	small_fini(&s);
}

/* Samples that share a stack's run are summed before they are walked; a profile whose
 * samples share nothing must come to the same. */
TEST(callgraph_sums_shared_and_own_runs_of_stacks_alike)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	for (int i = 0; i < 6; i++)
		small_add_with(&s, "main a b", i % 2 ? "k=x" : "k=y", 10 + i);
	small_add(&s, "main a", 5);
	struct ep_profile *p = small_finish(&s);
	struct ep_sample apart[16];
	uint32_t locations[64], n = 0;
	for (uint32_t i = 0; i < p->n_samples; i++) {
		apart[i] = p->samples[i];
		apart[i].first_location = n;
		for (uint32_t k = 0; k < apart[i].n_locations; k++)
			locations[n++] = ep_profile_stack(p, &p->samples[i])[k];
	}
	char *shared = small_report_of(p, EP_REPORT_DOT, "");
	p->samples = apart;
	p->sample_locations = locations;
	p->n_sample_locations = n;
	char *own = small_report_of(p, EP_REPORT_DOT, "");
	assert_string_equal(shared, own);
	free(shared);
	free(own);
	small_fini(&s);
}

TEST(callgraph_sums_wrap)
{
	struct small s;
	small_start(&s, "n", "count");
	small_add(&s, "main a", INT64_MAX);
	small_add(&s, "main b", INT64_MAX);
	ep_auto(ep_report) r = prepare(small_finish(&s), EP_REPORT_LIST);
	ep_auto(ep_callgraph) g = NULL;
	assert_int_equal(ep_callgraph_new(r, &g, NULL), 0);
	assert_int_equal(g->nodes[node_named(g, "main")].cum, -2);
	small_fini(&s);
}

TEST(callgraph_settles_the_unit_by_the_smallest_weight)
{
	struct small s;
	small_start(&s, "cpu", "nanoseconds");
	small_add(&s, "main a", 3000000000);
	small_add(&s, "main b", 200000000);
	ep_auto(ep_report) r = prepare(small_finish(&s), EP_REPORT_TEXT);
	ep_auto(ep_callgraph) g = NULL;
	assert_int_equal(ep_callgraph_trimmed(r, &g, NULL), 0);
	assert_true(ep_slice_is(r->unit, "ms"));
	small_fini(&s);
}
