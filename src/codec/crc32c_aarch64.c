/* crc32c_aarch64.c - CRC-32C by the instruction of ARMv8-A.  See crc32c.h. */
#include "codec/crc32c.h"

#include <arm_acle.h>
#include <asm/hwcap.h>
#include <string.h>
#include <sys/auxv.h>

__attribute__((target("+crc"))) static uint32_t by_armv8(uint32_t crc, const void *data,
							 size_t n)
{
	const uint8_t *p = data;
	uint32_t c = ~crc;
	for (; n >= 8; p += 8, n -= 8) {
		uint64_t v;
		memcpy(&v, p, 8);
		c = __crc32cd(c, v);
	}
	for (; n; p++, n--)
		c = __crc32cb(c, *p);
	return ~c;
}

ep_crc32c_fn *ep_crc32c_hardware(void)
{
	return getauxval(AT_HWCAP) & HWCAP_CRC32 ? by_armv8 : NULL;
}
