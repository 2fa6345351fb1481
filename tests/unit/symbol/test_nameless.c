#include "test.h"

#include "symbol/nameless.h"

#include <string.h>

TEST(nameless_is_the_file_and_the_place_in_it)
{
	static const struct {
		const char *path;
		uint64_t at;
		const char *want;
	} cases[] = {{"/usr/bin/python3.11", 0x13f6c0, "python3.11+0x13f6c0"},
		     {"[vdso]", 0x7, "[vdso]+0x7"},
		     {"", 0, "[unknown]+0x0"},
		     {"x", UINT64_MAX, "x+0xffffffffffffffff"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[EP_NAMELESS_MAX];
		struct ep_slice path = ep_slice_of(cases[i].path);
		struct ep_slice got = ep_nameless_format(path, cases[i].at, text);
		assert_true(ep_slice_is(got, cases[i].want));
		assert_true(ep_nameless_is(got, path));
		assert_false(ep_nameless_is(got, ep_slice_of("/usr/bin/other")));
	}
}

TEST(nameless_is_no_name_that_only_looks_alike)
{
	static const char *const names[] = {"",	       "x",	 "x+",	    "x+0x",
					    "x+0x12g", "x+0xAB", "y+0x12", "x+0x12 ",
					    "x+0x12345678901234567"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_false(ep_nameless_is(ep_slice_of(names[i]), ep_slice_of("/x")));
}

TEST(nameless_cuts_an_endless_path)
{
	char path[2000], text[EP_NAMELESS_MAX];
	memset(path, 'p', sizeof(path));
	struct ep_slice s = {path, sizeof(path)};
	struct ep_slice got = ep_nameless_format(s, 0x12, text);
	assert_true(got.n > 100 && got.n < EP_NAMELESS_MAX);
	assert_true(ep_nameless_is(got, s));
}
