#include "test.h"

#include "pprof/compare.h"
#include "profile/build.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct stack {
	const char *leaf;
	int64_t samples;
};

/* A CPU profile of 10 ms a sample; every stack is main and a leaf. */
static struct ep_profile *cpu(const struct stack *stacks, size_t n, double seconds)
{
	ep_auto(ep_build) b = NULL;
	struct ep_profile *p;
	assert_int_equal(ep_build_new(0, &b), 0);
	ep_build_sample_type(b, "samples", "count");
	ep_build_sample_type(b, "cpu", "nanoseconds");
	uint32_t root = ep_build_named_frame(b, "main", "a.c");
	for (size_t i = 0; i < n; i++) {
		uint32_t stack[] = {ep_build_named_frame(b, stacks[i].leaf, "a.c"),
				    root};
		int64_t values[] = {stacks[i].samples, stacks[i].samples * 10000000};
		ep_build_sample(b, stack, 2, NULL, 0, values);
	}
	ep_build_profile(b)->duration_ns = (int64_t)(seconds * 1e9);
	assert_int_equal(ep_build_finish(b, &p, NULL), 0);
	return p;
}

static const struct ep_change *find(const struct ep_change *list, size_t n,
				    const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (ep_slice_is(list[i].name, name))
			return &list[i];
	fail_msg("no %s", name);
	return NULL;
}

static const struct ep_compare_options automatic = {.names = {"a", "b"},
						    .sample_index = "",
						    .group_by = "",
						    .scale = EP_COMPARE_AUTO,
						    .limit = 10};

static struct ep_compare *compare(struct ep_profile *a, struct ep_profile *b)
{
	struct ep_compare *c;
	struct ep_err err = {0};
	if (ep_compare_profiles(a, b, &automatic, &c, &err) < 0)
		fail_msg("%s", err.text);
	return c;
}

TEST(compare_calls_one_sample_against_none_no_change)
{
	const struct stack one[] = {{"work", 1000}},
			   two[] = {{"work", 1000}, {"rare", 1}};
	ep_auto(ep_profile) a = cpu(one, 1, 10);
	ep_auto(ep_profile) b = cpu(two, 2, 10);
	ep_auto(ep_compare) c = compare(a, b);
	const struct ep_change *rare = find(c->self, c->n, "rare");
	assert_true(rare->is_new && !rare->is_sure);
	assert_true(rare->change == 1e7 && rare->error > 1e7);
}

TEST(compare_finds_what_grew_and_gives_the_poisson_error)
{
	const struct stack before[] = {{"work", 400}, {"idle", 600}};
	const struct stack after[] = {{"work", 600}, {"idle", 600}};
	ep_auto(ep_profile) a = cpu(before, 2, 10);
	ep_auto(ep_profile) b = cpu(after, 2, 10);
	ep_auto(ep_compare) c = compare(a, b);
	const struct ep_change *work = find(c->self, c->n, "work");
	assert_int_equal(c->scale, EP_COMPARE_PLAIN);
	assert_true(work->is_sure && work->change == 200e7);
	/* 1.96 sqrt(400 + 600) samples of 10 ms */
	assert_true(fabs(work->error - 1.959964 * sqrt(1000) * 1e7) < 1e3);
	assert_false(find(c->self, c->n, "idle")->is_sure);
	assert_true(find(c->cum, c->n, "main")->change == 200e7);
}

TEST(compare_brings_different_durations_to_one)
{
	const struct stack before[] = {{"work", 500}}, after[] = {{"work", 1000}};
	ep_auto(ep_profile) a = cpu(before, 1, 10);
	ep_auto(ep_profile) b = cpu(after, 1, 20);
	ep_auto(ep_compare) c = compare(a, b);
	assert_int_equal(c->scale, EP_COMPARE_DURATION);
	assert_true(c->factor == 0.5 && c->total.change == 0 && !c->total.is_sure);
}

TEST(compare_without_durations_compares_shares)
{
	const struct stack before[] = {{"work", 500}, {"idle", 500}};
	const struct stack after[] = {{"work", 1000}, {"idle", 1000}};
	ep_auto(ep_profile) a = cpu(before, 2, 0);
	ep_auto(ep_profile) b = cpu(after, 2, 0);
	ep_auto(ep_compare) c = compare(a, b);
	assert_int_equal(c->scale, EP_COMPARE_TOTAL);
	assert_true(find(c->self, c->n, "work")->change == 0);
}

static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* Poisson, nearly: a sum of rare events. */
static int64_t draw(uint64_t *x, int mean)
{
	int64_t n = 0;
	for (int k = 0; k < 100 * mean; k++)
		n += next_random(x) % 100 == 0;
	return n;
}

static bool finds_any(uint64_t *x)
{
	struct stack stacks[2][30];
	char names[30][8];
	bool any = false;
	for (int i = 0; i < 30; i++) {
		snprintf(names[i], sizeof(names[i]), "f%d", i);
		for (int side = 0; side < 2; side++)
			stacks[side][i] = (struct stack){names[i], draw(x, i + 1)};
	}
	ep_auto(ep_profile) a = cpu(stacks[0], 30, 10);
	ep_auto(ep_profile) b = cpu(stacks[1], 30, 10);
	ep_auto(ep_compare) c = compare(a, b);
	for (size_t i = 0; i < c->n; i++)
		any |= c->self[i].is_sure;
	return any;
}

/* Two runs of the same program, by the law: about one list in twenty names anything.
 * The generator is seeded, so this is the same on every run. */
TEST(compare_seldom_finds_a_change_where_there_is_none)
{
	uint64_t x = 88172645463325252ull;
	int lists = 0;
	for (int run = 0; run < 100; run++)
		lists += finds_any(&x);
	assert_true(lists <= 8);
}

TEST(compare_refuses_a_difference_and_types_that_are_not_there)
{
	const struct stack one[] = {{"work", 10}}, minus[] = {{"work", -10}};
	ep_auto(ep_profile) a = cpu(one, 1, 10);
	ep_auto(ep_profile) b = cpu(minus, 1, 10);
	struct ep_compare *c;
	struct ep_err err = {0};
	assert_int_equal(ep_compare_profiles(a, b, &automatic, &c, &err), -EINVAL);
	assert_non_null(strstr(err.text, "a difference can't be compared again"));
}
