#include "test.h"

#include "report/gotime.h"
#include "report/text.h"

#include <stdlib.h>
#include <time.h>

static const char *clean(const char *path)
{
	static char text[100];
	ep_auto_buf out;
	ep_buf_init(&out, 1000);
	ep_text_add_clean_path(&out, ep_slice_of(path));
	strcpy(text, ep_buf_cstr(&out));
	return text;
}

TEST(text_cleans_paths)
{
	const char *cases[][2] = {
		{"a/b", "a/b"},	    {"a//b/./c", "a/b/c"}, {"a/../b", "b"}, {"a/b/..", "a"},
		{"../a", "../a"},   {"a/../../b", "../b"}, {"/..", "/"},    {"/a/../..", "/"},
		{"", "."},	    {".", "."},		   {"a/..", "."},   {"/", "/"},
		{"../../a", "../../a"}, {"..a/b", "..a/b"}, {"//a/", "/a"}, {"../a/../..", "../.."},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(clean(cases[i][0]), cases[i][1]);
}

TEST(text_takes_base_names)
{
	const char *cases[][2] = {{"/a/b", "b"}, {"b", "b"}, {"/a/b//", "b"},
				  {"//", "/"},	 {"", "."},  {"/a", "a"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_true(ep_slice_is(ep_text_base_name(ep_slice_of(cases[i][0])),
					cases[i][1]));
}

TEST(text_counts_characters_as_go_does)
{
	const struct {
		const char *text;
		size_t n;
	} cases[] = {{"", 0},	      {"abc", 3},	   {"\xc3\xa9", 1},
		     {"\xff\xfe", 2}, {"\xe2\x80", 2},	   {"\xe2\x80\xa6", 1},
		     {"\xc0\x80", 2}, {"\xed\xa0\x80", 3}, {"\xf0\x9f\x94\xa5", 1},
		     {"\xf0\x80\x80\x80", 4}, {"\xf4\x90\x80\x80", 4}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(ep_text_length(ep_slice_of(cases[i].text)), cases[i].n);
}

static void place(struct ep_text_place p, const char *want)
{
	ep_auto_buf out;
	ep_buf_init(&out, 1000);
	ep_text_add_place(&out, &p);
	assert_string_equal(ep_buf_cstr(&out), want);
}

TEST(text_names_places_by_what_is_known)
{
	struct ep_slice f = ep_slice_of("f"), c = ep_slice_of("a.c"), o = ep_slice_of("/lib/x");
	place((struct ep_text_place){.function = f}, "f");
	place((struct ep_text_place){.function = f, .object = o}, "f");
	place((struct ep_text_place){.address = 0x1f, .function = f, .file = c, .line = 7,
				     .column = 2},
	      "000000000000001f f a.c:7:2");
	place((struct ep_text_place){.function = f, .file = c, .column = 2}, "f a.c");
	place((struct ep_text_place){.line = 7}, ":7");
	place((struct ep_text_place){.object = o}, "[x]");
	place((struct ep_text_place){.address = 1, .object = o}, "0000000000000001 [x]");
	place((struct ep_text_place){0}, "<unknown>");
}

TEST(gotime_durations_are_as_short_as_they_can_be)
{
	const struct {
		int64_t ns;
		const char *text;
	} cases[] = {{0, "0s"},
		     {1, "1ns"},
		     {1100, "1.1µs"},
		     {100000, "100µs"},
		     {2200000, "2.2ms"},
		     {3300000000, "3.3s"},
		     {60000000000, "1m0s"},
		     {3723000000001, "1h2m3.000000001s"},
		     {-1500000000, "-1.5s"},
		     {INT64_MIN, "-2562047h47m16.854775808s"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[EP_GOTIME_DURATION_MAX];
		ep_gotime_duration(text, cases[i].ns);
		assert_string_equal(text, cases[i].text);
	}
}

TEST(gotime_times_are_local)
{
	ep_auto_buf out;
	ep_buf_init(&out, 1000);
	setenv("TZ", "XYZ-5:30", 1);
	tzset();
	ep_gotime_add_time(&out, 1500000000);
	ep_buf_add_char(&out, '\n');
	ep_gotime_add_time(&out, -1);
	ep_buf_add_char(&out, '\n');
	ep_gotime_add_short_time(&out, 1000000000);
	assert_string_equal(ep_buf_cstr(&out), "1970-01-01 05:30:01.5 +0530 XYZ\n"
					       "1970-01-01 05:29:59.999999999 +0530 XYZ\n"
					       "1970-01-01 05:30:01 XYZ");
	unsetenv("TZ");
	tzset();
}
