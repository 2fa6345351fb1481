/* Where addresses lie, and what the map may cost. */
#include "test.h"

#include "legacy/memorymap.h"

#include <stdio.h>
#include <stdlib.h>

static struct ep_profile *place(const char *map, const uint64_t *addresses, uint32_t n)
{
	ep_auto(ep_build) b = NULL;
	struct ep_profile *p = NULL;
	struct ep_plaintext t;
	assert_int_equal(ep_build_new(0, &b), 0);
	for (uint32_t i = 0; i < n; i++)
		(void)ep_build_location(b, addresses[i], EP_NONE, NULL, 0);
	ep_plaintext_open(&t, ep_slice_of(map));
	assert_int_equal(ep_memorymap_place(&t, b, NULL), 0);
	assert_int_equal(ep_build_finish(b, &p, NULL), 0);
	return p;
}

static void expect_file(const struct ep_profile *p, uint32_t location, const char *file)
{
	uint32_t m = p->locations[location].mapping;
	assert_int_not_equal(m, EP_NONE);
	assert_true(ep_slice_is(ep_profile_str(p, p->mappings[m].filename), file));
}

TEST(addresses_find_their_mapping_and_the_rest_a_nameless_one)
{
	static const uint64_t a[] = {0x1010, 0x3000, 0, 0x2fff};
	ep_auto(ep_profile) p =
		place("1000-2000: /lib/l.so\n2800-3000: /bin/main\n", a, 4);
	assert_int_equal(p->n_mappings, 3);
	assert_true(
		ep_slice_is(ep_profile_str(p, p->mappings[0].filename), "/bin/main"));
	expect_file(p, 0, "/lib/l.so");
	expect_file(p, 1, "");
	expect_file(p, 3, "/bin/main");
	assert_int_equal(p->locations[2].mapping, EP_NONE);
}

TEST(pieces_are_joined_and_the_start_of_a_main_program_is_mended)
{
	static const uint64_t a[] = {0x400010, 0x402010};
	ep_auto(ep_profile) p = place("401000-402000 r-xp 00001000 8:1 5 /bin/m\n"
				      "402000-403000 r-xp 00002000 8:1 5 /bin/m\n",
				      a, 2);
	assert_int_equal(p->n_mappings, 1);
	assert_int_equal(p->mappings[0].start, 0x400000);
	assert_int_equal(p->mappings[0].limit, 0x403000);
	assert_int_equal(p->mappings[0].file_offset, 0);
	expect_file(p, 0, "/bin/m");
}

TEST(the_first_of_overlapping_ones_counts)
{
	static const uint64_t a[] = {0x1010, 0x1810};
	ep_auto(ep_profile) p =
		place("1800-1900: /b\n1000-2000: /a\n1000-3000: /c\n", a, 2);
	expect_file(p, 0, "/a");
	expect_file(p, 1, "/b");
}

TEST(variables_are_replaced)
{
	static const uint64_t a[] = {0x1010};
	ep_auto(ep_profile) p =
		place("w=/opt\nw=/never\nv = $w/app\n1000-2000: $v/x\n", a, 1);
	expect_file(p, 0, "/opt/app/x");
}

static int place_text(const char *map, uint32_t n_addresses, struct ep_err *err)
{
	ep_auto(ep_build) b = NULL;
	struct ep_plaintext t;
	assert_int_equal(ep_build_new(0, &b), 0);
	for (uint32_t i = 0; i < n_addresses; i++)
		(void)ep_build_location(b, 0x100000000 + i, EP_NONE, NULL, 0);
	ep_plaintext_open(&t, ep_slice_of(map));
	return ep_memorymap_place(&t, b, err);
}

TEST(variables_that_double_are_stopped)
{
	char map[2000];
	size_t n = (size_t)sprintf(map, "x0=0123456789\n");
	for (int i = 1; i < 60; i++)
		n += (size_t)sprintf(map + n, "x%02d=$x%02d$x%02d\n", i, i - 1, i - 1);
	memcpy(map, "x00=123456789\n", 14);
	struct ep_err err = {0};
	assert_int_equal(place_text(map, 0, &err), -E2BIG);
	assert_non_null(strstr(err.text, "variables"));
}

TEST(many_overlapping_mappings_are_refused_not_searched_for_ever)
{
	enum { N = 40000 };
	char *map = malloc(N * 32);
	size_t n = 0;
	assert_non_null(map);
	for (int i = 0; i < N; i++)
		n += (size_t)sprintf(map + n, "%d-%d: /f%d\n", i + 1000, i + 1900000,
				     i);
	struct ep_err err = {0};
	assert_int_equal(place_text(map, N, &err), -E2BIG);
	assert_non_null(strstr(err.text, "overlap"));
	free(map);
}
