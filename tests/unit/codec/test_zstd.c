#include "test.h"

#include "codec/zstd.h"

#include <stdlib.h>
#include <string.h>

enum { NO_LIMIT = 1 << 30 };

static void pack(const char *text, struct ep_buf *out)
{
	assert_int_equal(ep_zstd_pack(text, strlen(text), EP_ZSTD_LEVEL, out, NULL), 0);
}

TEST(zstd_joins_frames)
{
	ep_auto_buf packed, out;
	ep_buf_init(&packed, NO_LIMIT);
	ep_buf_init(&out, NO_LIMIT);
	pack("hello ", &packed);
	assert_true(ep_zstd_is(packed.data, packed.len));
	pack("world\n", &packed);
	assert_int_equal(ep_zstd_unpack(packed.data, packed.len, &out, NULL), 0);
	assert_int_equal(out.len, 12);
	assert_memory_equal(out.data, "hello world\n", 12);
}

TEST(zstd_refuses_every_cut_and_every_changed_content)
{
	ep_auto_buf packed;
	ep_buf_init(&packed, NO_LIMIT);
	pack("hello hello hello hello world", &packed);
	for (size_t n = 0; n < packed.len; n++) {
		struct ep_err err = {0};
		ep_auto_buf out;
		ep_buf_init(&out, NO_LIMIT);
		assert_int_equal(ep_zstd_unpack(packed.data, n, &out, &err), -ENODATA);
		assert_int_equal(err.code, -ENODATA);
		assert_int_equal(out.len, 0);
	}
	packed.data[packed.len - 1] ^= 1; /* the checksum */
	ep_auto_buf out;
	ep_buf_init(&out, NO_LIMIT);
	assert_int_equal(ep_zstd_unpack(packed.data, packed.len, &out, NULL), -EBADMSG);
	assert_int_equal(out.len, 0);
}

TEST(zstd_keeps_to_the_limit_exactly)
{
	ep_auto_buf packed, fits, over;
	ep_buf_init(&packed, NO_LIMIT);
	ep_buf_init(&fits, 6);
	ep_buf_init(&over, 5);
	pack("hello ", &packed);
	struct ep_err err = {0};
	assert_int_equal(ep_zstd_unpack(packed.data, packed.len, &fits, NULL), 0);
	assert_int_equal(fits.len, 6);
	assert_int_equal(ep_zstd_unpack(packed.data, packed.len, &over, &err), -E2BIG);
	assert_string_equal(err.text, "zstd unpacks to more than the limit of 5 bytes");
}

TEST(zstd_bomb_stops_at_the_limit)
{
	enum { N = 50 << 20, LIMIT = 1 << 20 };
	void *zeros = calloc(1, N);
	assert_non_null(zeros);
	ep_auto_buf bomb, out;
	ep_buf_init(&bomb, NO_LIMIT);
	ep_buf_init(&out, LIMIT);
	assert_int_equal(ep_zstd_pack(zeros, N, 3, &bomb, NULL), 0);
	free(zeros);
	assert_int_equal(ep_zstd_unpack(bomb.data, bomb.len, &out, NULL), -E2BIG);
	assert_true(out.cap <= 2 * LIMIT);
}

TEST(zstd_gives_no_large_window_to_a_small_frame)
{
	/* Nine bytes that ask for 128 MB. */
	static const uint8_t greedy[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x01, 0x00, 0x00};
	struct ep_err err = {0};
	ep_auto_buf out;
	ep_buf_init(&out, NO_LIMIT);
	assert_int_equal(ep_zstd_unpack(greedy, sizeof(greedy), &out, &err), -E2BIG);
	assert_non_null(strstr(err.text, "window of over 32 MB"));
}
