#include "test.h"

#include "pprof/command.h"

#include <string.h>

static int parse(struct ep_arena *arena, const char *line, struct ep_command_line *c,
		 struct ep_err *err)
{
	struct ep_vars v;
	ep_vars_init(&v, arena);
	*err = (struct ep_err){0};
	return ep_command_parse(ep_slice_of(line), &v, c, err);
}

TEST(command_takes_a_count_filters_order_and_a_file)
{
	ep_auto(ep_arena) arena = ep_arena_new(0);
	struct ep_command_line c;
	struct ep_err err;
	assert_int_equal(
		parse(arena, "top10 main  -runtime -cum work -gc > out.txt", &c, &err),
		0);
	assert_string_equal(c.format->name, "top");
	assert_int_equal(c.vars.o.nodecount, 10);
	assert_string_equal(c.vars.o.focus, "main|work");
	assert_string_equal(c.vars.o.ignore, "runtime|gc");
	assert_string_equal(c.vars.output, "out.txt");
	assert_true(ep_vars_options(&c.vars, EP_REPORT_TEXT, "").cum_sort);
}

TEST(command_top_shows_ten_rows_and_tree_all_it_may)
{
	ep_auto(ep_arena) arena = ep_arena_new(0);
	struct ep_command_line c;
	struct ep_err err;
	assert_int_equal(parse(arena, "top", &c, &err), 0);
	assert_int_equal(c.vars.o.nodecount, 10);
	assert_int_equal(parse(arena, "tree", &c, &err), 0);
	assert_int_equal(c.vars.o.nodecount, -1);
}

TEST(command_words_of_tags_are_about_labels)
{
	ep_auto(ep_arena) arena = ep_arena_new(0);
	struct ep_command_line c;
	struct ep_err err;
	assert_int_equal(parse(arena, "tags a b -c", &c, &err), 0);
	assert_string_equal(c.vars.o.tagfocus, "a|b");
	assert_string_equal(c.vars.o.tagignore, "c");
	assert_string_equal(c.vars.o.focus, "");
}

TEST(command_first_word_of_list_is_its_argument_even_a_number)
{
	ep_auto(ep_arena) arena = ep_arena_new(0);
	struct ep_command_line c;
	struct ep_err err;
	assert_int_equal(parse(arena, "list 12 main", &c, &err), 0);
	assert_string_equal(c.argument, "12");
	assert_string_equal(c.vars.o.focus, "main");
}

static void expect_error(const char *line, const char *text)
{
	ep_auto(ep_arena) arena = ep_arena_new(0);
	struct ep_command_line c;
	struct ep_err err;
	assert_true(parse(arena, line, &c, &err) < 0);
	assert_string_equal(err.text, text);
}

TEST(command_names_mistakes_in_the_references_words)
{
	expect_error("foo12", "unrecognized command: \"foo\"");
	expect_error("a\"b", "unrecognized command: \"a\\\"b\"");
	expect_error("nodecount 12", "did you mean: nodecount=12");
	expect_error("focus", "did you mean: focus=<val>");
	expect_error("sort cum", "unrecognized command: \"sort\"");
	expect_error("peek", "command peek requires an argument");
	expect_error("top >", "unexpected end of line after >");
}
