/* Vectors of FIPS 180-4's examples, and every length around a block against libcrypto. */
#include "codec/sha256.h"

#include "../test.h"

#include <openssl/sha.h>
#include <string.h>

TEST(sha256_of_abc)
{
	uint8_t got[EP_SHA256_BYTES];
	ep_sha256("abc", 3, got);
	assert_memory_equal(got, "\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23"
				 "\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad",
			    EP_SHA256_BYTES);
}

TEST(sha256_is_libcryptos_at_every_length)
{
	uint8_t text[300], got[EP_SHA256_BYTES], want[EP_SHA256_BYTES];
	for (size_t n = 0; n < sizeof(text); n++) {
		text[n] = (uint8_t)(n * 37);
		ep_sha256(text, n, got);
		SHA256(text, n, want);
		assert_memory_equal(got, want, EP_SHA256_BYTES);
	}
}
