/* err.c - see err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int ep_fail(struct ep_err *err, int code, uint64_t pos, const char *fmt, ...)
{
	if (!err || err->code)
		return code;
	err->code = code;
	err->pos = pos;
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap); /* a long line is cut */
	va_end(ap);
	return code;
}

void ep_err_context(struct ep_err *err, const char *fmt, ...)
{
	if (!err || !err->code)
		return;
	char old[sizeof(err->text)];
	memcpy(old, err->text, sizeof(old));
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n + 3 >= sizeof(err->text))
		return;
	(void)snprintf(err->text + n, sizeof(err->text) - (size_t)n, ": %s", old);
}
