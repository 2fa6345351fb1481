/* test_selector.c - the selector's grammar and its matching. */
#include "query/selector.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static struct ep_selector *parse(const char *text)
{
	struct ep_selector *s = NULL;
	struct ep_err err = {0};
	if (ep_selector_parse(ep_slice_of(text), &s, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return s;
}

TEST(selector_takes_all_four_operators)
{
	struct ep_selector *s = parse(" {a=\"b\", c!=\"d\",e=~\"re\" , f!~\"r.e\"} ");
	const enum ep_match_op ops[] = {EP_MATCH_EQ, EP_MATCH_NE, EP_MATCH_RE, EP_MATCH_NRE};
	assert_int_equal(s->n, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(s->v[i].op, ops[i]);
	assert_true(ep_slice_is(s->v[1].name, "c"));
	assert_true(ep_slice_is(s->v[3].value, "r.e"));
	ep_selector_free(s);
}

TEST(selector_takes_nothing_braces_and_bare_matchers)
{
	const struct {
		const char *text;
		uint32_t n;
	} cases[] = {{"", 0}, {"{}", 0}, {" { } ", 0}, {"{a=\"\"}", 1}, {"a=\"b\"", 1},
		     {"{a=\"b\",}", 1}, {"{service.name=`x`}", 1}, {"{a='b'}", 1}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ep_selector *s = parse(cases[i].text);
		assert_int_equal(s->n, cases[i].n);
		ep_selector_free(s);
	}
}

TEST(selector_reads_escapes_like_go)
{
	struct ep_selector *s = parse("{a=\"\\\"\\\\\\n\\t\\x41\\101\\u00e9\\U0001F600\",b=`\\n`}");
	assert_true(ep_slice_is(s->v[0].value, "\"\\\n\tAA\xc3\xa9\xf0\x9f\x98\x80"));
	assert_true(ep_slice_is(s->v[1].value, "\\n"));
	ep_selector_free(s);
}

TEST(selector_names_the_place_of_a_mistake)
{
	const struct {
		const char *text, *says;
		uint64_t pos;
	} cases[] = {
		{"{a}", "=, !=, =~ or !~ expected at character 3, not '}'", 2},
		{"{a=b}", "a quoted value expected at character 4", 3},
		{"{a=\"b\"", ", or } expected at its end", 6},
		{"{a=\"b}", "the closing quote expected at its end", 6},
		{"{a=\"\\q\"}", "a known escape expected at character 5", 4},
		{"{a=\"b\"} x", "the end expected at character 9", 8},
		{"{=\"b\"}", "a label name expected at character 2", 1},
		{"{a=\"b\" c=\"d\"}", ", or } expected at character 8", 7},
		{"{a=~\"(\"}", "regular expression", 1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ep_selector *s = NULL;
		struct ep_err err = {0};
		assert_int_equal(ep_selector_parse(ep_slice_of(cases[i].text), &s, &err), -EINVAL);
		if (!strstr(err.text, cases[i].says) || err.pos != cases[i].pos)
			fail_msg("%s says '%s' at %llu", cases[i].text, err.text,
				 (unsigned long long)err.pos);
	}
}

TEST(selector_matches_anchored_and_absent_as_empty)
{
	const struct {
		const char *text, *value;
		int matches;
	} cases[] = {
		{"a=\"x\"", "x", 1},      {"a=\"x\"", "xx", 0},   {"a!=\"x\"", "", 1},
		{"a=~\"x\"", "xx", 0},    {"a=~\"x+\"", "xx", 1}, {"a=~\"web-.*\"", "web-1", 1},
		{"a!~\"x|y\"", "y", 0},   {"a!~\"x|y\"", "", 1},  {"a=~\"\"", "", 1},
		{"a=~\".*\"", "", 1},     {"a=~\".+\"", "", 0},   {"a=~\"x|yy\"", "yy", 1},
		{"a=~\"\xc3\xa9\"", "\xc3\xa9", 1}, {"a=~\"x.*\"", "x\xff", 1},
		{"a=~\"x\"", "x\xff", 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ep_selector *s = parse(cases[i].text);
		int rc = ep_matcher_test(&s->v[0], ep_slice_of(cases[i].value), NULL);
		if (rc != cases[i].matches)
			fail_msg("%s on '%s' says %d", cases[i].text, cases[i].value, rc);
		ep_selector_free(s);
	}
}

TEST(selector_bounds_a_hostile_regular_expression)
{
	char text[4096];
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	struct ep_selector *s = parse("{a=~\"(a+)+b\"}");
	struct ep_err err = {0};
	int rc = ep_matcher_test(&s->v[0], ep_slice_of(text), &err);
	/* PCRE2 sees at once that there is no b, or runs into the limit. */
	assert_true(rc == 0 || rc == -E2BIG);
	ep_selector_free(s);
	s = parse("{a=~\"(a|aa)+$|(a*)*c?d\"}");
	text[sizeof(text) - 2] = 'x';
	rc = ep_matcher_test(&s->v[0], ep_slice_of(text), &err);
	assert_true(rc == 0 || rc == -E2BIG);
	ep_selector_free(s);
}
