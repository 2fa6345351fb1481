/* demangle.c - which mangling is it?  See demangle.h. */
#include "symbol/demangle.h"

#include "symbol/rust.h"

#include <string.h>

bool ep_demangle(const char *name, struct ep_buf *out)
{
	ep_buf_clear(out);
	if (name[0] != '_' ||
	    strnlen(name, EP_DEMANGLE_MAX_NAME + 1) > EP_DEMANGLE_MAX_NAME)
		return false;
	/* Rust's older mangling is valid C++, so it comes first. */
	bool ok = name[1] == 'R'
			  ? ep_rust_demangle(name, out)
			  : name[1] == 'Z' && (ep_rust_demangle_legacy(name, out) ||
					       ep_demangle_cxx(name, out));
	return ok && !ep_buf_failed(out) && out->len > 0;
}
