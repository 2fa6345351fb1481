/* strdup.c - ep_strdup(), apart from mem.c because it serves every allocator. */
#include "base/mem.h"

#include <string.h>

char *ep_strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *p = ep_alloc(n);
	if (p)
		memcpy(p, s, n);
	return p;
}
