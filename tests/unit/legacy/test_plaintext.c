/* Lines, spaces and numbers as the reference takes them. */
#include "test.h"

#include "legacy/plaintext.h"

TEST(lines_lose_their_ends_and_are_counted)
{
	struct ep_plaintext t;
	ep_plaintext_open(&t, ep_slice_of("a\r\n\nb"));
	assert_true(ep_plaintext_next(&t) && ep_slice_is(t.line, "a") &&
		    t.n_lines == 1);
	assert_true(ep_plaintext_next(&t) && !t.line.n);
	assert_true(ep_plaintext_next(&t) && ep_slice_is(t.line, "b") &&
		    t.n_lines == 3);
	assert_false(ep_plaintext_next(&t));
	assert_int_equal(t.line.n, 0);
}

TEST(a_fault_has_its_offset_and_line)
{
	struct ep_plaintext t;
	struct ep_err err = {0};
	ep_plaintext_open(&t, ep_slice_of("one\ntwo\n"));
	assert_true(ep_plaintext_next(&t) && ep_plaintext_next(&t));
	assert_int_equal(ep_plaintext_fail(&t, &err, "bad %d", 7), -EBADMSG);
	assert_int_equal(err.pos, 4);
	assert_string_equal(err.text, "bad 7 (line 2)");
}

TEST(trim_knows_the_spaces_of_unicode)
{
	assert_true(ep_slice_is(
		ep_plaintext_trim(ep_slice_of("\xc2\xa0 \v x y\xe3\x80\x80\n")),
		"x y"));
	assert_int_equal(ep_plaintext_trim(ep_slice_of(" \t")).n, 0);
	assert_true(ep_plaintext_is_blank(ep_slice_of("  # words")));
	assert_false(ep_plaintext_is_blank(ep_slice_of("words #")));
}

static void expect_int(const char *text, int base, int64_t want)
{
	int64_t v = -77;
	if (!ep_plaintext_int(ep_slice_of(text), base, &v) || v != want)
		fail_msg("%s: got %lld, want %lld", text, (long long)v,
			 (long long)want);
}

TEST(base_0_reads_what_go_reads)
{
	expect_int("0", 0, 0);
	expect_int("010", 0, 8);
	expect_int("0x1F", 0, 31);
	expect_int("-0b101", 0, -5);
	expect_int("0o17", 0, 15);
	expect_int("1_000", 0, 1000);
	expect_int("0x_1", 0, 1);
	expect_int("010", 10, 10);
	expect_int("-9223372036854775808", 10, INT64_MIN);
	static const char *const bad[] = {
		"", "-", "08", "0x", "1__0", "1_", "_1", "9223372036854775808", " 1"};
	int64_t v;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (ep_plaintext_int(ep_slice_of(bad[i]), 0, &v))
			fail_msg("%s was read as %lld", bad[i], (long long)v);
	assert_false(ep_plaintext_int(ep_slice_of("1_0"), 10, &v));
}

TEST(addresses_are_found_between_other_words)
{
	static const char text[] = "PC: 0x00401f1c: f 00x12 0xZ 0x0x1";
	static const uint64_t want[] = {0x401f1c, 0x12, 0};
	const char *at = text, *end = text + sizeof(text) - 1;
	uint64_t a;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(ep_plaintext_next_address(&at, end, &a), 1);
		assert_int_equal(a, want[i]);
	}
	assert_int_equal(ep_plaintext_next_address(&at, end, &a), 0);
	at = "0x00123456789abcdef0";
	assert_int_equal(ep_plaintext_next_address(&at, at + 20, &a), 1);
	at = "0x1123456789abcdef0";
	assert_int_equal(ep_plaintext_next_address(&at, at + 19, &a), -ERANGE);
}
