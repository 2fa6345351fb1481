/*
 * demangle_cxx.c - C++ names by the runtime's own demangler.  See demangle.h.
 *
 * The demangler has no limit of its own, and a name of 300 letters can stand for
 * gigabytes: every substitution may repeat one that repeats others.  With n of
 * them the result is at most about 3^(n/3) times longer, so names with more than
 * 40 are left alone; that bounds it to some 15 MB in the worst case.
 *
 * Source: Itanium C++ ABI, 3.4 and 5.1.
 */
#include "symbol/demangle.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_REPEATS = 40 };

/* From the C++ runtime; declared here, since <cxxabi.h> is C++. */
char *__cxa_demangle(const char *name, char *buf, size_t *n, int *ret_status);

/* S_, S0_, …, T_, T0_, …: what may repeat something. */
static unsigned count_repeats(const char *name)
{
	unsigned n = 0;
	for (const char *p = name; *p; p++) {
		if (*p != 'S' && *p != 'T')
			continue;
		const char *q = p + 1;
		while ((*q >= '0' && *q <= '9') || (*q >= 'A' && *q <= 'Z'))
			q++;
		n += *q == '_';
	}
	return n;
}

bool ep_demangle_cxx(const char *name, struct ep_buf *out)
{
	if (count_repeats(name) > MAX_REPEATS)
		return false;
	int status = -1;
	char *text = __cxa_demangle(name, NULL, NULL, &status);
	if (status == 0 && text)
		ep_buf_add_str(out, text);
	free(text);
	return status == 0 && !ep_buf_failed(out);
}
