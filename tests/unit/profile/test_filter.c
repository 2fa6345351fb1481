#include "test.h"

#include "profile/build.h"
#include "profile/filter.h"

#include <string.h>

/* Values 1, 2, 4, 8: no label, k=a, k=b, k=7 with j=a. */
static struct ep_profile *sample_profile(void)
{
	ep_auto(ep_build) b = NULL;
	assert_int_equal(ep_build_new(0, &b), 0);
	ep_build_sample_type(b, "n", "count");
	ep_str k = ep_build_cstr(b, "k"), j = ep_build_cstr(b, "j");
	struct ep_label a = {.key = k, .str = ep_build_cstr(b, "a")};
	struct ep_label bb = {.key = k, .str = ep_build_cstr(b, "b")};
	struct ep_label both[] = {{.key = k, .num = 7, .num_unit = j},
				  {.key = j, .str = a.str}};
	ep_build_sample(b, NULL, 0, NULL, 0, (int64_t[]){1});
	ep_build_sample(b, NULL, 0, &a, 1, (int64_t[]){2});
	ep_build_sample(b, NULL, 0, &bb, 1, (int64_t[]){4});
	ep_build_sample(b, NULL, 0, both, 2, (int64_t[]){8});
	struct ep_profile *p = NULL;
	assert_int_equal(ep_build_finish(b, &p, NULL), 0);
	return p;
}

static int64_t sum_of(const struct ep_filter_term *terms, size_t n)
{
	ep_auto(ep_profile) p = sample_profile();
	assert_int_equal(ep_filter_labels(p, terms, n, NULL), 0);
	int64_t sum = 0;
	for (uint32_t i = 0; i < p->n_samples; i++)
		sum += p->values[i];
	return sum;
}

static struct ep_filter_term term(const char *key, struct ep_slice *value, bool negate)
{
	return (struct ep_filter_term){ep_slice_of(key), ep_filter_equals, value,
				       negate};
}

TEST(filter_keeps_what_matches_all_terms)
{
	struct ep_slice a = ep_slice_of("a"), seven = ep_slice_of("7"),
			none = ep_slice_of("");
	struct ep_filter_term k_a = term("k", &a, false), k_not_a = term("k", &a, true);
	struct ep_filter_term k_none = term("k", &none, false),
			      k_any = term("k", &none, true);
	struct ep_filter_term k_7 = term("k", &seven, false),
			      j_a = term("j", &a, false);
	assert_int_equal(sum_of(NULL, 0), 15);
	assert_int_equal(sum_of(&k_a, 1), 2);
	assert_int_equal(sum_of(&k_not_a, 1), 13);
	assert_int_equal(sum_of(&k_none, 1), 1);
	assert_int_equal(sum_of(&k_any, 1), 14);
	assert_int_equal(sum_of(&k_7, 1), 8);
	assert_int_equal(sum_of((struct ep_filter_term[]){k_not_a, j_a}, 2), 8);
	assert_int_equal(sum_of((struct ep_filter_term[]){k_a, j_a}, 2), 0);
}

static int calls;

static bool count_calls(void *ctx, struct ep_slice value)
{
	(void)ctx;
	calls++;
	return value.n > 0;
}

TEST(filter_asks_once_for_each_string)
{
	ep_auto(ep_build) b = NULL;
	assert_int_equal(ep_build_new(0, &b), 0);
	ep_build_sample_type(b, "n", "count");
	struct ep_label l = {.key = ep_build_cstr(b, "k"),
			     .str = ep_build_cstr(b, "v")};
	for (uint64_t i = 0; i < 100; i++) {
		uint32_t stack = ep_build_location(b, i, EP_NONE, NULL, 0);
		ep_build_sample(b, &stack, 1, &l, 1, (int64_t[]){1});
	}
	ep_auto(ep_profile) p = NULL;
	assert_int_equal(ep_build_finish(b, &p, NULL), 0);
	struct ep_filter_term t = {ep_slice_of("k"), count_calls, NULL, false};
	calls = 0;
	assert_int_equal(ep_filter_labels(p, &t, 1, NULL), 0);
	assert_int_equal(p->n_samples, 100);
	assert_int_equal(calls, 1);
}
