/*
 * demangle.h - linkers' names for people.
 *
 * Rust by our own code; C++ by libiberty, in the programs only: libeverprof must not
 * bring it into its host, and has a pass-through instead.
 */
#ifndef EP_SYMBOL_DEMANGLE_H
#define EP_SYMBOL_DEMANGLE_H

#include "base/buf.h"

#include <stdbool.h>

#define EP_DEMANGLE_MAX_NAME 1024u /* longer ones stay as they are, bytes */

/*
 * ep_demangle - the readable form of a name.
 *
 * in       name   NUL-terminated, hostile content is fine
 * inout    out    cleared; the readable name on true
 * returns  false when the name is no mangled one, or too long or too deep
 * threads  any thread
 */
bool ep_demangle(const char *name, struct ep_buf *out);

/* The C++ part: demangle_cxx.c in the programs, demangle_none.c in libeverprof. */
bool ep_demangle_cxx(const char *name, struct ep_buf *out);

#endif
