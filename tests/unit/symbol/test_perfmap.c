#include "test.h"

#include "symbol/perfmap.h"

#include <string.h>

static struct ep_perfmap *parse(const char *text)
{
	struct ep_perfmap *m = NULL;
	struct ep_err err = {0};
	if (ep_perfmap_parse(ep_slice_of(text), &m, &err) < 0)
		fail_msg("%s", err.text);
	return m;
}

static void check(const struct ep_perfmap *m, uint64_t at, const char *want)
{
	struct ep_slice name;
	int rc = ep_perfmap_find(m, at, &name);
	if (want ? rc != 0 || !ep_slice_is(name, want) : rc != -ENOENT)
		fail_msg("%#llx is %.*s", (unsigned long long)at, rc ? 4 : (int)name.n,
			 rc ? "none" : name.p);
}

TEST(perfmap_names_with_blanks_are_whole)
{
	ep_auto(ep_perfmap) m =
		parse("7f00 10 LazyCompile:*run /a b.js:1\n0x7f20 0x8 py::f\r\n");
	check(m, 0x7eff, NULL);
	check(m, 0x7f00, "LazyCompile:*run /a b.js:1");
	check(m, 0x7f0f, "LazyCompile:*run /a b.js:1");
	check(m, 0x7f10, NULL);
	check(m, 0x7f27, "py::f");
	check(m, 0x7f28, NULL);
}

TEST(perfmap_later_lines_win_where_code_was_replaced)
{
	ep_auto(ep_perfmap) m = parse("1000 100 old\n1040 20 new\n1000 8 newest\n");
	check(m, 0x1000, "newest");
	check(m, 0x1008, NULL); /* what was old begins inside of something newer */
	check(m, 0x1040, "new");
	check(m, 0x105f, "new");
	ep_auto(ep_perfmap) n = parse("1000 10 first\n1000 10 second\n");
	check(n, 0x1008, "second");
	assert_int_equal(ep_perfmap_count(n), 1);
}

TEST(perfmap_passes_over_lines_that_make_no_sense)
{
	ep_auto(ep_perfmap) m =
		parse("\n \nxyz\n10\n10 \n10 20\n10 20 \n"
		      "ffffffffffffffff 2 wraps\n11111111111111111 1 wide\n"
		      "10 0 empty\n2000 10 good\n3000 10 cut off he");
	assert_int_equal(ep_perfmap_count(m), 1);
	check(m, 0x2005, "good");
}

TEST(perfmap_of_nothing_is_not_there)
{
	struct ep_perfmap *m = NULL;
	assert_int_equal(ep_perfmap_parse(ep_slice_of(""), &m, NULL), -ENOENT);
	assert_int_equal(ep_perfmap_parse(ep_slice_of("hello\n"), &m, NULL), -ENOENT);
	assert_null(m);
}
