#include "test.h"

#include "base/mem.h"
#include "base/pages.h"

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
