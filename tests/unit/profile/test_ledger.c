#include "profile/ledger.h"

#include "../test.h"

TEST(ledger_comes_back_as_it_was_written)
{
	struct ep_ledger in = {.asked = 1003,
			       .taken = 1000,
			       .lost = 3,
			       .truncated = 12},
			 out;
	char text[EP_LEDGER_TEXT_MAX];
	ep_ledger_format(&in, text);
	assert_string_equal(
		text, "#everprof ledger asked=1003 taken=1000 lost=3 truncated=12");
	assert_true(ep_ledger_parse(ep_slice_of(text), &out));
	assert_memory_equal(&in, &out, sizeof(in));
}

TEST(ledger_fits_its_text_with_the_largest_numbers)
{
	struct ep_ledger in = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
			       UINT64_MAX, UINT64_MAX},
			 out;
	char text[EP_LEDGER_TEXT_MAX];
	ep_ledger_format(&in, text);
	assert_true(ep_ledger_parse(ep_slice_of(text), &out));
	assert_memory_equal(&in, &out, sizeof(in));
}

TEST(ledger_passes_over_unknown_keys_and_other_comments)
{
	struct ep_ledger l = {.taken = 7};
	assert_false(ep_ledger_parse(ep_slice_of("built by hand"), &l));
	assert_false(ep_ledger_parse(ep_slice_of("#everprof ledger taken=x"), &l));
	assert_false(ep_ledger_parse(
		ep_slice_of("#everprof ledger taken=99999999999999999999"), &l));
	assert_false(ep_ledger_parse(ep_slice_of("#everprof ledger taken"), &l));
	assert_int_equal(l.taken, 7);
	assert_true(
		ep_ledger_parse(ep_slice_of("#everprof ledger new=word  taken=5"), &l));
	assert_int_equal(l.taken, 5);
	assert_int_equal(l.lost, 0);
}

TEST(ledger_says_the_time_it_covers_when_that_is_not_all)
{
	struct ep_ledger l = {.asked = 1, .taken = 1, .covered_ns = 10000000000}, sum = {0};
	char text[EP_LEDGER_TEXT_MAX];
	ep_ledger_format(&l, text);
	assert_string_equal(text, "#everprof ledger asked=1 taken=1 lost=0 truncated=0 "
				  "covered_ns=10000000000");
	ep_ledger_add(&sum, &l);
	ep_ledger_add(&sum, &l);
	assert_int_equal(sum.covered_ns, 20000000000);
}
