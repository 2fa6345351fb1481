/* test_gaps.c - what no symbol covers. */
#include "test.h"

#include "symbol/gaps.h"

#include <stdio.h>
#include <string.h>

struct symbol {
	uint64_t start, size; /* 0: unknown */
	const char *name;
};

/* "name START+SIZE" of each, in order. */
static const char *filled(const struct symbol *s, size_t n, const struct ep_frames_code *f,
			  size_t n_f)
{
	static char text[512];
	struct ep_collect c = {0};
	size_t at = 0;
	for (size_t i = 0; i < n; i++) {
		struct ep_collect_symbol one = {s[i].start, s[i].size, 0x1000, s[i].name,
						0};
		assert_int_equal(ep_collect_add_symbol(&c, one, NULL), 0);
	}
	ep_collect_sort(&c, f, n_f);
	assert_int_equal(ep_gaps_fill(&c, f, n_f, NULL), 0);
	text[0] = '\0';
	for (size_t i = 0; i < c.n; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s%llx+%llx",
				       i ? " " : "", c.s[i].name,
				       (unsigned long long)c.s[i].start,
				       (unsigned long long)c.s[i].size);
	ep_collect_fini(&c);
	return text;
}

#define FILLED(symbols, functions)                                                             \
	filled(symbols, sizeof(symbols) / sizeof(*symbols), functions,                         \
	       sizeof(functions) / sizeof(*functions))

TEST(gaps_are_filled_around_symbols_and_nowhere_else)
{
	static const struct symbol s[] = {{0x20, 0x10, "A"}, {0x50, 0x30, "B"}};
	static const struct ep_frames_code f[] = {
		{0x00, 0x10}, /* free */
		{0x20, 0x30}, /* A's own */
		{0x40, 0x90}, /* around B */
		{0xa0, 0xb0}};
	assert_string_equal(FILLED(s, f), "0+10 A20+10 40+10 B50+30 80+10 a0+10");
}

TEST(gaps_of_overlapping_functions_are_filled_once)
{
	static const struct symbol s[] = {{0x18, 0x4, "A"}, {0x10, 0x20, "Around"}};
	static const struct ep_frames_code f[] = {
		{0x00, 0x40}, {0x08, 0x20}, {0x30, 0x48}, {0x48, 0x48}};
	assert_string_equal(FILLED(s, f), "0+10 Around10+20 A18+4 30+10 40+8");
}

TEST(gaps_bound_a_symbol_without_a_size)
{
	static const struct symbol s[] = {{0x00, 0, "inside"}, {0x40, 0, "outside"}};
	static const struct ep_frames_code f[] = {
		{0x00, 0x10}, {0x20, 0x30}, {0x60, 0x70}};
	assert_string_equal(FILLED(s, f), "inside0+10 20+10 outside40+20 60+10");
	assert_string_equal(filled(s, 2, f, 0), "inside0+40 outside40+fc0");
}
