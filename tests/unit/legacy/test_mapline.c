/* Lines of memory maps; what the reference makes of each was tried on it. */
#include "test.h"

#include "legacy/mapline.h"

#include <stdio.h>

static void expect(const char *line, enum ep_mapline_kind kind, const char *want)
{
	struct ep_mapline m;
	char got[256] = "";
	enum ep_mapline_kind k = ep_mapline_parse(ep_slice_of(line), &m);
	if (k == EP_MAPLINE_CODE)
		(void)snprintf(got, sizeof(got), "%llx-%llx %llx [%.*s] [%.*s]",
			       (unsigned long long)m.start, (unsigned long long)m.limit,
			       (unsigned long long)m.offset, EP_SLICE_ARG(m.file),
			       EP_SLICE_ARG(m.build_id));
	if (k != kind || strcmp(got, want))
		fail_msg("%s:\n got %d %s\nwant %d %s", line, k, got, kind, want);
}

TEST(lines_of_proc_maps)
{
	expect("00400000-004a0000 r-xp 00001000 08:01 1234   /bin/x", EP_MAPLINE_CODE,
	       "400000-4a0000 1000 [/bin/x] []");
	expect("00400000-004a0000 r-xp 00001000 08:01 1234", EP_MAPLINE_CODE,
	       "400000-4a0000 1000 [] []");
	expect("00400000-004a0000 rw-p 00001000 08:01 1234 /bin/x", EP_MAPLINE_DATA,
	       "");
	expect("00400000-004a0000 r-xp 00000000 08:01 1234 /bin/x (deleted)",
	       EP_MAPLINE_CODE, "400000-4a0000 0 [/bin/x] []");
	expect("400000-4a0000 08:01 1234 /bin/x", EP_MAPLINE_CODE,
	       "400000-4a0000 0 [/bin/x] []");
}

TEST(short_lines)
{
	expect("  00400000-00fcb000: /home/x/server", EP_MAPLINE_CODE,
	       "400000-fcb000 0 [/home/x/server] []");
	expect("0x40000-0x80000 /bin/x (@FF00) abc123456", EP_MAPLINE_CODE,
	       "40000-80000 ff00 [/bin/x] [abc123456]");
	expect("40000-80000 r-xp /bin/x abc", EP_MAPLINE_CODE,
	       "40000-80000 0 [/bin/x] [abc]");
	expect("40000 80000", EP_MAPLINE_CODE, "40000-80000 0 [] []");
	expect("40000-80000 prog", EP_MAPLINE_DATA,
	       ""); /* p, r are read as permissions */
}

TEST(any_two_hex_digits_are_a_mapping)
{
	expect("add=c", EP_MAPLINE_CODE, "ad-d 0 [] []");
	expect("400000 fd:00 12 /x", EP_MAPLINE_CODE, "40000-0 0 [/x] []");
	expect("1230x45 /x", EP_MAPLINE_CODE, "123-45 0 [/x] []");
	expect("dead", EP_MAPLINE_CODE, "dea-d 0 [] []");
	expect("a=b", EP_MAPLINE_NONE, "");
	expect("", EP_MAPLINE_NONE, "");
	expect("some words", EP_MAPLINE_NONE, "");
	expect("11112222333344445-5", EP_MAPLINE_NONE, ""); /* over 64 bits */
}

TEST(a_logs_prefix_is_cut)
{
	static const char *const cases[][2] = {
		{"I0101 00:00 12 maps.cc:45] 400000-500000: /x", "400000-500000: /x"},
		{"maps.cc:45]x", "maps.cc:45]x"},
		{"[maps.cc:45] x", "[maps.cc:45] x"},
		{":45] x", ":45] x"},
		{"maps.cc:] x", "maps.cc:] x"},
		{"a:1]\tx", "x"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct ep_slice s = ep_mapline_without_log(ep_slice_of(cases[i][0]));
		if (!ep_slice_is(s, cases[i][1]))
			fail_msg("%s: got %.*s", cases[i][0], EP_SLICE_ARG(s));
	}
}
