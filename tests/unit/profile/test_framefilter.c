#include "test.h"

#include "profile/framefilter.h"
#include "sketch.h"

static struct ep_regex *regex(const char *text)
{
	struct ep_regex *r = NULL;
	if (text)
		assert_int_equal(ep_regex_new(ep_slice_of(text), EP_REGEX_SEARCH, &r, NULL),
				 0);
	return r;
}

struct by {
	const char *focus, *ignore, *hide, *show;
};

static struct ep_framefilter_found check(const char *before, struct by by, const char *after)
{
	struct ep_profile *p = sketch(before), *v = sketch_view(p);
	ep_auto(ep_regex) focus = regex(by.focus);
	ep_auto(ep_regex) ignore = regex(by.ignore);
	ep_auto(ep_regex) hide = regex(by.hide);
	ep_auto(ep_regex) show = regex(by.show);
	struct ep_framefilter f = {focus, ignore, hide, show};
	struct ep_framefilter_found found;
	assert_int_equal(ep_framefilter_apply(v, &f, &found, NULL), 0);
	sketch_expect(p, v, after);
	return found;
}

#define STACKS "main;work;leaf 1\nmain;idle 2\nmain;work;other 4\n"

TEST(framefilter_focus_keeps_and_ignore_drops_samples)
{
	check(STACKS, (struct by){0}, STACKS);
	check(STACKS, (struct by){.focus = "^work$"}, "main;work;leaf 1\nmain;work;other 4\n");
	check(STACKS, (struct by){.focus = "work", .ignore = "leaf"}, "main;work;other 4\n");
	check(STACKS, (struct by){.ignore = "leaf"}, "main;idle 2\nmain;work;other 4\n");
	/* By the file of a function, too. */
	check(STACKS, (struct by){.focus = "idle[.]zz"}, "main;idle 2\n");
}

TEST(framefilter_say_what_matched)
{
	struct ep_framefilter_found f = check(STACKS, (struct by){.focus = "nothing"}, "");
	assert_true(!f.focus && !f.ignore && !f.hide && !f.show);
	f = check(STACKS, (struct by){.ignore = "main", .hide = "x", .show = "leaf"}, "");
	assert_true(f.ignore && !f.hide && f.show);
}

TEST(framefilter_hide_and_show_change_stacks)
{
	check(STACKS, (struct by){.hide = "work"}, "main;leaf 1\nmain;idle 2\nmain;other 4\n");
	check(STACKS, (struct by){.show = "main|leaf"}, "main;leaf 1\nmain 2\nmain 4\n");
	/* A sample that loses all its frames goes. */
	check(STACKS, (struct by){.hide = "main|idle"}, "work;leaf 1\nwork;other 4\n");
	/* Samples that share a stack, and one frame twice in it. */
	check("a;b;a;c 1 k=1\na;b;a;c 2 k=2\nc 4\n", (struct by){.hide = "a"},
	      "b;c 1 k=1\nb;c 2 k=2\nc 4\n");
}

TEST(framefilter_hide_lines_of_inlined_functions)
{
	check("main;a+b+c 1\n", (struct by){.hide = "b"}, "main;a+c 1\n");
	check("main;a+b+c 1\n", (struct by){.show = "b"}, "b 1\n");
	check("main;a+b 1\n", (struct by){.hide = "^a$|b"}, "main 1\n");
}

TEST(framefilter_match_the_mapping_of_a_location)
{
	check("main;a@lib 1\nmain;? 2\n", (struct by){.focus = "lib"}, "main;a@lib 1\n");
	check("main;a@lib 1\n", (struct by){.hide = "lib"}, "main 1\n");
	check("main;a+b@lib 1\n", (struct by){.show = "lib"}, "a+b@lib 1\n");
	/* What has no lines has none to show. */
	check("main;?@lib 1\n", (struct by){.show = "lib|main"}, "main 1\n");
	check("main;?@lib 1\n", (struct by){.hide = "nothing"}, "main;?@lib 1\n");
}

TEST(framefilter_without_locations_go_when_anything_is_asked)
{
	check("- 1\na 2\n", (struct by){0}, "- 1\na 2\n");
	check("- 1\na 2\n", (struct by){.hide = "x"}, "a 2\n");
	check("- 1\na 2\n", (struct by){.ignore = "x"}, "a 2\n");
}

static bool show_from(const char *before, const char *by, const char *after)
{
	struct ep_profile *p = sketch(before), *v = sketch_view(p);
	ep_auto(ep_regex) r = regex(by);
	bool found;
	assert_int_equal(ep_framefilter_show_from(v, r, &found, NULL), 0);
	sketch_expect(p, v, after);
	return found;
}

TEST(framefilter_show_from_cuts_above_the_highest_match)
{
	assert_true(show_from("a;b;c;b 1\nd 2\n", "b", "b;c;b 1\n"));
	assert_true(show_from("a;b+c+d;e 1\n", "c", "c+d;e 1\n"));
	assert_true(show_from("a;b+c@lib;e 1\n", "lib", "b+c@lib;e 1\n"));
	assert_false(show_from("a;b 1\n", "x", ""));
}
