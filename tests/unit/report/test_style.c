#include "report/style.h"
#include "test.h"

#include <stdlib.h>

static void styles(int width, bool colour, const char *name, double share,
		   const char *expected)
{
	struct ep_report r = {.o = {.width = width, .colour = colour}};
	ep_auto_buf out;
	ep_buf_init(&out, 4096);
	ep_style_name(&r, ep_slice_of(name), 10, share, &out);
	assert_string_equal(ep_buf_cstr(&out), expected);
}

TEST(style_changes_nothing_unasked)
{
	styles(0, false, "github.com/somewhere/far/away.(*Server).Handle", 1,
	       "github.com/somewhere/far/away.(*Server).Handle");
}

TEST(style_cuts_the_middle_of_long_names)
{
	styles(40, false, "github.com/somewhere/far/away.(*Server).Handle", 0,
	       "github.com/…y.(*Server).Handle");
	styles(40, false, "exactly.thirty.characters.long", 0, "exactly.thirty.characters.long");
	/* Never in the middle of a character, and never to nothing. */
	styles(1, false, "äöüäöüäöüäöüäöüäöüäöü", 0, "äöüäöü…äöüäöüäöü");
}

TEST(style_colours_by_the_share)
{
	styles(0, true, "hot", 0.5, "\x1b[1;31mhot\x1b[0m");
	styles(0, true, "warm", 0.05, "\x1b[33mwarm\x1b[0m");
	styles(0, true, "cold", 0.001, "cold");
	styles(0, true, "gone", -0.5, "\x1b[32mgone\x1b[0m");
}
