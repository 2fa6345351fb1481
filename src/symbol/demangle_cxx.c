/* demangle_cxx.c - C++ names whole.  See demangle.h. */
#include "symbol/demangle.h"

#include "symbol/cxxname.h"

bool ep_demangle_cxx(const char *name, struct ep_buf *out)
{
	struct ep_cxxname_style whole = {true, true, true, true};
	return ep_cxxname_demangle(name, whole, out);
}
