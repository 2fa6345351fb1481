#include "test.h"

#include "profile/build.h"
#include "profile/compat.h"

#include <errno.h>
#include <string.h>

struct column {
	const char *type, *unit;
};

/* One sample of these values; columns end with no type. */
static struct ep_profile *make(const struct column *c, const int64_t *values,
			       struct column period, const char *default_type)
{
	ep_auto(ep_build) b = NULL;
	assert_int_equal(ep_build_new(0, &b), 0);
	for (size_t i = 0; c[i].type; i++)
		ep_build_sample_type(b, c[i].type, c[i].unit);
	uint32_t l = ep_build_named_frame(b, "f", "");
	ep_build_sample(b, &l, 1, NULL, 0, values);
	struct ep_profile *p = ep_build_profile(b);
	p->period_type.type = ep_build_cstr(b, period.type);
	p->period_type.unit = ep_build_cstr(b, period.unit);
	p->period = 10;
	p->default_sample_type = ep_build_cstr(b, default_type);
	struct ep_profile *out = NULL;
	assert_int_equal(ep_build_finish(b, &out, NULL), 0);
	return out;
}

static void expect(const struct ep_profile *p, ep_str s, const char *text)
{
	assert_true(ep_slice_is(p->strings[s], text));
}

static const struct column ms = {"cpu", "milliseconds"}, us = {"cpu", "us"};

TEST(compat_keeps_the_columns_all_have_in_the_first_ones_order)
{
	const struct column a[] = {{"x", "count"}, {"y", "count"}, {"z", "count"}, {0}};
	const struct column b[] = {{"z", "count"}, {"w", "count"}, {"y", "count"}, {0}};
	ep_auto(ep_profile) p = make(a, (int64_t[]){1, 2, 3}, ms, "x");
	ep_auto(ep_profile) q = make(b, (int64_t[]){4, 5, 6}, ms, "z");
	struct ep_profile *both[] = {p, q};
	const int64_t *found = q->values;
	assert_int_equal(ep_compat_prepare(both, 2, NULL), 0);
	assert_int_equal(p->n_sample_types, 2);
	assert_memory_equal(p->values, ((int64_t[]){2, 3}), 16);
	assert_memory_equal(q->values, ((int64_t[]){6, 4}), 16);
	assert_memory_equal(found, ((int64_t[]){4, 5, 6}), 24); /* not written */
	expect(q, q->sample_types[1].type, "z");
	expect(p, p->default_sample_type, "y"); /* x is gone */
	expect(q, q->default_sample_type, "z");
}

TEST(compat_takes_the_finest_unit_of_each)
{
	const struct column a[] = {{"n", "count"}, {"t", "ms"}, {0}};
	const struct column b[] = {{"n", "count"}, {"t", "microseconds"}, {0}};
	ep_auto(ep_profile) p = make(a, (int64_t[]){1, 2}, ms, "");
	ep_auto(ep_profile) q = make(b, (int64_t[]){1, 7}, us, "");
	struct ep_profile *both[] = {p, q};
	assert_int_equal(ep_compat_prepare(both, 2, NULL), 0);
	assert_int_equal(p->values[1], 2000);
	assert_int_equal(q->values[1], 7);
	expect(p, p->sample_types[1].unit, "microseconds");
	expect(p, p->period_type.unit, "us");
	assert_int_equal(p->period, 10000);
	assert_int_equal(q->period, 10);
}

TEST(compat_says_what_does_not_go_together)
{
	const struct column a[] = {{"t", "ms"}, {0}}, b[] = {{"t", "bytes"}, {0}},
			    c[] = {{"u", "ms"}, {0}}, twice[] = {{"t", ""}, {"t", ""}, {0}};
	const struct column space = {"space", "bytes"};
	const struct {
		const struct column *first, *second;
		struct column period;
		const char *text;
	} cases[] = {
		{a, c, ms, "profiles have empty common sample type list"},
		{a, b, ms, "sample types: incompatible types: {t ms 0 0} {t bytes 0 0}"},
		{a, a, space,
		 "period type: incompatible types: {cpu milliseconds 0 0} {space bytes 0 0}"},
		{twice, NULL, ms, "profiles have empty common sample type list"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct ep_err err = {0};
		const int64_t values[] = {1, 1};
		ep_auto(ep_profile) p = make(cases[i].first, values, ms, "");
		ep_auto(ep_profile) q =
			make(cases[i].second ? cases[i].second : a, values, cases[i].period, "");
		struct ep_profile *both[] = {p, q};
		assert_int_equal(ep_compat_prepare(both, cases[i].second ? 2 : 1, &err),
				 -EINVAL);
		assert_string_equal(err.text, cases[i].text);
	}
}
