#include "test.h"

#include "profile/prune.h"
#include "profile/view.h"
#include "sketch.h"

#include <errno.h>

static void uninteresting(const char *before, const char *drop, const char *keep,
			  const char *after)
{
	struct ep_profile *p = sketch(before), *v = sketch_view(p);
	v->drop_frames = ep_view_string(v, ep_slice_of(drop));
	v->keep_frames = ep_view_string(v, ep_slice_of(keep));
	assert_int_equal(ep_prune_uninteresting(v, NULL), 0);
	sketch_expect(p, v, after);
}

TEST(prune_cuts_at_the_first_match_from_the_root)
{
	uninteresting("a;b;c;b;d 1\n", "b", "", "a 1\n");
	uninteresting("a;malloc;x 1\na;x 2\n", "malloc", "", "a 1\na;x 2\n");
	/* Whole names, and not those that are to stay. */
	uninteresting("a;mallocate 1\n", "malloc", "", "a;mallocate 1\n");
	uninteresting("a;m1;m2 1\n", "m.", "m1", "a;m1 1\n");
	uninteresting("a;m1 1\n", "", "m1", "a;m1 1\n");
}

TEST(prune_passes_over_matches_before_the_first_other_frame)
{
	uninteresting("b;a;b;c 1\n", "b", "", "b;a 1\n");
	uninteresting("b;b 1\n", "b", "", "b;b 1\n");
}

TEST(prune_keeps_the_callers_of_an_inlined_match)
{
	uninteresting("a;b+m+c;d 1\n", "m", "", "a;b 1\n");
	uninteresting("a;m+c;d 1\n", "m", "", "a 1\n");
}

TEST(prune_from_cuts_below_the_lowest_match)
{
	const char *cases[][3] = {
		{"a;b;c;b;d 1\n", "b", "a;b;c;b 1\n"},
		{"a;b;c 1\n", "a", "a 1\n"},
		{"a;b;c 1\n", "x", "a;b;c 1\n"},
		{"a;b+c+d;e 1\n", "c", "a;b+c 1\n"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct ep_profile *p = sketch(cases[i][0]), *v = sketch_view(p);
		ep_auto(ep_regex) r = NULL;
		assert_int_equal(
			ep_regex_new(ep_slice_of(cases[i][1]), EP_REGEX_SEARCH, &r, NULL), 0);
		assert_int_equal(ep_prune_from(v, r, NULL), 0);
		sketch_expect(p, v, cases[i][2]);
	}
}

TEST(prune_refuses_what_is_no_regular_expression)
{
	struct ep_profile *p = sketch("a 1\n"), *v = sketch_view(p);
	v->drop_frames = ep_view_string(v, ep_slice_of("("));
	struct ep_err err = {0};
	assert_int_equal(ep_prune_uninteresting(v, &err), -EINVAL);
	sketch_expect(p, v, "a 1\n");
}

static void simple(const char *name, const char *want)
{
	struct ep_slice s = ep_prune_simple_name(ep_slice_of(name));
	if (!ep_slice_is(s, want))
		fail_msg("%s became %.*s", name, EP_SLICE_ARG(s));
}

TEST(prune_matches_names_without_arguments)
{
	simple("malloc(unsigned long)", "malloc");
	simple(".malloc", "malloc");
	simple("(anonymous namespace)::f(int)", "(anonymous namespace)::f");
	simple("T::operator()(int) const", "T::operator()");
	simple("operator new(unsigned long)", "operator new");
	simple("(*T).run", "");
	simple("", "");
}
