#include "test.h"

#include "pprof/complete.h"
#include "profile/build.h"

#include <stdio.h>
#include <string.h>

static struct ep_profile *three_functions(void)
{
	ep_auto(ep_build) b = NULL;
	struct ep_profile *p;
	assert_int_equal(ep_build_new(0, &b), 0);
	ep_build_sample_type(b, "samples", "count");
	uint32_t stack[] = {ep_build_named_frame(b, "main.handler", "a.go"),
			    ep_build_named_frame(b, "main.helper", "a.go"),
			    ep_build_named_frame(b, "runtime.main", "b.go")};
	ep_build_sample(b, stack, 3, NULL, 0, (int64_t[]){1});
	assert_int_equal(ep_build_finish(b, &p, NULL), 0);
	return p;
}

/* "FROM:TEXT:N" */
static void expect(const char *line, const char *expected)
{
	ep_auto(ep_profile) p = three_functions();
	char got[200];
	struct ep_complete c = ep_complete_line(p, ep_slice_of(line), NULL, NULL);
	snprintf(got, sizeof(got), "%zu:%.*s:%zu", c.from, EP_SLICE_ARG(c.text), c.n);
	assert_string_equal(got, expected);
}

TEST(complete_first_words_are_commands_and_options)
{
	expect("tra", "0:traces:1");
	expect("no", "0:no:4"); /* nodecount, nodefraction, noinlines, normalize */
}

TEST(complete_words_behind_a_command_are_functions_that_hold_them)
{
	expect("top hand", "4:main.handler:1");
	expect("list -hand", "6:main.handler:1");
	expect("top main.h", "4:main.h:2");
	expect("peek zzz", "5::0");
	expect("tags hand", "5::0");
}

TEST(complete_help_knows_what_it_can_tell_of)
{
	expect("help pee", "5:peek:1");
}
