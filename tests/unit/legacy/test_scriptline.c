/* Lines of `perf script`, with the fields that are usual. */
#include "test.h"

#include "legacy/scriptline.h"

#include <stdio.h>

static void expect_head(const char *line, const char *want)
{
	struct ep_scripthead h;
	char got[256] = "none";
	if (ep_scriptline_head(ep_slice_of(line), &h))
		(void)snprintf(got, sizeof(got), "%.*s|%.*s|%.*s|%llu|%lld|%.*s|%.*s",
			       EP_SLICE_ARG(h.comm), EP_SLICE_ARG(h.pid),
			       EP_SLICE_ARG(h.tid), (unsigned long long)h.time_ns,
			       (long long)h.period, EP_SLICE_ARG(h.event),
			       EP_SLICE_ARG(h.rest));
	if (strcmp(got, want))
		fail_msg("%s:\n got %s\nwant %s", line, got, want);
}

TEST(heads)
{
	expect_head("shop 17746  2320.633411:   20408163 cpu-clock:ppp: ",
		    "shop||17746|2320633411000|20408163|cpu-clock|");
	expect_head("shop 27165/27171  2911.751437: cpu-clock:ppp: ",
		    "shop|27165|27171|2911751437000|0|cpu-clock|");
	expect_head("Web Content 12 [003] 1.5: 7 cycles:u:",
		    "Web Content||12|1500000000|7|cycles|");
	expect_head("foo 12 345 67.8: x:", "foo 12||345|67800000000|0|x|");
	expect_head(
		"kworker/0:1  23 [000] d..2. 1.000001: sched:sched_switch: prev_comm=a",
		"kworker/0:1||23|1000001000|0|sched:sched_switch|prev_comm=a");
	expect_head("shop 17654 cpu-clock:ppp:", "shop||17654|0|0|cpu-clock|");
	expect_head(":-1    -1 [001] 2912.000000: 5 cycles:  401234 f (/x)",
		    ":-1||-1|2912000000000|5|cycles|401234 f (/x)");
}

TEST(other_lines_are_no_heads)
{
	expect_head("main;work;parse 13", "none");
	expect_head("  shop 17746  2320.633411: cycles:", "none");
	expect_head("shop 17746 and other words", "none");
	expect_head("", "none");
}

static void expect_frame(const char *line, const char *want)
{
	struct ep_frame f;
	bool inlined;
	char got[256] = "none";
	if (ep_scriptline_frame(ep_slice_of(line), &f, &inlined))
		(void)snprintf(got, sizeof(got), "%llx|%.*s|%.*s|%d",
			       (unsigned long long)f.address, EP_SLICE_ARG(f.name),
			       EP_SLICE_ARG(f.binary), inlined);
	if (strcmp(got, want))
		fail_msg("%s:\n got %s\nwant %s", line, got, want);
}

TEST(frames)
{
	expect_frame("\t 1244 cmp+0x4 (/usr/bin/shop)", "1244|cmp|/usr/bin/shop|0");
	expect_frame("\t 3fb9c msort+0x23c (inlined)", "3fb9c|msort||1");
	expect_frame(" 1 std::f<int, g<a> >(int const&)+0x1f (/a b.so)",
		     "1|std::f<int, g<a> >(int const&)|/a b.so|0");
	expect_frame(" 1 (anonymous namespace)::f(int) (/x)",
		     "1|(anonymous namespace)::f(int)|/x|0");
	expect_frame(" 1 f+0x1 (/tmp/x.so (deleted))", "1|f|/tmp/x.so (deleted)|0");
	expect_frame(" 7f12 [unknown] ([unknown])", "7f12|||0");
	expect_frame(" 7f12 [unknown] (//anon)", "7f12||//anon|0");
	expect_frame(" ffffffff821f859a __schedule+0x5a ([kernel.kallsyms])",
		     "ffffffff821f859a|__schedule|[kernel.kallsyms]|0");
	expect_frame("\t 1254 cmp", "1254|cmp||0");
	expect_frame(" 1254", "1254|||0");
	expect_frame("1244 cmp (/x)", "none");
	expect_frame("  shop.c:12", "none");
}

TEST(sources)
{
	struct ep_slice file;
	int64_t line;
	assert_true(ep_scriptline_source(ep_slice_of("  a/shop.c:12"), &file, &line));
	assert_true(ep_slice_is(file, "a/shop.c") && line == 12);
	assert_false(ep_scriptline_source(ep_slice_of("  shop.c"), &file, &line));
	assert_false(ep_scriptline_source(ep_slice_of("shop.c:12"), &file, &line));
}
