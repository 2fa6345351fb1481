#include "test.h"

#include "profile/aggregate.h"
#include "sketch.h"

TEST(aggregate_forgets_what_is_not_kept)
{
	struct ep_profile *p = sketch("main;a+b@lib 1\n"), *v = sketch_view(p);
	struct ep_mapping *m = (struct ep_mapping *)p->mappings;
	m[0].has_functions = m[0].has_inline_frames = m[0].has_filenames = true;
	struct ep_aggregate keep = {.inlines = true, .functions = true, .lines = true};
	assert_int_equal(ep_aggregate(v, keep, NULL), 0);
	assert_true(v->mappings[0].has_functions && v->mappings[0].has_inline_frames);
	assert_false(v->mappings[0].has_filenames);
	assert_true(p->mappings[0].has_filenames);
	for (uint32_t i = 0; i < v->n_functions; i++)
		assert_true(v->functions[i].name && !v->functions[i].filename &&
			    v->functions[i].start_line == 1);
	for (uint32_t i = 0; i < v->n_lines; i++)
		assert_true(v->lines[i].line == 7 && !v->lines[i].column);
	for (uint32_t i = 0; i < v->n_locations; i++)
		assert_true(!v->locations[i].address && p->locations[i].address);
	sketch_expect(p, v, "main;a+b@lib 1\n");
}

TEST(aggregate_without_inlines_keeps_the_outermost_line)
{
	struct ep_profile *p = sketch("main;a+b+c 1\n"), *v = sketch_view(p);
	struct ep_aggregate keep = {.functions = true, .columns = true, .addresses = true};
	assert_int_equal(ep_aggregate(v, keep, NULL), 0);
	for (uint32_t i = 0; i < v->n_lines; i++)
		assert_true(!v->lines[i].line && !v->lines[i].column);
	assert_true(v->locations[0].address);
	sketch_expect(p, v, "main;a 1\n");
}
