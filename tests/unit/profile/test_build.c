#include "test.h"

#include "profile/build.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

TEST(build_interns_equal_things_once)
{
	ep_auto(ep_build) b = NULL;
	assert_int_equal(ep_build_new(0, &b), 0);
	assert_int_equal(ep_build_cstr(b, ""), 0);
	ep_str a = ep_build_cstr(b, "a");
	assert_int_equal(ep_build_string(b, (struct ep_slice){"ab", 1}), a);
	struct ep_mapping m = {.start = 1, .limit = 2, .filename = a};
	assert_int_equal(ep_build_mapping(b, &m), 0);
	assert_int_equal(ep_build_mapping(b, &m), 0);
	m.has_functions = true;
	assert_int_equal(ep_build_mapping(b, &m), 1);
	assert_int_equal(ep_build_named_frame(b, "f", "f.c"), 0);
	assert_int_equal(ep_build_named_frame(b, "g", "f.c"), 1);
	assert_int_equal(ep_build_named_frame(b, "f", "f.c"), 0);
	struct ep_line line = {.function = 0, .line = 3};
	assert_int_equal(ep_build_location(b, 7, 0, &line, 1), 2);
	assert_int_equal(ep_build_location(b, 7, 0, NULL, 0), 3);
	assert_int_equal(ep_build_location(b, 7, 1, NULL, 0), 4);
	assert_int_equal(ep_build_location(b, 7, 0, &line, 1), 2);
	struct ep_location folded = {.address = 7, .mapping = 0, .is_folded = true};
	assert_int_equal(ep_build_location_like(b, &folded, NULL), 5);
}

TEST(build_sums_samples_of_one_stack_and_label_set_in_any_order)
{
	ep_auto(ep_build) b = NULL;
	assert_int_equal(ep_build_new(0, &b), 0);
	ep_build_sample_type(b, "samples", "count");
	ep_build_sample_type(b, "cpu", "nanoseconds");
	uint32_t stack[2] = {ep_build_named_frame(b, "leaf", ""),
			     ep_build_named_frame(b, "main", "")};
	ep_str z = ep_build_cstr(b, "z"), y = ep_build_cstr(b, "y"),
	       v = ep_build_cstr(b, "v");
	struct ep_label one[] = {
		{.key = z, .str = v}, {.key = y, .num = 3}, {.key = y, .str = v}};
	struct ep_label two[] = {one[1], one[2], one[0]};
	struct ep_label other[] = {one[2], one[0], {.key = y, .num = 4}};
	ep_build_sample(b, stack, 2, one, 3, (int64_t[]){1, 10});
	ep_build_sample(b, stack, 2, two, 3, (int64_t[]){2, 20});
	ep_build_sample(b, stack, 2, other, 3, (int64_t[]){4, 40});
	ep_build_sample(b, stack, 1, one, 3, (int64_t[]){8, 80});
	ep_build_sample(b, stack, 2, NULL, 0, (int64_t[]){16, 160});
	ep_build_sample(b, NULL, 0, NULL, 0, (int64_t[]){32, -320});
	ep_build_profile(b)->period = 100;
	ep_auto(ep_profile) p = NULL;
	assert_int_equal(ep_build_finish(b, &p, NULL), 0);
	assert_int_equal(p->period, 100);
	assert_int_equal(p->n_samples, 5);
	assert_int_equal(ep_profile_values(p, 0)[0], 3);
	assert_int_equal(ep_profile_values(p, 0)[1], 30);
	assert_int_equal(ep_profile_values(p, 1)[1], 40);
	assert_int_equal(ep_profile_values(p, 4)[1], -320);
	assert_int_equal(p->samples[0].n_labels, 3);
	const struct ep_label *l = p->labels + p->samples[0].first_label;
	assert_int_equal(l[0].key, y); /* strings by key, then numbers */
	assert_int_equal(l[1].key, z);
	assert_int_equal(l[2].num, 3);
}

TEST(build_is_empty_after_finish_and_can_go_on)
{
	ep_auto(ep_build) b = NULL;
	assert_int_equal(ep_build_new(0, &b), 0);
	ep_build_sample_type(b, "a", "b");
	ep_auto(ep_profile) first = NULL;
	ep_auto(ep_profile) second = NULL;
	assert_int_equal(ep_build_finish(b, &first, NULL), 0);
	assert_int_equal(first->n_strings, 3);
	ep_build_comment(b, ep_slice_of("hello"));
	assert_int_equal(ep_build_finish(b, &second, NULL), 0);
	assert_int_equal(second->n_strings, 2);
	assert_int_equal(second->n_sample_types, 0);
	assert_true(ep_slice_is(ep_profile_str(second, second->comments[0]), "hello"));
}

TEST(build_remembers_that_it_passed_its_bound)
{
	ep_auto(ep_build) b = NULL;
	assert_int_equal(ep_build_new(100000, &b), 0);
	for (int i = 0; i < 5000; i++) {
		char name[20];
		snprintf(name, sizeof(name), "f%d", i);
		uint32_t l = ep_build_named_frame(b, name, "");
		ep_build_sample(b, &l, 1, NULL, 0, NULL);
	}
	struct ep_err err = {0};
	ep_auto(ep_profile) p = NULL;
	assert_int_equal(ep_build_finish(b, &p, &err), -E2BIG);
	assert_string_equal(err.text, "profile is over the limit of 100000 bytes");
	assert_null(p);
}

TEST(build_keeps_equal_samples_and_mappings_apart_when_asked)
{
	ep_auto(ep_build) b = NULL;
	ep_auto(ep_profile) p = NULL;
	const int64_t one = 1;
	const struct ep_mapping m = {.start = 16, .limit = 32};
	assert_int_equal(ep_build_new(0, &b), 0);
	ep_build_sample_type(b, "samples", "count");
	uint32_t l = ep_build_named_frame(b, "f", "");
	ep_build_sample(b, &l, 1, NULL, 0, &one);
	ep_build_sample_apart(b, &l, 1, NULL, 0, &one);
	ep_build_sample(b, &l, 1, NULL, 0, &one);
	assert_int_equal(ep_build_mapping(b, &m), 0);
	assert_int_equal(ep_build_mapping(b, &m), 0);
	assert_int_equal(ep_build_mapping_apart(b, &m), 1);
	assert_int_equal(ep_build_finish(b, &p, NULL), 0);
	assert_int_equal(p->n_samples, 2);
	assert_int_equal(p->values[0], 2);
	assert_int_equal(p->values[1], 1);
	assert_int_equal(p->n_mappings, 2);
}

TEST(build_changes_a_location_in_its_place)
{
	ep_auto(ep_build) b = NULL;
	ep_auto(ep_profile) p = NULL;
	assert_int_equal(ep_build_new(0, &b), 0);
	uint32_t first = ep_build_location(b, 16, EP_NONE, NULL, 0);
	(void)ep_build_location(b, 32, EP_NONE, NULL, 0);
	struct ep_function f = {.name = ep_build_cstr(b, "f")};
	struct ep_line line = {.function = ep_build_function(b, &f), .line = 7};
	struct ep_location now = {.mapping = EP_NONE, .n_lines = 1};
	ep_build_change_location(b, first, &now, &line);
	assert_int_equal(ep_build_finish(b, &p, NULL), 0);
	assert_int_equal(p->n_locations, 2);
	assert_int_equal(p->locations[first].address, 0);
	assert_int_equal(p->lines[p->locations[first].first_line].line, 7);
	assert_int_equal(p->locations[1].address, 32);
}
