/*
 * base.h - from an address in a process to the numbering of the ELF file there.
 *
 * A mapping says which bytes of a file lie where; the program header of those bytes
 * says what addresses the file itself gives them.  Kernels are special: their mapping
 * starts at a symbol, and has no true offset.
 *
 * Source: the reference's rules, google/pprof internal/elfexec.
 */
#ifndef EP_SYMBOL_BASE_H
#define EP_SYMBOL_BASE_H

#include "base/err.h"
#include "elf/elf.h"

#include <stdbool.h>

struct ep_base_mapping {
	uint64_t start, limit, offset;
	bool has_kernel_symbol;
	uint64_t kernel_symbol; /* value of _stext (or _text) in the file */
};

/* Would the rules below need the kernel's symbol? */
bool ep_base_wants_symbol(const char *path, const struct ep_base_mapping *m);

/*
 * ep_base_find - what to subtract from a process address.
 *
 * errors   -EINVAL  outside of the mapping; -ENOTSUP no rule for such a file
 * cost     the program headers are walked
 */
int ep_base_find(const struct ep_elf *e, const struct ep_base_mapping *m, uint64_t address,
		 uint64_t *ret_base, struct ep_err *err);
/* The same for no certain address: can this file be the mapping's at all? */
int ep_base_check(const struct ep_elf *e, const struct ep_base_mapping *m, struct ep_err *err);

#endif
