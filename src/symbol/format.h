/*
 * format.h - a symbol table as it lies in a file: docs/formats/symtab.md.
 *
 *     header | segments | symbols, rising start | strings, each NUL-terminated
 */
#ifndef EP_SYMBOL_FORMAT_H
#define EP_SYMBOL_FORMAT_H

#include <stdint.h>

#define EP_FORMAT_MAGIC 0x4241544d59535045ull /* "EPSYMTAB" in memory */
#define EP_FORMAT_VERSION 2u
#define EP_FORMAT_BUILD_ID 72u
#define EP_FORMAT_MAX_SEGMENTS 256u
#define EP_FORMAT_MAX_SYMBOLS (1u << 23)
#define EP_FORMAT_MAX_STRINGS (1u << 30)

struct ep_format_head {
	uint64_t magic;
	uint32_t version;
	uint32_t n_segments;
	uint64_t n_bytes;  /* of the whole table */
	uint64_t checksum; /* XXH3-64 of the whole table with 0 here */
	uint32_t n_symbols;
	uint32_t n_strings;		   /* bytes; string 0 is empty */
	char build_id[EP_FORMAT_BUILD_ID]; /* hex and NUL, padded with NUL; "" when none
					    */
};

struct ep_format_segment {
	uint64_t offset, vaddr,
		n_bytes; /* a PT_LOAD: file offset, address, size in the file */
};

struct ep_format_symbol {
	uint64_t start;
	uint32_t size;
	uint32_t name;	 /* offset in strings: for display; 0: a function without one */
	uint32_t system; /* as linked; equal to name when nothing was demangled */
	uint32_t reserved;
};

#endif
