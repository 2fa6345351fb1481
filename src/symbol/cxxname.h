/*
 * cxxname.h - C++ names by libiberty's demangler, with parts left out.
 *
 * Programs only: libeverprof must not bring it into its host.
 */
#ifndef EP_SYMBOL_CXXNAME_H
#define EP_SYMBOL_CXXNAME_H

#include "base/buf.h"

#include <stdbool.h>

#define EP_CXXNAME_MAX (64u << 10)	   /* bytes of a mangled name */
#define EP_CXXNAME_MAX_TEXT ((size_t)1 << 20) /* of what it stands for */

struct ep_cxxname_style {
	bool params;	/* of the function; its result and the clone's name, too */
	bool templates; /* their arguments */
	bool enclosing; /* parameters of a function around a local name */
	bool clones;	/* " [clone .cold]"; without, what follows the name is not read */
};

/*
 * ep_cxxname_demangle - the readable form of a name that begins with _Z.
 *
 * in       name  NUL-terminated, hostile content is fine
 * inout    out   cleared; the readable name on true
 * returns  false when the name is no mangled one, or is or stands for too much
 * threads  any thread
 */
bool ep_cxxname_demangle(const char *name, struct ep_cxxname_style style, struct ep_buf *out);

#endif
