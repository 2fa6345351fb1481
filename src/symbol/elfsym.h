/*
 * elfsym.h - an ELF file's symbol table as debuggers read it.
 *
 * Unlike collect.h, which picks the best name of a function for people, this keeps
 * each symbol and answers by the rules of the tools that the reference asks: those of
 * llvm-symbolizer for the name of a function, of nm for names alone.
 *
 * Source: LLVM's SymbolizableObjectFile; google/pprof's addr2liner_nm.go.
 */
#ifndef EP_SYMBOL_ELFSYM_H
#define EP_SYMBOL_ELFSYM_H

#include "symbol/elffile.h"

#define EP_ELFSYM_MAX (8u << 20) /* symbols */

struct ep_elfsym_symbol {
	uint64_t address, size;
	const char *name; /* as linked */
	const char *file; /* of a local symbol; "" unknown */
	uint32_t number;  /* in the table */
	bool is_code, is_data, is_weak;
};

struct ep_elfsym {
	struct ep_elfsym_symbol *s; /* owned; rising address, size, number */
	size_t n;
};

/*
 * ep_elfsym_read - .symtab, or .dynsym when there is none.
 *
 * in       f     strings point into it; must outlive the table
 * errors   -ENOENT neither, or an empty one; -ENOMEM
 */
int ep_elfsym_read(struct ep_elffile *f, struct ep_elfsym *ret_names);
void ep_elfsym_fini(struct ep_elfsym *n);

/* The symbol that holds an address: of those that begin at one address the longest,
 * then the last; one without a size reaches on.  NULL: none. */
const struct ep_elfsym_symbol *ep_elfsym_find(const struct ep_elfsym *n, uint64_t address);
/* The same by nm's rule: one with a size that begins last at or before the address;
 * code reaches up to the next one whatever its size. */
const struct ep_elfsym_symbol *ep_elfsym_before(const struct ep_elfsym *n, uint64_t address);
/* NULL: none of that name. */
const struct ep_elfsym_symbol *ep_elfsym_by_name(const struct ep_elfsym *n, const char *name);

#endif
