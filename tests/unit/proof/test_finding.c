#include "test.h"

#include "codec/json.h"
#include "proof/finding.h"

#include <string.h>

static const char *text_of(struct ep_findings *f, bool colour, struct ep_buf *b)
{
	ep_buf_init(b, 1 << 16);
	ep_finding_format(f, colour, b);
	return ep_buf_cstr(b);
}

TEST(a_figure_is_ok_up_to_its_bound_and_off_beyond)
{
	struct ep_findings f = {.n = 0};
	assert_int_equal(ep_finding_add(&f, "G", "a", EP_UNIT_SHARE, 0.5, 0.5625, 0.0625)->verdict,
			 EP_VERDICT_OK);
	assert_int_equal(ep_finding_add(&f, "G", "b", EP_UNIT_SHARE, 0.5, 0.4, 0.0625)->verdict,
			 EP_VERDICT_OFF);
	assert_int_equal(ep_finding_add(&f, "G", "c", EP_UNIT_COUNT, 7, 8, 0)->verdict,
			 EP_VERDICT_OFF);
	assert_int_equal(ep_finding_count(&f, EP_VERDICT_OFF), 2);
}

TEST(a_cost_is_over_its_bound_only_when_chance_is_no_excuse)
{
	struct ep_findings f = {.n = 0};
	assert_int_equal(ep_finding_add_cost(&f, "G", "a", EP_UNIT_NS, 30, 10, 25)->verdict,
			 EP_VERDICT_OK);
	assert_int_equal(ep_finding_add_cost(&f, "G", "b", EP_UNIT_NS, 30, 4, 25)->verdict,
			 EP_VERDICT_OFF);
}

TEST(the_table_has_a_line_a_figure_and_words_for_what_is_not_ok)
{
	struct ep_findings f = {.n = 0};
	struct ep_buf b;
	ep_finding_add(&f, "CPU", "heavy", EP_UNIT_SHARE, 0.7, 0.695, 0.02);
	ep_finding_note(ep_finding_add(&f, "CPU", "light", EP_UNIT_SHARE, 0.1, 0.2, 0.02), "why");
	ep_finding_add(&f, "Memory", "leak", EP_UNIT_BYTES, 2e9, 1.9e9, 2e8);
	ep_finding_add_unknown(&f, "Outside", "split", "not allowed");
	assert_string_equal(
		text_of(&f, false, &b),
		"CPU                                      truth   measured      error     bound\n"
		"  heavy                                70.00 %    69.50 %   -0.50 pt   2.00 pt  ok\n"
		"  light                                10.00 %    20.00 %  +10.00 pt   2.00 pt  OFF\n"
		"\n"
		"Memory                                   truth   measured      error     bound\n"
		"  leak                                 1.86 GB    1.77 GB    -5.00 %   10.00 %  ok\n"
		"\n"
		"Outside                                          measured     margin     bound\n"
		"  split                                                                        not measured\n"
		"\nlight: why\n"
		"\nsplit: not allowed\n");
	ep_buf_fini(&b);
	assert_non_null(strstr(text_of(&f, true, &b), "\033[32mok\033[0m"));
	ep_buf_fini(&b);
}

TEST(the_json_has_what_the_table_has)
{
	struct ep_findings f = {.n = 0};
	struct ep_buf b;
	ep_buf_init(&b, 1 << 16);
	ep_finding_note(ep_finding_add(&f, "CPU", "heavy", EP_UNIT_COUNT, 7, 8, 2), "n");
	struct ep_jsonw w = ep_jsonw_to(&b);
	ep_jsonw_open(&w, NULL, '{');
	ep_finding_json(&f, &w);
	ep_jsonw_close(&w, '}');
	assert_string_equal(ep_buf_cstr(&b),
			    "{\"rows\":[{\"group\":\"CPU\",\"what\":\"heavy\",\"unit\":\"count\","
			    "\"truth\":7,\"error\":1,\"measured\":8,\"bound\":2,\"verdict\":\"ok\","
			    "\"note\":\"n\"}]}");
	ep_buf_fini(&b);
}
