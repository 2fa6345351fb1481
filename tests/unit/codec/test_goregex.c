#include "test.h"

#include "codec/goregex.h"
#include "codec/regex.h"

#include <errno.h>
#include <string.h>

TEST(goregex_refuses_what_go_refuses_in_its_words)
{
	const char *cases[][2] = {
		{"a(", "missing closing ): `a(`"},
		{"a)", "unexpected ): `a)`"},
		{"x[a", "missing closing ]: `[a`"},
		{"a**b", "invalid nested repetition operator: `**`"},
		{"a++", "invalid nested repetition operator: `++`"},
		{"*a", "missing argument to repetition operator: `*`"},
		{"(|?)", "missing argument to repetition operator: `?`"},
		{"a{1001}", "invalid repeat count: `{1001}`"},
		{"a{2,1}", "invalid repeat count: `{2,1}`"},
		{"(?=a)", "invalid or unsupported Perl syntax: `(?=`"},
		{"(?>a)", "invalid or unsupported Perl syntax: `(?>`"},
		{"(?i-)", "invalid or unsupported Perl syntax: `(?i-)`"},
		{"(?<!a)b", "invalid named capture: `(?<!a)b`"},
		{"(?P<n", "invalid named capture: `(?P<n`"},
		{"(a)\\1", "invalid escape sequence: `\\1`"},
		{"\\h", "invalid escape sequence: `\\h`"},
		{"[\\b]", "invalid escape sequence: `\\b`"},
		{"a\\", "trailing backslash at end of expression: ``"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct ep_err err = {0};
		char want[200] = "error parsing regexp: ";
		strcat(want, cases[i][1]);
		assert_int_equal(ep_goregex_check(ep_slice_of(cases[i][0]), &err), -EINVAL);
		assert_string_equal(err.text, want);
	}
}

TEST(goregex_takes_what_go_takes)
{
	const char *cases[] = {"",	  "a{,3}",     "a{x", "{",	 "a{01}",   "[]a]",  "[^]]",
			       "\\Q(\\E", "\\Q(",	 "(?i)a", "(?i-s:a)", "(?P<n>a)",
			       "(?<n>a)?", "a+?b*?", "\\x{41}", "\\x41", "\\07", "\\_\\.\\-", "\\pN\\p{Greek}",
			       "a|", "()", "x{1000}", "[a\\]b]", "日本"};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct ep_err err = {0};
		ep_auto(ep_regex) r = NULL;
		if (ep_regex_new(ep_slice_of(cases[i]), EP_REGEX_SEARCH, &r, &err) < 0)
			fail_msg("%s: %s", cases[i], err.text);
	}
}

TEST(goregex_leaves_whole_matches_of_selectors_alone)
{
	ep_auto(ep_regex) r = NULL;
	assert_int_equal(ep_regex_new(ep_slice_of("(?=a)a"), EP_REGEX_WHOLE, &r, NULL), 0);
	assert_int_equal(ep_regex_match(r, ep_slice_of("a"), NULL), 1);
}

TEST(goregex_dollar_is_the_end_and_not_a_newline_before_it)
{
	ep_auto(ep_regex) r = NULL;
	assert_int_equal(ep_regex_new(ep_slice_of("a$"), EP_REGEX_SEARCH, &r, NULL), 0);
	assert_int_equal(ep_regex_match(r, ep_slice_of("a\n"), NULL), 0);
	assert_int_equal(ep_regex_match(r, ep_slice_of("ba"), NULL), 1);
}
