/*
 * collect.h - the functions that an ELF file's symbol tables name.
 */
#ifndef EP_SYMBOL_COLLECT_H
#define EP_SYMBOL_COLLECT_H

#include "base/err.h"
#include "elf/elf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ep_collect_symbol {
	uint64_t start, size;
	uint64_t limit;	  /* end of its section: no symbol reaches further */
	const char *name; /* in the file's strings, NUL-terminated */
	uint8_t rank;	  /* higher is the better of two aliases */
};

enum { EP_COLLECT_MAX_STRINGS = 4 };

/* All zero is a valid empty object. */
struct ep_collect {
	struct ep_collect_symbol *s; /* owned */
	size_t n, cap;
	uint8_t *strings[EP_COLLECT_MAX_STRINGS]; /* owned */
	size_t n_strings;
	bool has_symtab; /* more than the dynamic symbols */
};

void ep_collect_fini(struct ep_collect *c);

/*
 * ep_collect_add - the functions of .symtab and .dynsym.
 *
 * in       e       hostile content is fine; not needed afterwards
 * errors   -EBADMSG, -ENODATA inconsistent; -E2BIG; -EIO; -ENOMEM
 */
int ep_collect_add(struct ep_collect *c, const struct ep_elf *e, struct ep_err *err);

/*
 * ep_collect_entry - _start and main of a stripped program (start_code.h); to be called
 * when no symbol table names them.  -E2BIG, -ENOMEM.
 */
int ep_collect_entry(struct ep_collect *c, const struct ep_elf *e, struct ep_err *err);

/*
 * ep_collect_sort - by address, one symbol an address, all with a size.
 *
 * Of aliases the best by these rules, in this order: a function before a label;
 * one with a size; fewer leading underscores; global before weak before local;
 * the shorter name; the first in byte order.  A symbol without a size reaches
 * to the next one, at most to the end of its section.
 */
void ep_collect_sort(struct ep_collect *c);

#endif
