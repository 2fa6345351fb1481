/*
 * tables.h - where the unwind tables of this process come from.
 *
 * From files that all processes share (unwind/build/tablecache.h); what these don't have
 * is compiled, and put there for the next one.
 */
#ifndef EP_INPROC_TABLES_H
#define EP_INPROC_TABLES_H

#include "unwind/build/tablefile.h"

/* Code of this process whose table is wanted. */
struct ep_tables_code {
	struct ep_compile_key key; /* without a build ID, its hash is not known yet */
	const char *path;
	/* Of code that is in memory for good, and in no file (the vDSO); else NULL. */
	const Elf64_Phdr *segments;
	size_t n_segments;
	uint64_t bias;
};

/* Before the first get; reads the environment.  A second time it does nothing. */
void ep_tables_init(void);

/*
 * ep_tables_get - the table of some code.
 *
 * out      ret    kept for the life of the process
 * errors   -ENOENT and others: it has none, or the file is another one by now
 * threads  one at a time; never in a handler
 */
int ep_tables_get(const struct ep_tables_code *code, struct ep_tablefile *ret);
/* There is no more to get for now: time may pass until the next one. */
void ep_tables_done(void);

#endif
