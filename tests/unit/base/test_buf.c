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

struct seen {
	size_t n_bytes, n_calls;
	int rc;
};

static int see(void *arg, const uint8_t *p, size_t n)
{
	struct seen *s = arg;
	assert_int_equal(p[0], 'a' + s->n_bytes % 26);
	s->n_bytes += n;
	s->n_calls++;
	return s->rc;
}

static void add_letters(struct ep_buf *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ep_buf_add_char(b, (char)('a' + i % 26));
		ep_buf_drain(b);
	}
}

TEST(buf_drains_into_its_sink_and_stays_small)
{
	enum { N = 1 << 20 };
	struct seen seen = {0};
	ep_auto_buf b;
	ep_buf_init(&b, N / 2); /* of what is held at a time */
	ep_buf_set_sink(&b, see, &seen);
	add_letters(&b, N);
	assert_int_equal(ep_buf_failed(&b), 0);
	assert_int_equal(seen.n_bytes + b.len, N);
	assert_true(seen.n_calls >= 2 && seen.n_calls <= 100);
}

TEST(buf_without_a_sink_keeps_all)
{
	ep_auto_buf b;
	ep_buf_init(&b, 1 << 20);
	add_letters(&b, 1 << 20);
	assert_int_equal(b.len, 1 << 20);
}

TEST(buf_takes_nothing_after_its_sink_failed)
{
	struct seen seen = {.rc = -EIO};
	ep_auto_buf b;
	ep_buf_init(&b, 1 << 30);
	ep_buf_set_sink(&b, see, &seen);
	add_letters(&b, 1 << 20);
	assert_int_equal(ep_buf_failed(&b), -EIO);
	assert_int_equal(ep_buf_drain(&b), -EIO);
	assert_int_equal(seen.n_calls, 1);
	assert_int_equal(b.len, 0);
}
