/* demangle_none.c - libeverprof leaves C++ names as they are.  See demangle.h. */
#include "symbol/demangle.h"

bool ep_demangle_cxx(const char *name, struct ep_buf *out)
{
	(void)name;
	(void)out;
	return false;
}
