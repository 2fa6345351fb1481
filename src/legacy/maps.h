/*
 * maps.h - the memory map at the end of an older profile, and what lies where in it.
 */
#ifndef EP_LEGACY_MAPS_H
#define EP_LEGACY_MAPS_H

#include "legacy/text.h"
#include "profile/build.h"

/*
 * ep_maps_place - read a memory map and give every location its mapping.
 *
 * in       t  behind the title of the map; read to its end
 *          b  its locations have addresses and no mappings yet.  Locations without an
 *             address get none, those outside of all a mapping without a name
 * out      b  its mappings, the main program first; its locations' mappings
 * errors   -E2BIG  over a limit: text that grows by its own variables, or too many
 *                  overlapping mappings; -ENOMEM
 * threads  one thread at a time per builder
 */
int ep_maps_place(struct ep_text *t, struct ep_build *b, struct ep_err *err);

/* The same, with all up to the title skipped first.  Starts with the current line. */
int ep_maps_find_and_place(struct ep_text *t, struct ep_build *b, struct ep_err *err);

/* Can a mapping of this file be the main program's?  Not a library's, nor "[vdso]". */
bool ep_maps_may_be_main(struct ep_slice file);

#endif
