/*
 * crc32c.h - CRC-32C (Castagnoli), the checksum of every format of ours.
 *
 * Source: RFC 3720, appendix B.4 (polynomial 0x1EDC6F41, reflected).
 */
#ifndef EP_CODEC_CRC32C_H
#define EP_CODEC_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * ep_crc32c - the checksum of some bytes, or of bytes that follow others.
 *
 * in       crc   0, or the checksum of what came before
 * threads  any thread; not signal-safe (the first call builds a table)
 * cost     with the CPU's instruction about 0.15 ns a byte, else 0.5
 */
uint32_t ep_crc32c(uint32_t crc, const void *p, size_t n);

/* The same by table, on any CPU: what the tests hold the other against. */
uint32_t ep_crc32c_table(uint32_t crc, const void *p, size_t n);

/* By the CPU's instruction, NULL where it has none.  One file a CPU family. */
typedef uint32_t ep_crc32c_fn(uint32_t crc, const void *p, size_t n);
ep_crc32c_fn *ep_crc32c_hardware(void);

#endif
