/*
 * start_code.h - where _start and main are in a program without symbols.
 *
 * Debian's programs are stripped, so that nothing says where main is.  But the
 * ELF header says where the program is entered, the code there takes main's
 * address to pass it to libc, and .eh_frame says where functions begin and
 * end.
 */
#ifndef EP_SYMBOL_START_CODE_H
#define EP_SYMBOL_START_CODE_H

#include "elf/elf.h"

struct ep_start_code_function {
	uint64_t start, size; /* virtual address; size 0: not found */
};

struct ep_start_code {
	struct ep_start_code_function start, main;
};

/* What can be found; hostile content is fine.  Any thread. */
struct ep_start_code ep_start_code_find(const struct ep_elf *e);

#endif
