#include "test.h"

#include "cli/flags.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *out, *config;
	uint64_t wait_ns, max_bytes;
	int64_t pid;
	bool all;
};

#define TABLE(o)                                                                       \
	{                                                                              \
		{"out", 'o', "FILE", EP_FLAG_STRING, &(o).out, "write here"},          \
			{"config",	 0,	      "FILE",                          \
			 EP_FLAG_STRING, &(o).config, "read this first"},              \
			{"duration",	   'd',		 "TIME",                       \
			 EP_FLAG_DURATION, &(o).wait_ns, "how long"},                  \
			{"max", 0, "SIZE", EP_FLAG_SIZE, &(o).max_bytes, "bound"},     \
			{"pid", 'p', "PID", EP_FLAG_INT, &(o).pid, "which\nprocess"},  \
			{"all", 'a', NULL, EP_FLAG_BOOL, &(o).all, "all of them"},     \
			{0},                                                           \
	}

static int parse(struct options *o, int *rest, char **argv)
{
	struct ep_flag table[] = TABLE(*o);
	struct ep_flags f = {
		.command = "t", .synopsis = "[WORD...]", .about = "A test.", .flags = table};
	int argc = 0;
	while (argv[argc])
		argc++;
	return ep_flags_parse(&f, argc, argv, rest);
}
#define ARGV(...) ((char *[]){"t", __VA_ARGS__, NULL})

TEST(flags_take_both_forms_and_stop_at_the_double_dash)
{
	struct options o = {0};
	int rest;
	assert_int_equal(parse(&o, &rest,
			       ARGV("--out=a.pb", "-d", "1m30s", "--max", "64MB",
				    "-p42", "-a", "--", "cmd", "--out", "x")),
			 -1);
	assert_string_equal(o.out, "a.pb");
	assert_int_equal(o.wait_ns, 90000000000ull);
	assert_int_equal(o.max_bytes, 64 << 20);
	assert_int_equal(o.pid, 42);
	assert_true(o.all);
	assert_int_equal(rest, 9);
}

TEST(flags_stop_at_the_first_word_that_is_none)
{
	struct options o = {0};
	int rest;
	assert_int_equal(parse(&o, &rest, ARGV("-a", "cmd", "-x")), -1);
	assert_int_equal(rest, 2);
}

TEST(flags_unknown_missing_and_wrong_values_exit_2)
{
	struct options o = {0};
	int rest;
	assert_int_equal(parse(&o, &rest, ARGV("--nope")), 2);
	assert_int_equal(parse(&o, &rest, ARGV("--out")), 2);
	assert_int_equal(parse(&o, &rest, ARGV("--duration=soon")), 2);
	assert_int_equal(parse(&o, &rest, ARGV("--max=3XB")), 2);
	assert_int_equal(parse(&o, &rest, ARGV("-p", "4x")), 2);
	assert_int_equal(parse(&o, &rest, ARGV("--all=perhaps")), 2);
}

TEST(flags_help_is_printed_for_any_place_before_the_command)
{
	struct options o = {0};
	int rest;
	assert_int_equal(parse(&o, &rest, ARGV("-a", "--help")), 0);
	assert_int_equal(parse(&o, &rest, ARGV("-a", "--", "--help")), -1);
}

TEST(flags_durations_and_sizes)
{
	uint64_t v;
	assert_int_equal(ep_flags_duration("250ms", &v), 0);
	assert_int_equal(v, 250000000);
	assert_int_equal(ep_flags_duration("1.5h", &v), 0);
	assert_int_equal(v, 5400000000000ull);
	assert_int_equal(ep_flags_duration("0", &v), 0);
	assert_int_equal(v, 0);
	assert_int_equal(ep_flags_duration("10", &v), -EINVAL);
	assert_int_equal(ep_flags_duration("", &v), -EINVAL);
	assert_int_equal(ep_flags_duration("-1s", &v), -EINVAL);
	assert_int_equal(ep_flags_duration("99999999999999999999s", &v), -EINVAL);
	assert_int_equal(ep_flags_size("2GB", &v), 0);
	assert_int_equal(v, 2147483648ull);
	assert_int_equal(ep_flags_size("1.5mb", &v), 0);
	assert_int_equal(v, 1572864);
	assert_int_equal(ep_flags_size("17", &v), 0);
	assert_int_equal(v, 17);
	assert_int_equal(ep_flags_size("17 MB", &v), -EINVAL);
}
