#include "test.h"

#include "profile/tagroot.h"
#include "sketch.h"

static void check(const char *before, struct ep_tagroot t, const char *after, bool root,
		  bool leaf)
{
	struct ep_profile *p = sketch(before), *v = sketch_view(p);
	bool found_root, found_leaf;
	assert_int_equal(ep_tagroot_add(v, &t, &found_root, &found_leaf, NULL), 0);
	assert_true(found_root == root && found_leaf == leaf);
	sketch_expect(p, v, after);
}

TEST(tagroot_puts_the_first_key_at_the_root_and_the_last_at_the_leaf)
{
	check("a;b 1 x=1 y=2\n", (struct ep_tagroot){"x,y", "", ""}, "1;2;a;b 1 x=1 y=2\n", true,
	      false);
	check("a;b 1 x=1 y=2\n", (struct ep_tagroot){"", "x,y", ""}, "a;b;1;2 1 x=1 y=2\n", false,
	      true);
	check("a;b 1 x=1\n", (struct ep_tagroot){",x,,", "x", ""}, "1;a;b;1 1 x=1\n", true, true);
}

TEST(tagroot_gives_samples_without_the_key_a_frame_without_name)
{
	check("a 1\na 2 x=1\n- 4 x=2\n", (struct ep_tagroot){"x", "", ""},
	      ";a 1\n1;a 2 x=1\n2 4 x=2\n", true, false);
	check("a 1\n", (struct ep_tagroot){"x", "", ""}, ";a 1\n", false, false);
	check("a 1\n", (struct ep_tagroot){"", "", ""}, "a 1\n", false, false);
}

TEST(tagroot_joins_values_and_scales_those_with_units)
{
	check("a 1 x=p x=q x#2048bytes\n", (struct ep_tagroot){"x", "", "kb"},
	      "p,q,2kB;a 1 x=p x=q x#2048bytes\n", true, false);
	check("a 1 n#1500000\n", (struct ep_tagroot){"n", "", "kb"}, "1500000;a 1 n#1500000\n",
	      true, false);
}

TEST(tagroot_shares_frames_and_stacks)
{
	struct ep_profile *p = sketch("a;b 1 x=1 i=1\na;b 2 x=1 i=2\na;b 4 x=2\n"),
			  *v = sketch_view(p);
	bool root, leaf;
	struct ep_tagroot t = {"x", "", ""};
	assert_int_equal(ep_tagroot_add(v, &t, &root, &leaf, NULL), 0);
	assert_int_equal(v->n_locations, p->n_locations + 2);
	assert_int_equal(v->n_functions, p->n_functions + 2);
	/* Equal stacks that shared a run still do, so long as they got the same frames. */
	bool shared = p->samples[0].first_location == p->samples[1].first_location;
	assert_true(!shared ||
		    v->samples[0].first_location == v->samples[1].first_location);
	sketch_expect(p, v, "1;a;b 1 i=1 x=1\n1;a;b 2 i=2 x=1\n2;a;b 4 x=2\n");
}
