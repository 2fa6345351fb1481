/* log.c - see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* Written at start-up by main(), read by all threads. */
static enum ep_log_level max_level = EP_LOG_INFO;
static const char *prefix = "everprof";

void ep_log_set_level(enum ep_log_level level)
{
	max_level = level;
}

void ep_log_set_name(const char *name)
{
	prefix = name;
}

void ep_log(enum ep_log_level level, const char *fmt, ...)
{
	static const char *const word[] = {"error: ", "warning: ", "", "debug: "};
	if (level > max_level)
		return;
	char line[1024];
	int n = snprintf(line, sizeof(line), "%s: %s", prefix, word[level]);
	va_list ap;
	va_start(ap, fmt);
	int m = vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	if (m < 0)
		return;
	size_t len = (size_t)(n + m) < sizeof(line) - 1 ? (size_t)(n + m) : sizeof(line) - 2;
	line[len++] = '\n';
	(void)!write(STDERR_FILENO, line, len); /* nowhere left to complain */
}
