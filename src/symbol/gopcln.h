/*
 * gopcln.h - the table that every Go program has, also a stripped one: functions with
 * their files and lines.
 *
 * What was inlined is not in it: a line is that of the inlined code, a name that of the
 * function around.  Go 1.18 and later.
 *
 * Source: Go's src/internal/abi/symtab.go and runtime/symtab.go.
 */
#ifndef EP_SYMBOL_GOPCLN_H
#define EP_SYMBOL_GOPCLN_H

#include "symbol/elffile.h"

/* All zero: there is none. */
struct ep_gopcln {
	struct ep_elffile_bytes table, names, units, files, values, functions;
	uint64_t text; /* address that offsets count from */
	uint64_t n;    /* functions */
	uint8_t quantum;
	bool has_start_line;
};

struct ep_gopcln_line {
	const char *function, *file; /* "" unknown; live as long as the file */
	uint32_t line, start_line;   /* 0 unknown */
};

/* False when the file has none, or one of another version. */
bool ep_gopcln_open(struct ep_elffile *f, struct ep_gopcln *ret_g);
/* False outside of all functions; hostile content is fine. */
bool ep_gopcln_find(const struct ep_gopcln *g, uint64_t address, struct ep_gopcln_line *ret_l);

#endif
