#include "test.h"

#include "report/texttable.h"

static void check(const char *text, const char *want)
{
	ep_auto_buf out;
	ep_buf_init(&out, 1 << 20);
	struct ep_texttable t;
	ep_texttable_init(&t, &out);
	ep_texttable_add_str(&t, text);
	assert_int_equal(ep_texttable_finish(&t), 0);
	assert_string_equal(ep_buf_cstr(&out), want);
}

TEST(texttable_aligns_cells_to_the_right_of_their_column)
{
	check("a\tbb\tx\nccc\td\ty\n", "   a bbx\n ccc  dy\n");
	check("a:\t Total\n \tlong:\t v\n", " a: Total\n    long: v\n");
}

TEST(texttable_line_of_one_cell_ends_all_columns)
{
	check("a\tx\n\nlonger\tx\n", " ax\n\n longerx\n");
	check("a\tx\nlonger\tx\n", "      ax\n longerx\n");
}

TEST(texttable_column_goes_on_only_where_all_lines_have_it)
{
	/* The second column of lines 1 and 3 is two: line 2 has none. */
	check("a\tbbbb\tx\nc\ty\nd\te\tz\n", " a bbbbx\n cy\n d ez\n");
}

TEST(texttable_counts_characters)
{
	check("é\tx\nab\tx\n", "  éx\n abx\n");
	check("\xff\t\xff\tx\nab\tx\n", "  \xff\t\xffx\n abx\n");
	check("a\vb\fc\tx\n", " ab\n cx\n");
}

TEST(texttable_of_nothing_is_nothing)
{
	check("", "");
	check("\n", "\n");
	check("no newline", "no newline");
}
