#include "test.h"

#include "pprof/vars.h"

#include <string.h>

static int set(struct ep_vars *v, const char *name, const char *value,
	       struct ep_err *err)
{
	*err = (struct ep_err){0};
	return ep_vars_set(v, ep_slice_of(name), ep_slice_of(value), err);
}

TEST(vars_set_and_get_by_name_in_every_kind)
{
	ep_auto(ep_arena) arena = ep_arena_new(0);
	struct ep_vars v;
	struct ep_err err;
	ep_vars_init(&v, arena);
	assert_int_equal(set(&v, "nodecount", "-12", &err), 0);
	assert_int_equal(set(&v, "nodefraction", "0.25", &err), 0);
	assert_int_equal(set(&v, "focus", "a.*b", &err), 0);
	assert_int_equal(set(&v, "trim", "No", &err), 0);
	assert_int_equal(set(&v, "mean", "", &err), 0);
	assert_int_equal(set(&v, "sort", "cum", &err), 0);
	assert_int_equal(set(&v, "lines", "true", &err), 0);
	struct ep_report_options o = ep_vars_options(&v, EP_REPORT_TREE, "x");
	assert_int_equal(o.nodecount, -12);
	assert_true(o.nodefraction == 0.25 && !o.trim && o.mean && o.cum_sort);
	assert_string_equal(o.focus, "a.*b");
	assert_int_equal(o.granularity, EP_BY_LINE);
	assert_int_equal(o.kind, EP_REPORT_TREE);
}

TEST(vars_default_to_the_references_values)
{
	static const char *const expected[][2] = {
		{"unit", "minimum"},
		{"nodecount", "-1"},
		{"nodefraction", "0.005"},
		{"edgefraction", "0.001"},
		{"trim", "true"},
		{"divide_by", "1"},
		{"sort", "flat"},
		{"granularity", ""},
		{"compact_labels", "false"},
	};
	struct ep_vars v;
	ep_vars_init(&v, NULL);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const struct ep_vars_choice *choice;
		ep_auto_buf text;
		ep_buf_init(&text, 1000);
		ep_vars_get(&v, ep_vars_find(ep_slice_of(expected[i][0]), &choice),
			    &text);
		assert_string_equal(ep_buf_cstr(&text), expected[i][1]);
	}
}

TEST(vars_refuse_what_the_reference_refuses_in_its_words)
{
	static const char *const cases[][3] = {
		{"nodecount", "x", "strconv.Atoi: parsing \"x\": invalid syntax"},
		{"nodecount", "99999999999",
		 "strconv.Atoi: parsing \"99999999999\": value out of range"},
		{"divide_by", "1e999",
		 "strconv.ParseFloat: parsing \"1e999\": value out of range"},
		{"mean", "perhaps", "illegal value \"perhaps\" for bool variable"},
		{"sort", "up", "invalid \"sort\" value \"up\""},
		{"cum", "", "unknown config field \"cum\""},
		{"nosuch", "1", "unknown config field \"nosuch\""},
	};
	ep_auto(ep_arena) arena = ep_arena_new(0);
	struct ep_vars v;
	struct ep_err err;
	ep_vars_init(&v, arena);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(set(&v, cases[i][0], cases[i][1], &err), -EINVAL);
		assert_string_equal(err.text, cases[i][2]);
	}
}

TEST(vars_have_one_url_key_each)
{
	for (const struct ep_vars_field *a = ep_vars_fields(); a->name; a++)
		for (const struct ep_vars_field *b = a + 1; b->name; b++)
			assert_true(
				strcmp(a->name, b->name) != 0 &&
				(!a->url || !b->url || strcmp(a->url, b->url) != 0));
}

TEST(vars_write_floats_as_go_does)
{
	static const struct {
		double v;
		const char *text;
	} cases[] = {{1, "1"},
		     {0.005, "0.005"},
		     {1e-7, "1e-07"},
		     {123456.5, "123456.5"},
		     {1e20, "100000000000000000000"},
		     {1e21, "1e+21"},
		     {-2.5, "-2.5"},
		     {0, "0"},
		     {0.1, "0.1"},
		     {100, "100"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ep_auto_buf text;
		ep_buf_init(&text, 100);
		ep_vars_format_float(cases[i].v, &text);
		assert_string_equal(ep_buf_cstr(&text), cases[i].text);
	}
}
