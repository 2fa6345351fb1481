#include "test.h"

#include "codec/crc32c.h"

#include <string.h>

TEST(crc32c_gives_the_values_of_the_standard)
{
	uint8_t zeros[32] = {0}, ones[32], up[32];
	memset(ones, 0xff, sizeof(ones));
	for (int i = 0; i < 32; i++)
		up[i] = (uint8_t)i;
	assert_int_equal(ep_crc32c(0, zeros, 32), 0x8a9136aa);
	assert_int_equal(ep_crc32c(0, ones, 32), 0x62a8ab43);
	assert_int_equal(ep_crc32c(0, up, 32), 0x46dd794e);
	assert_int_equal(ep_crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(ep_crc32c(0, "", 0), 0);
}

TEST(crc32c_by_table_and_by_cpu_agree_at_every_length_and_alignment)
{
	uint8_t data[300];
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 167 + 13);
	for (size_t from = 0; from < 9; from++)
		for (size_t n = 0; from + n <= sizeof(data); n++)
			assert_int_equal(ep_crc32c(7, data + from, n),
					 ep_crc32c_table(7, data + from, n));
}

TEST(crc32c_continues_over_pieces)
{
	const char *text = "the quick brown fox jumps over the lazy dog";
	size_t n = strlen(text);
	for (size_t cut = 0; cut <= n; cut++)
		assert_int_equal(
			ep_crc32c(ep_crc32c(0, text, cut), text + cut, n - cut),
			ep_crc32c(0, text, n));
}
