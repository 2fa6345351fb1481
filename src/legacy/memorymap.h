/*
 * memorymap.h - the memory map at the end of an older profile, and what lies where in
 * it.
 */
#ifndef EP_LEGACY_MEMORYMAP_H
#define EP_LEGACY_MEMORYMAP_H

#include "legacy/plaintext.h"
#include "profile/build.h"

/*
 * ep_memorymap_place - read a memory map and give every location its mapping.
 *
 * in       t  behind the title of the map; read to its end
 *          b  its locations have addresses and no mappings yet.  Locations without an
 *             address get none, those outside of all a mapping without a name
 * out      b  its mappings, the main program first; its locations' mappings
 * errors   -E2BIG  over a limit: text that grows by its own variables, or too many
 *                  overlapping mappings; -ENOMEM
 * threads  one thread at a time per builder
 */
int ep_memorymap_place(struct ep_plaintext *t, struct ep_build *b, struct ep_err *err);

/* The same, with all up to the title skipped first.  Starts with the current line. */
int ep_memorymap_find_and_place(struct ep_plaintext *t, struct ep_build *b,
				struct ep_err *err);

/* Can a mapping of this file be the main program's?  Not a library's, nor "[vdso]". */
bool ep_memorymap_may_be_main(struct ep_slice file);

#endif
