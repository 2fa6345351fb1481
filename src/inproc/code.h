/*
 * code.h - which code lies where in this process, over time.
 *
 * A map is immutable; each has a number, which samples carry, so that an address
 * is looked up in the map of its own moment: after dlclose() and dlopen() the same
 * address may be other code.  Maps go when no handler and no sample needs them.
 * Mappings, and the unwind tables of files, are kept for the life of the process
 * (docs/decisions/0302-code-maps.md).
 *
 * Threads: ep_code_compile_next() needs no lock of the caller; all else under
 * the drain lock (drain.h).
 */
#ifndef EP_INPROC_CODE_H
#define EP_INPROC_CODE_H

#include "elf/elf.h"

#include <stdbool.h>
#include <stdint.h>

#define EP_CODE_NONE UINT32_MAX
/* No code at all: the frame's address is that of a struct everprof_labels. */
#define EP_CODE_LABELS (UINT32_MAX - 1)

/* Executable memory of a file, as it was mapped once. */
struct ep_code_mapping {
	uint64_t start, limit, file_offset;
	const char *path;
	char build_id[EP_ELF_HEX_MAX]; /* hex, or "" */
};

/*
 * ep_code_refresh - publish a new map if the process's code has changed.
 *
 * in       force  look at /proc/self/maps even if no library came or went (JITs)
 * errors   -ENOMEM; the old map stays
 */
int ep_code_refresh(bool force);

/* The mapping of an address: EP_CODE_NONE when there was none. */
uint32_t ep_code_find(uint32_t map_number, uint64_t address);
const struct ep_code_mapping *ep_code_mapping(uint32_t id);
uint32_t ep_code_n_mappings(void);
/* The program itself; NULL before the first refresh. */
const struct ep_code_mapping *ep_code_main(void);

/*
 * Old maps go in two steps around emptying the rings: mark those that no handler
 * holds; empty the rings, so that no sample refers to them; drop them.
 */
void ep_code_mark_old_maps(void);
void ep_code_drop_marked_maps(void);

/*
 * Compile the unwind table of one file that lacks it.
 *
 * returns  false when there was none to do.  Call ep_code_attach() under the lock then.
 * cost     15 ms for libc; reads files
 */
bool ep_code_compile_next(void);
/* Publish a map with the tables compiled meanwhile. */
void ep_code_attach(void);

void ep_code_child(void); /* after a fork, in the child */

#endif
