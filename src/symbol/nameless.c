/* nameless.c - see nameless.h. */
#include "symbol/nameless.h"

#include <stdio.h>
#include <string.h>

enum { MAX_FILE = 400 };
static const char before[] = "+0x";

static struct ep_slice file_of(struct ep_slice path)
{
	size_t from = path.n;
	while (from > 0 && path.p[from - 1] != '/')
		from--;
	struct ep_slice s = {path.p + from, path.n - from};
	if (!s.n)
		return ep_slice_of("[unknown]");
	s.n = s.n < MAX_FILE ? s.n : MAX_FILE;
	return s;
}

struct ep_slice ep_nameless_format(struct ep_slice path, uint64_t file_offset,
				   char ret_text[EP_NAMELESS_MAX])
{
	struct ep_slice file = file_of(path);
	int n = snprintf(ret_text, EP_NAMELESS_MAX, "%.*s%s%llx", EP_SLICE_ARG(file),
			 before, (unsigned long long)file_offset);
	return (struct ep_slice){ret_text, (size_t)n};
}

bool ep_nameless_is(struct ep_slice name, struct ep_slice path)
{
	struct ep_slice file = file_of(path);
	size_t at = file.n + sizeof(before) - 1;
	if (name.n <= at || name.n > at + 16 || memcmp(name.p, file.p, file.n) != 0 ||
	    memcmp(name.p + file.n, before, sizeof(before) - 1) != 0)
		return false;
	for (; at < name.n; at++)
		if (!strchr("0123456789abcdef", name.p[at]) || !name.p[at])
			return false;
	return true;
}
