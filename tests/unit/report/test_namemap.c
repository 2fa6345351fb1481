#include "test.h"

#include "report/namemap.h"

#include <stdio.h>

#define S(s) ep_slice_of(s)

TEST(a_name_put_twice_has_the_later_value)
{
	struct ep_namemap m = {0};
	assert_int_equal(ep_namemap_find(&m, S("a")), EP_INDEX_NONE);
	assert_int_equal(ep_namemap_put(&m, S("a"), S("1")), 0);
	assert_int_equal(ep_namemap_put(&m, S(""), S("2")), 0);
	assert_int_equal(ep_namemap_put(&m, S("a"), S("3")), 0);
	assert_int_equal(m.n, 2);
	assert_true(ep_slice_is(m.values[ep_namemap_find(&m, S("a"))], "3"));
	assert_true(ep_slice_is(m.values[ep_namemap_find(&m, (struct ep_slice){0})], "2"));
	ep_namemap_fini(&m);
}

TEST(many_names_are_all_found)
{
	enum { N = 5000 };
	static char names[N][16];
	struct ep_namemap m = {0};
	for (int i = 0; i < N; i++) {
		snprintf(names[i], sizeof(names[i]), "name%d", i);
		assert_int_equal(ep_namemap_put(&m, S(names[i]), S(names[i])), 0);
	}
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(ep_namemap_find(&m, S(names[i])), i);
	ep_namemap_fini(&m);
}

TEST(a_match_is_remembered_and_so_is_none)
{
	struct ep_namemap known = {0};
	ep_auto(ep_regex) r = NULL;
	assert_int_equal(ep_regex_new(S("b+"), EP_REGEX_SEARCH, &r, NULL), 0);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(ep_namemap_match(&known, r, S("abba"), NULL), 1);
		assert_int_equal(ep_namemap_match(&known, r, S("a"), NULL), 0);
		assert_int_equal(ep_namemap_match(&known, r, S(""), NULL), 0);
	}
	assert_int_equal(known.n, 3);
	ep_namemap_fini(&known);
}
