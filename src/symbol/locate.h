/*
 * locate.h - where the binary of a mapping lies on this machine.
 *
 * Source: the reference's search order, google/pprof's locateBinaries; the names are
 * those that gdb, perf and LLVM use for their folders.
 */
#ifndef EP_SYMBOL_LOCATE_H
#define EP_SYMBOL_LOCATE_H

#include "base/buf.h"
#include "base/notes.h"
#include "symbol/elffile.h"

struct ep_locate {
	const char *search_path; /* folders, by colons; NULL: none */
	const char *file;	 /* the mapping's; "" unknown */
	const char *build_id;	 /* the mapping's; "" unknown */
	const struct ep_notes *notes;
};

/*
 * ep_locate_find - the first file in the search path that opens and has the build ID.
 *
 * out      ret_f    owned by the caller; its path is what was found
 * errors   -ENOENT  none; those with another build ID have been noted
 */
int ep_locate_find(const struct ep_locate *l, struct ep_elffile **ret_f);

#endif
