#include "test.h"

#include "base/mem.h"
#include "base/pages.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

TEST(pages_keeps_what_lies_outside_of_whole_pages)
{
	enum { BYTES = 20 << 20, FROM = 5000, TO = BYTES - 5000 };
	char *p = ep_alloc(BYTES);
	assert_non_null(p);
	ep_pages_expect(p, BYTES);
	memset(p, 1, BYTES);
	ep_pages_release(p + FROM, p + TO);
	ep_pages_release(p, p + 10); /* no whole page */
	for (int i = 0; i < FROM; i++)
		assert_int_equal(p[i], 1);
	for (int i = TO; i < BYTES; i++)
		assert_int_equal(p[i], 1);
	memset(p, 2, BYTES); /* still ours */
	assert_int_equal(p[BYTES / 2], 2);
	ep_free(p);
}

/* Where the mapping that holds this address begins, by the kernel's own list. */
static uintptr_t mapping_start(const void *p)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	assert_non_null(maps);
	uintptr_t start = 0, from, to;
	char line[512];
	while (!start && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 && from <= (uintptr_t)p &&
		    (uintptr_t)p < to)
			start = from;
	fclose(maps);
	return start;
}

TEST(pages_leave_a_block_in_one_mapping_that_can_be_moved)
{
	enum { BYTES = 40 << 20, PAGE = 4096 };
	char *p = ep_alloc(BYTES);
	assert_non_null(p);
	ep_pages_expect(p, BYTES);
	assert_int_not_equal(mapping_start(p), 0);
	assert_int_equal(mapping_start(p), mapping_start(p + 2 * PAGE));
	ep_free(p);
}
