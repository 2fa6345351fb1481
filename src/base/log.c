/* log.c - see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Written at start-up by main(), read by all threads. */
static enum ep_log_level max_level = EP_LOG_INFO;
static const char *prefix = "everprof";
static bool is_json;

void ep_log_set_level(enum ep_log_level level)
{
	max_level = level;
}

void ep_log_set_name(const char *name)
{
	prefix = name;
}

void ep_log_set_json(bool on)
{
	is_json = on;
}

/* A text between quotes; what does not fit is left out. */
static size_t add_escaped(char *to, size_t room, const char *text)
{
	size_t n = 0;
	for (; *text && n + 7 < room; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			to[n++] = '\\';
		if (c < ' ' || c == 0x7f)
			n += (size_t)snprintf(to + n, room - n, "\\u%04x", c);
		else
			to[n++] = *text;
	}
	return n;
}

static size_t format_json(char *line, size_t room, enum ep_log_level level, const char *message)
{
	static const char *const word[] = {"error", "warning", "info", "debug"};
	struct timespec now;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	size_t n = strftime(line, room, "{\"time\":\"%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(line + n, room - n, ".%03ldZ\",\"level\":\"%s\",\"name\":\"%.40s\",\"message\":\"",
			      now.tv_nsec / 1000000, word[level], prefix);
	n += add_escaped(line + n, room - n - 4, message);
	memcpy(line + n, "\"}\n", 3);
	return n + 3;
}

static size_t format_text(char *line, size_t room, enum ep_log_level level, const char *message)
{
	static const char *const word[] = {"error: ", "warning: ", "", "debug: "};
	int n = snprintf(line, room - 1, "%s: %s%s", prefix, word[level], message);
	size_t len = n > 0 && (size_t)n < room - 1 ? (size_t)n : room - 2;
	line[len++] = '\n';
	return len;
}

void ep_log(enum ep_log_level level, const char *fmt, ...)
{
	if (level > max_level)
		return;
	char message[1024], line[2048];
	va_list ap;
	va_start(ap, fmt);
	int m = vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (m < 0)
		return;
	size_t n = is_json ? format_json(line, sizeof(line), level, message)
			   : format_text(line, 1024, level, message);
	(void)!write(STDERR_FILENO, line, n); /* nowhere left to complain */
}
