/* What a file that is no profile looks like. */
#include "test.h"

#include "legacy/hint.h"

TEST(files_that_get_a_hint)
{
	static const struct {
		const char *bytes, *word;
	} cases[] = {
		{"PERFILE2\x68", "perf script"},
		{"\x7f"
		 "ELF\x02",
		 "program"},
		{"\n <!DOCTYPE html>", "web page"},
		{" {\"a\":1}", "JSON"},
		{"go 1.22 trace", "go tool trace"},
		{"goroutine 1 [running]:", "debug=2"},
		{"PK\x03\x04", "zip"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *hint = ep_hint_of(ep_slice_of(cases[i].bytes));
		if (!hint || !strstr(hint, cases[i].word))
			fail_msg("%s: %s", cases[i].bytes, hint ? hint : "no hint");
	}
}

TEST(others_get_none)
{
	assert_null(ep_hint_of(ep_slice_of("")));
	assert_null(ep_hint_of(ep_slice_of("words")));
	assert_null(ep_hint_of(ep_slice_of("\x7f"
					   "EL")));
}
