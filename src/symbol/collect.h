/*
 * collect.h - the functions that an ELF file's symbol tables name.
 */
#ifndef EP_SYMBOL_COLLECT_H
#define EP_SYMBOL_COLLECT_H

#include "base/arena.h"
#include "base/err.h"
#include "elf/elf.h"
#include "unwind/build/frames.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ep_collect_symbol {
	uint64_t start, size;
	uint64_t limit;	  /* end of its section: no symbol reaches further */
	const char *name; /* in the file's strings, NUL-terminated; "" when unknown */
	uint8_t rank;	  /* higher is the better of two aliases */
};

enum { EP_COLLECT_MAX_STRINGS = 4 };

/* All zero is a valid empty object. */
struct ep_collect {
	struct ep_collect_symbol *s; /* owned */
	size_t n, cap;
	uint8_t *strings[EP_COLLECT_MAX_STRINGS]; /* owned */
	size_t n_strings;
	struct ep_arena *made; /* owned; names that are in no file */
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

/* One more.  -E2BIG, -ENOMEM. */
int ep_collect_add_symbol(struct ep_collect *c, struct ep_collect_symbol s,
			  struct ep_err *err);
/* A copy of a name that lives as long as c; NULL past a bound, or without memory. */
const char *ep_collect_keep(struct ep_collect *c, const char *name, size_t n);

/* By address; of one address the best first. */
void ep_collect_order(struct ep_collect *c);

/*
 * ep_collect_sort - by address, one symbol an address, all with a size.
 *
 * in       functions  [n], rising by start: where functions are by other knowledge
 *
 * Of aliases the best by these rules, in this order: a function before a label;
 * one with a size; fewer leading underscores; global before weak before local;
 * the shorter name; the first in byte order.  A symbol without a size reaches
 * to the next one, at most to the end of its section and of the function it lies
 * in; outside of functions, to the next function.
 */
void ep_collect_sort(struct ep_collect *c, const struct ep_frames_code *functions,
		     size_t n);

#endif
