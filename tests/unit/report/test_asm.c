#include "test.h"

#include "report/asm.h"

#define S(s) ep_slice_of(s)

static const struct ep_object_inst code[] = {
	{0x10, "push", "f", "/src/f.c", 3},
	{0x11, "mov", "f", "/src/f.c", 4},
	{0x14, "ret", "", "", 0},
};

static void has(const struct ep_asm_inst *i, int64_t flat, int64_t cum)
{
	assert_int_equal(i->flat, flat);
	assert_int_equal(i->cum, cum);
}

TEST(a_sample_inside_an_instruction_counts_to_its_start)
{
	const struct ep_asm_sample samples[] = {
		{.address = 0x10, .flat = 1, .cum = 1},
		{.address = 0x12, .flat = 2, .cum = 3},
		{.address = 0x13, .cum = 4},
		{.address = 0x14, .flat = 8, .cum = 8},
	};
	struct ep_asm_inst to[3];
	ep_asm_annotate(code, 3, samples, 4, to);
	has(&to[0], 1, 1);
	has(&to[1], 2, 7);
	has(&to[2], 8, 8);
	assert_true(ep_slice_is(to[0].file, "f.c"));
	assert_int_equal(to[1].line, 4);
}

TEST(samples_before_and_behind_the_code_count_to_its_ends)
{
	const struct ep_asm_sample samples[] = {{.address = 1, .flat = 1, .cum = 1},
						{.address = 99, .flat = 2, .cum = 2}};
	struct ep_asm_inst to[3];
	ep_asm_annotate(code, 3, samples, 2, to);
	has(&to[0], 1, 1);
	has(&to[1], 0, 0);
	has(&to[2], 2, 2);
	ep_asm_annotate(code, 0, samples, 2, to); /* no code, nothing to write */
}

TEST(what_objdump_does_not_know_the_first_sample_says)
{
	const struct ep_asm_sample samples[] = {
		{0x14, S("g"), S("/src/g.c"), 7, 1, 0, 1, 0},
		{0x15, S("h"), S("/src/h.c"), 9, 1, 0, 1, 0},
	};
	struct ep_asm_inst to[3];
	ep_asm_annotate(code, 3, samples, 2, to);
	assert_true(ep_slice_is(to[2].function, "g"));
	assert_true(ep_slice_is(to[2].file, "g.c"));
	assert_int_equal(to[2].line, 7);
	assert_true(ep_slice_is(to[1].function, "f"));
}

TEST(a_mean_is_divided_once_all_samples_are_in)
{
	const struct ep_asm_sample samples[] = {
		{.address = 0x11, .flat = 5, .flat_div = 2, .cum = 5, .cum_div = 2},
		{.address = 0x12, .flat = 5, .flat_div = 1, .cum = 9, .cum_div = 1},
	};
	struct ep_asm_inst to[3];
	ep_asm_annotate(code, 3, samples, 2, to);
	has(&to[1], 3, 4);
}

static void parses(const char *s, uint64_t want)
{
	uint64_t got = 1;
	assert_true(ep_asm_parse_address(s, &got));
	assert_int_equal(got, want);
}

TEST(an_address_is_a_number_as_go_writes_it)
{
	uint64_t n;
	parses("0x401136", 0x401136);
	parses("0XfF", 0xff);
	parses("4198710", 4198710);
	parses("0", 0);
	parses("017", 15);
	parses("0b11", 3);
	parses("0o17", 15);
	parses("0xffffffffffffffff", UINT64_MAX);
	static const char *const none[] = {"",
					   "main",
					   "0x",
					   "0xg",
					   "08",
					   "-1",
					   " 1",
					   "1 ",
					   "0x10000000000000000",
					   "18446744073709551616"};
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_false(ep_asm_parse_address(none[i], &n));
}
