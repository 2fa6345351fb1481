#include "test.h"

#include "pprof/args.h"

#include <stdio.h>
#include <string.h>

static char last_note[200];

static void remember(void *ctx, const char *text)
{
	(void)ctx;
	snprintf(last_note, sizeof(last_note), "%s", text);
}

static int parse(struct ep_arena *arena, char **argv, struct ep_args *a,
		 struct ep_err *err)
{
	const struct ep_notes notes = {remember, NULL};
	int argc = 0;
	while (argv[argc])
		argc++;
	last_note[0] = '\0';
	*err = (struct ep_err){0};
	return ep_args_parse(argc, argv, arena, &notes, a, err);
}
#define ARGV(...) ((char *[]){"pprof", __VA_ARGS__, NULL})

TEST(args_read_a_format_options_bases_and_sources)
{
	ep_auto(ep_arena) arena = ep_arena_new(0);
	struct ep_args a;
	struct ep_err err;
	assert_int_equal(parse(arena,
			       ARGV("-list=f.o", "-cum", "--group-by=x", "-diff_base",
				    "b1", "-diff_base=b2", "-seconds=5", "one", "two"),
			       &a, &err),
			 0);
	assert_string_equal(a.format->name, "list");
	assert_string_equal(a.argument, "f.o");
	assert_string_equal(a.vars.o.group_by, "x");
	assert_true(ep_vars_options(&a.vars, EP_REPORT_LIST, "").cum_sort);
	assert_true(a.is_diff_base && a.n_bases == 2 && a.n_sources == 2);
	assert_string_equal(a.bases[1], "b2");
	assert_string_equal(a.sources[0], "one");
	assert_int_equal(a.seconds, 5);
}

static void expect_error(char **argv, const char *text)
{
	ep_auto(ep_arena) arena = ep_arena_new(0);
	struct ep_args a;
	struct ep_err err;
	assert_true(parse(arena, argv, &a, &err) < 0);
	assert_string_equal(err.text, text);
}

TEST(args_name_the_first_mistake_in_the_references_words)
{
	expect_error(ARGV("-top"), "no profile source specified");
	expect_error(ARGV("-top", "-tree", "x"), "must set at most one output format");
	expect_error(ARGV("-top", "-peek=a", "x"),
		     "must set at most one output format");
	expect_error(ARGV("-cum", "-flat", "x"), "conflicting options set: [cum flat]");
	expect_error(ARGV("-files", "-lines", "x"),
		     "conflicting options set: [files lines]");
	expect_error(ARGV("-base=a", "-diff_base=b", "x"),
		     "-base and -diff_base flags cannot both be specified");
	expect_error(ARGV("-normalize", "x"), "must have base profile to normalize by");
	expect_error(
		ARGV("-top", "-http=:", "x"),
		"-http is not compatible with an output format on the command line");
	expect_error(ARGV("-no_browser", "x"),
		     "-no_browser only makes sense with -http");
	expect_error(ARGV("-nodecount=many", "x"),
		     "invalid value \"many\" for flag -nodecount: parse error");
	expect_error(ARGV("-granularity=lines", "x"),
		     "flag provided but not defined: -granularity");
}

TEST(args_suggest_the_nearest_flag)
{
	expect_error(ARGV("-focsu=a", "x"),
		     "flag provided but not defined: -focsu; did you mean -focus?");
	expect_error(
		ARGV("-nodecont=1", "x"),
		"flag provided but not defined: -nodecont; did you mean -nodecount?");
	expect_error(ARGV("-frobnicate", "x"),
		     "flag provided but not defined: -frobnicate");
}

TEST(args_a_flag_set_to_false_is_not_set)
{
	ep_auto(ep_arena) arena = ep_arena_new(0);
	struct ep_args a;
	struct ep_err err;
	assert_int_equal(
		parse(arena,
		      ARGV("-top=false", "-tree", "-cum", "-cum=false", "-flat", "x"),
		      &a, &err),
		0);
	assert_string_equal(a.format->name, "tree");
	assert_false(ep_vars_options(&a.vars, EP_REPORT_TREE, "").cum_sort);
}

TEST(args_second_sample_alias_is_ignored_with_a_note)
{
	ep_auto(ep_arena) arena = ep_arena_new(0);
	struct ep_args a;
	struct ep_err err;
	assert_int_equal(
		parse(arena, ARGV("-inuse_space", "-mean_delay", "x"), &a, &err), 0);
	assert_string_equal(a.vars.o.sample_index, "delay");
	assert_true(a.vars.o.mean);
	assert_string_equal(last_note,
			    "Multiple value selections, ignoring -inuse_space");
}
