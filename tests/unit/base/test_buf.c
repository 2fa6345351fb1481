#include "test.h"

#include "base/buf.h"

#include <errno.h>

TEST(buf_grows_and_formats)
{
	ep_auto_buf b;
	ep_buf_init(&b, 1 << 20);
	for (int i = 0; i < 1000; i++)
		ep_buf_printf(&b, "%d,", i % 10);
	assert_int_equal(b.len, 2000);
	ep_buf_consume(&b, 1990);
	assert_string_equal(ep_buf_cstr(&b), "5,6,7,8,9,");
}

TEST(buf_remembers_that_it_hit_its_maximum)
{
	ep_auto_buf b;
	ep_buf_init(&b, 4);
	ep_buf_add_str(&b, "1234");
	assert_int_equal(ep_buf_failed(&b), 0);
	ep_buf_add_char(&b, '5');
	assert_int_equal(ep_buf_failed(&b), -E2BIG);
	ep_buf_add_str(&b, "");
	assert_int_equal(b.len, 4);
	ep_buf_clear(&b);
	assert_int_equal(ep_buf_failed(&b), 0);
}
