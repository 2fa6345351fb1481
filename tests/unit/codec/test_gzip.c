#include "test.h"

#include "codec/gzip.h"

#include <stdlib.h>
#include <string.h>

/* Two members of gzip -9: "hello ", "world\n". */
static const uint8_t hello[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
				0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0x00, 0x00,
				0xf6, 0xf9, 0x81, 0xed, 0x06, 0x00, 0x00, 0x00};
static const uint8_t world[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
				0x03, 0x2b, 0xcf, 0x2f, 0xca, 0x49, 0xe1, 0x02, 0x00,
				0xa8, 0x61, 0x38, 0xdd, 0x06, 0x00, 0x00, 0x00};
enum { NO_LIMIT = 1 << 30 };

static void expect(const void *data, size_t n, size_t max, int code,
		   const char *content)
{
	struct ep_err err = {0};
	ep_auto_buf out;
	ep_buf_init(&out, max);
	ep_buf_add_str(&out, ">");
	int rc = ep_gzip_unpack(data, n, &out, &err);
	assert_int_equal(rc, code);
	assert_int_equal(err.code, code);
	assert_int_equal(out.len, 1 + strlen(content));
	assert_memory_equal(out.data + 1, content, out.len - 1);
}

TEST(gzip_joins_members)
{
	uint8_t both[sizeof(hello) + sizeof(world)];
	memcpy(both, hello, sizeof(hello));
	memcpy(both + sizeof(hello), world, sizeof(world));
	expect(hello, sizeof(hello), NO_LIMIT, 0, "hello ");
	expect(both, sizeof(both), NO_LIMIT, 0, "hello world\n");
}

TEST(gzip_refuses_every_cut)
{
	for (size_t n = 0; n < sizeof(hello); n++) {
		struct ep_err err = {0};
		ep_auto_buf out;
		ep_buf_init(&out, NO_LIMIT);
		int rc = ep_gzip_unpack(hello, n, &out, &err);
		assert_true(rc == -ENODATA || rc == -EBADMSG);
		assert_int_equal(out.len, 0);
	}
}

TEST(gzip_refuses_every_wrong_checksum_and_size)
{
	for (size_t at = sizeof(hello) - 8; at < sizeof(hello); at++) {
		uint8_t bad[sizeof(hello)];
		memcpy(bad, hello, sizeof(hello));
		bad[at] ^= 1;
		expect(bad, sizeof(bad), NO_LIMIT, -EBADMSG, "");
	}
}

TEST(gzip_refuses_what_follows_and_is_no_member)
{
	uint8_t bad[sizeof(hello) + 20] = {0};
	memcpy(bad, hello, sizeof(hello));
	struct ep_err err = {0};
	ep_auto_buf out;
	ep_buf_init(&out, NO_LIMIT);
	assert_int_equal(ep_gzip_unpack(bad, sizeof(bad), &out, &err), -EBADMSG);
	assert_int_equal(err.pos, sizeof(hello));
	assert_string_equal(err.text,
			    "20 bytes behind a gzip member are no other member");
}

TEST(gzip_keeps_to_the_limit_exactly)
{
	expect(hello, sizeof(hello), 1 + 6, 0, "hello ");
	expect(hello, sizeof(hello), 1 + 5, -E2BIG, "");
	expect(hello, sizeof(hello), 1, -E2BIG, "");
}

TEST(gzip_bomb_stops_at_the_limit)
{
	enum { N = 50 << 20, LIMIT = 1 << 20 };
	void *zeros = calloc(1, N);
	assert_non_null(zeros);
	ep_auto_buf bomb;
	ep_buf_init(&bomb, NO_LIMIT);
	assert_int_equal(ep_gzip_pack(zeros, N, EP_GZIP_SMALL, &bomb, NULL), 0);
	free(zeros);
	assert_true(bomb.len < N / 900);
	struct ep_err err = {0};
	ep_auto_buf out;
	ep_buf_init(&out, LIMIT);
	assert_int_equal(ep_gzip_unpack(bomb.data, bomb.len, &out, &err), -E2BIG);
	assert_true(out.cap <= LIMIT);
	assert_string_equal(err.text,
			    "gzip unpacks to more than the limit of 1048576 bytes");
}

TEST(gzip_packs_what_it_unpacks_at_every_level)
{
	enum { N = 100000 };
	uint8_t *data = malloc(N);
	assert_non_null(data);
	for (size_t i = 0; i < N; i++)
		data[i] = (uint8_t)((i * i >> 7) ^ i);
	for (int level = 1; level <= 12; level++) {
		ep_auto_buf packed, out;
		ep_buf_init(&packed, NO_LIMIT);
		ep_buf_init(&out, N);
		assert_int_equal(ep_gzip_pack(data, N, level, &packed, NULL), 0);
		assert_int_equal(ep_gzip_unpack(packed.data, packed.len, &out, NULL),
				 0);
		assert_int_equal(out.len, N);
		assert_memory_equal(out.data, data, N);
	}
	free(data);
}

TEST(gzip_packing_nothing_gives_an_empty_member)
{
	ep_auto_buf packed, out;
	ep_buf_init(&packed, 100);
	ep_buf_init(&out, 100);
	assert_int_equal(ep_gzip_pack("", 0, 1, &packed, NULL), 0);
	assert_int_equal(ep_gzip_unpack(packed.data, packed.len, &out, NULL), 0);
	assert_int_equal(out.len, 0);
}

TEST(gzip_packing_keeps_to_the_limit)
{
	ep_auto_buf packed;
	ep_buf_init(&packed, 20);
	struct ep_err err = {0};
	assert_int_equal(ep_gzip_pack("0123456789abcdef", 16, 1, &packed, &err),
			 -E2BIG);
	assert_int_equal(packed.len, 0);
	assert_int_equal(ep_gzip_pack("x", 1, 13, &packed, NULL), -EINVAL);
}
