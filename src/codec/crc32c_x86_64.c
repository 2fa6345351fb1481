/* crc32c_x86_64.c - CRC-32C by the SSE 4.2 instruction.  See crc32c.h. */
#include "codec/crc32c.h"

#include <nmmintrin.h>
#include <string.h>

__attribute__((target("sse4.2"))) static uint32_t by_sse42(uint32_t crc,
							   const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t c = ~crc;
	for (; n >= 8; p += 8, n -= 8) {
		uint64_t v;
		memcpy(&v, p, 8);
		c = _mm_crc32_u64(c, v);
	}
	for (; n; p++, n--)
		c = _mm_crc32_u8((uint32_t)c, *p);
	return ~(uint32_t)c;
}

ep_crc32c_fn *ep_crc32c_hardware(void)
{
	return __builtin_cpu_supports("sse4.2") ? by_sse42 : NULL;
}
