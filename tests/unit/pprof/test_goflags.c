#include "test.h"

#include "pprof/goflags.h"

#include <stdio.h>
#include <string.h>

struct seen {
	char text[200];
};

static enum ep_goflags_kind kind(void *ctx, struct ep_slice name)
{
	(void)ctx;
	switch (name.p[0]) {
	case 'b':
		return EP_GOFLAGS_BOOL;
	case 'i':
		return EP_GOFLAGS_INT;
	case 'f':
		return EP_GOFLAGS_FLOAT;
	case 's':
		return EP_GOFLAGS_STRING;
	default:
		return EP_GOFLAGS_UNKNOWN;
	}
}

static int take(void *ctx, struct ep_slice name, const struct ep_goflags_value *v,
		struct ep_err *err)
{
	struct seen *s = ctx;
	(void)err;
	size_t n = strlen(s->text);
	snprintf(s->text + n, sizeof(s->text) - n, "%.*s=%s;", EP_SLICE_ARG(name),
		 v->s);
	return 0;
}

static int parse(char **argv, struct seen *s, int *rest, struct ep_err *err)
{
	const struct ep_goflags f = {kind, take, s};
	struct ep_slice unknown = {0};
	int argc = 0;
	while (argv[argc])
		argc++;
	return ep_goflags_parse(&f, argc, argv, rest, &unknown, err);
}
#define ARGV(...) ((char *[]){"t", __VA_ARGS__, NULL})

TEST(goflags_take_one_dash_or_two_and_a_value_behind_equals_or_as_the_next_word)
{
	struct seen s = {""};
	struct ep_err err = {0};
	int rest;
	assert_int_equal(parse(ARGV("-s=1", "--s", "-2", "-b", "-b=false", "-i=0x10",
				    "file", "-s"),
			       &s, &rest, &err),
			 0);
	assert_string_equal(s.text, "s=1;s=-2;b=true;b=false;i=0x10;");
	assert_int_equal(rest, 7);
}

TEST(goflags_end_at_two_dashes_and_a_lone_dash_is_an_argument)
{
	struct seen s = {""};
	struct ep_err err = {0};
	int rest;
	assert_int_equal(parse(ARGV("-b", "--", "-s"), &s, &rest, &err), 0);
	assert_int_equal(rest, 3);
	assert_int_equal(parse(ARGV("-", "-s"), &s, &rest, &err), 0);
	assert_int_equal(rest, 1);
}

static void expect_error(char **argv, const char *text)
{
	struct seen s = {""};
	struct ep_err err = {0};
	int rest;
	assert_true(parse(argv, &s, &rest, &err) < 0);
	assert_string_equal(err.text, text);
}

TEST(goflags_name_mistakes_as_go_does)
{
	expect_error(ARGV("-x"), "flag provided but not defined: -x");
	expect_error(ARGV("-=x"), "bad flag syntax: -=x");
	expect_error(ARGV("---b"), "bad flag syntax: ---b");
	expect_error(ARGV("-s"), "flag needs an argument: -s");
	expect_error(ARGV("-i=x"), "invalid value \"x\" for flag -i: parse error");
	expect_error(ARGV("-i=99999999999999999999"),
		     "invalid value \"99999999999999999999\" for flag -i: value out of "
		     "range");
	expect_error(ARGV("-b=maybe"),
		     "invalid boolean value \"maybe\" for -b: parse error");
	expect_error(ARGV("-f=1,5"), "invalid value \"1,5\" for flag -f: parse error");
}

TEST(goflags_read_numbers_as_go_does)
{
	static const struct {
		const char *text;
		int rc;
		int64_t value;
	} cases[] = {
		{"0", 0, 0},
		{"-1", 0, -1},
		{"+7", 0, 7},
		{"0x1F", 0, 31},
		{"010", 0, 8},
		{"0o17", 0, 15},
		{"0b101", 0, 5},
		{"", -EINVAL, 0},
		{"-", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"08", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"9223372036854775807", 0, INT64_MAX},
		{"-9223372036854775808", 0, INT64_MIN},
		{"9223372036854775808", -E2BIG, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t v = 0;
		assert_int_equal(ep_goflags_int(cases[i].text, &v), cases[i].rc);
		assert_int_equal(v, cases[i].value);
	}
}
