/* The reports that show a profile as it is, and what all reports share.  Equality with
 * the reference is for tests/compat; here is what must hold, on profiles in sight. */
#include "test.h"

#include "../profile/sketch.h"
#include "report/prepare.h"
#include "report/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static char said[1000];

static void note(void *ctx, const char *text)
{
	(void)ctx;
	strcat(said, text);
	strcat(said, "\n");
}

static const struct ep_notes notes = {note, NULL};

static struct ep_report_options options(enum ep_report_kind kind)
{
	struct ep_report_options o;
	ep_report_options_init(&o);
	o.kind = kind;
	said[0] = '\0';
	return o;
}

static void check(const char *samples, const struct ep_report_options *o, const char *want)
{
	ep_auto(ep_profile) p = sketch(samples);
	ep_auto_buf out;
	ep_buf_init(&out, 1 << 20);
	struct ep_err err = {0};
	if (ep_report_write(p, o, NULL, &notes, &out, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(ep_buf_cstr(&out), want);
}

static void refuse(const struct ep_report_options *o, const char *want)
{
	ep_auto(ep_profile) p = sketch("f 1 k=a\n");
	ep_auto_buf out;
	ep_buf_init(&out, 1 << 20);
	struct ep_err err = {0};
	assert_int_equal(ep_report_write(p, o, NULL, &notes, &out, &err), -EINVAL);
	assert_memory_equal(err.text, want, strlen(want));
}

#define LINE "-----------+-------------------------------------------------------\n"

TEST(report_traces_shows_each_sample)
{
	struct ep_report_options o = options(EP_REPORT_TRACES);
	check("main;a+b 5 key=x z=1 bytes#2048bytes\nmain 7 a_long_key=v\n- 9\n", &o,
	      "Type: n\n" LINE "         z:  1\n       key:  x\n     bytes:  2kB\n" /* padding sorts too */
	      "         5   b (inline)\n             a\n             main\n" LINE
	      "a_long_key:  v\n         7   main\n" LINE);
	o.granularity = EP_BY_LINE;
	check("main 1\n", &o, "Type: n\n" LINE "         1   main main.zz:7\n" LINE);
	o.sample_index = "0";
	o.granularity = EP_BY_FILE;
	check("main;?@/usr/lib/x.so 1\n", &o,
	      "File: x.so\nType: n\n" LINE "         1   [x.so]\n             main.zz\n" LINE);
}

TEST(report_tags_sums_by_value)
{
	struct ep_report_options o = options(EP_REPORT_TAGS);
	check("f 6 k=a j=z\nf 3 k=b\nf 1 k=b n#1024bytes\nf 2 n#1kb\nf -4 k=c\n", &o,
	      " j: Total 6 of 16 (37.50%)\n    6 (37.50%): z\n\n"
	      " k: Total 6 of 16 (37.50%)\n     6 (37.50%): a\n     4 (25.00%): b\n"
	      "    -4 (25.00%): c\n\n"
	      " n: Total 3 of 16 (18.75%)\n    2 (12.50%): 1B\n    1 ( 6.25%): 1kB\n\n");
	check("f 1\n", &o, "");
}

TEST(report_raw_shows_the_tables)
{
	struct ep_report_options o = options(EP_REPORT_RAW);
	check("main 5 k=b n#3kb j=x k=a\n", &o,
	      "PeriodType:  \nPeriod: 0\nSamples:\nn/count\n          5: 1 \n"
	      "                j:[x] k:[b a]\n                n:[3 kb]\n"
	      "Locations\n     1: 0xab169a main main.zz:7:3 s=1\nMappings\n");
}

TEST(report_filters_say_what_matched_nothing)
{
	struct ep_report_options o = options(EP_REPORT_TAGS);
	o.focus = o.ignore = o.hide = o.show = o.tagignore = o.tagshow = "zz[y]";
	o.tagfocus = "7kb:";
	o.tagroot = "none";
	check("f 1\n", &o, "");
	assert_string_equal(said, "TagRoot expression matched no samples\n"
				  "tagfocus:Interpreted '7kb:' as range, not regexp\n"
				  "Focus expression matched no samples\n"
				  "Ignore expression matched no samples\n"
				  "Hide expression matched no samples\n"
				  "Show expression matched no samples\n"
				  "TagFocus expression matched no samples\n"
				  "TagIgnore expression matched no samples\n"
				  "TagShow expression matched no samples\n");
}

TEST(report_total_is_of_all_samples_unless_relative)
{
	struct ep_report_options o = options(EP_REPORT_TAGS);
	o.focus = "a";
	check("a 1 k=x\nb 3 k=y\n", &o, " k: Total 1 of 4 (25.00%)\n    1 (25.00%): x\n\n");
	o.relative_percentages = true;
	check("a 1 k=x\nb 3 k=y\n", &o, " k: Total 1 of 1 (  100%)\n    1 (  100%): x\n\n");
}

TEST(report_total_of_a_comparison_is_that_of_its_base)
{
	struct ep_report_options o = options(EP_REPORT_TAGS);
	o.tagshow = "k";
	check("a 30 k=x\nb -10 pprof::base=true\nb -2 pprof::base=false\n", &o,
	      " k: Total 30 of 10 (300.00%)\n    30 (300.00%): x\n\n");
}

TEST(report_refuses_options_it_can_not_use)
{
	struct ep_report_options o = options(EP_REPORT_TAGS);
	o.sample_index = "x\t";
	refuse(&o, "sample_index \"x\\t\" must be one of: [n]");
	o.sample_index = "-1";
	refuse(&o, "sample_index -1 is outside the range [0..0]");
	o.sample_index = "inuse_n";
	o.divide_by = 0;
	refuse(&o, "zero divisor specified");
	o.divide_by = 1;
	o.focus = "(";
	refuse(&o, "parsing focus regexp: ");
	o.focus = "";
	o.taghide = "[";
	refuse(&o, "parsing taghide regexp: ");
	o.kind = EP_REPORT_PEEK;
	o.argument = "a**(";
	refuse(&o, "parsing argument regexp a**(: ");
}

TEST(report_header_needs_no_filters)
{
	ep_auto(ep_profile) p = sketch("f 5@/x\n");
	struct ep_report_options o = options(EP_REPORT_TEXT);
	o.focus = "(";
	p->duration_ns = 10000000000;
	ep_auto_buf out;
	ep_buf_init(&out, 1000);
	assert_int_equal(ep_report_header(p, &o, &out, NULL), 0);
	assert_string_equal(ep_buf_cstr(&out), "Type: n\nDuration: 10s, Total samples = 5 \n");
}

TEST(report_filter_lines_cut_long_values)
{
	char value[120], want[200];
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	struct ep_report r = {.o = options(EP_REPORT_TEXT)};
	ep_auto_buf out;
	ep_buf_init(&out, 1000);
	ep_report_filter_lines(&r, &out);
	assert_int_equal(out.len, 0);
	r.o.hide = value;
	r.o.prune_from = "not listed";
	ep_report_filter_lines(&r, &out);
	snprintf(want, sizeof(want), "Active filters:\n   hide=%.75s…\n", value);
	assert_string_equal(ep_buf_cstr(&out), want);
}
