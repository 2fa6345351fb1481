/*
 * rename.h - the readable names of all functions of a profile, in the reference's modes.
 *
 * Source: google/pprof, internal/symbolizer; the text is that of its demangler, which
 * is libiberty's but for the parts that a mode leaves out.
 */
#ifndef EP_SYMBOL_RENAME_H
#define EP_SYMBOL_RENAME_H

#include "symbol/relabel.h"
#include "symbol/symbolize.h"

/* With force, names that are there are made anew from the linker's. */
void ep_rename_all(struct ep_relabel *r, bool force, enum ep_demangle_mode mode);

/*
 * ep_rename - one name.
 *
 * in       name  as linked
 * inout    out   cleared; the readable name; equal to `name` when it can't be read
 */
void ep_rename(const char *name, enum ep_demangle_mode mode, struct ep_buf *out);

#endif
