/* crc32c.c - by table, and the choice between that and the CPU.  See crc32c.h. */
#include "codec/crc32c.h"

#include <endian.h>
#include <pthread.h>
#include <string.h>

static const uint32_t polynomial = 0x82f63b78; /* reflected */

/* table[k][b]: byte b followed by k zero bytes ("slicing by 8"). */
static uint32_t table[8][256];
static ep_crc32c_fn *hardware;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up(void)
{
	for (uint32_t b = 0; b < 256; b++) {
		uint32_t c = b;
		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? c >> 1 ^ polynomial : c >> 1;
		table[0][b] = c;
	}
	for (uint32_t b = 0; b < 256; b++)
		for (int k = 1; k < 8; k++)
			table[k][b] =
				table[k - 1][b] >> 8 ^ table[0][table[k - 1][b] & 0xff];
	hardware = ep_crc32c_hardware();
}

static uint32_t by_table(uint32_t crc, const uint8_t *p, size_t n)
{
	for (; n >= 8; p += 8, n -= 8) {
		uint64_t v;
		memcpy(&v, p, 8);
		v = le64toh(v) ^ crc;
		crc = table[7][v & 0xff] ^ table[6][v >> 8 & 0xff] ^
		      table[5][v >> 16 & 0xff] ^ table[4][v >> 24 & 0xff] ^
		      table[3][v >> 32 & 0xff] ^ table[2][v >> 40 & 0xff] ^
		      table[1][v >> 48 & 0xff] ^ table[0][v >> 56];
	}
	for (; n; p++, n--)
		crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
	return crc;
}

uint32_t ep_crc32c_table(uint32_t crc, const void *p, size_t n)
{
	(void)pthread_once(&once, set_up); /* fails only for an invalid argument */
	return ~by_table(~crc, p, n);
}

uint32_t ep_crc32c(uint32_t crc, const void *p, size_t n)
{
	(void)pthread_once(&once, set_up); /* fails only for an invalid argument */
	return hardware ? hardware(crc, p, n) : ~by_table(~crc, p, n);
}
