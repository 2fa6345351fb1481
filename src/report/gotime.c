/* gotime.c - see gotime.h.  Source: Go's package time (Time.String, Duration.String). */
#include "report/gotime.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SECOND = 1000000000 };

/* Whole seconds below a time, and the nanoseconds above them. */
static time_t seconds_of(int64_t time_ns, int *ret_ns)
{
	int64_t s = time_ns / SECOND, ns = time_ns % SECOND;
	*ret_ns = (int)(ns < 0 ? ns + SECOND : ns);
	return (time_t)(s - (ns < 0));
}

static void add_part(struct ep_buf *out, const char *format, const struct tm *tm)
{
	char text[80];
	if (strftime(text, sizeof(text), format, tm))
		ep_buf_add_str(out, text);
}

/* ".5" of 500000000; nothing of 0. */
static void format_fraction(char ret[12], uint64_t ns)
{
	snprintf(ret, 12, ".%09d", (int)ns);
	size_t n = 10;
	while (n && (ret[n - 1] == '0' || ret[n - 1] == '.'))
		n--;
	ret[n] = '\0';
}

void ep_gotime_add_time(struct ep_buf *out, int64_t time_ns)
{
	int ns;
	struct tm tm;
	char fraction[12];
	time_t s = seconds_of(time_ns, &ns);
	if (!localtime_r(&s, &tm))
		return;
	format_fraction(fraction, (uint64_t)ns);
	add_part(out, "%Y-%m-%d %H:%M:%S", &tm);
	ep_buf_add_str(out, fraction);
	add_part(out, " %z %Z", &tm);
}

void ep_gotime_add_short_time(struct ep_buf *out, int64_t time_ns)
{
	int ns;
	struct tm tm;
	time_t s = seconds_of(time_ns, &ns);
	if (localtime_r(&s, &tm))
		add_part(out, "%Y-%m-%d %H:%M:%S %Z", &tm);
}

/* Below a second the unit is as small as it must be. */
static void format_small(char ret[EP_GOTIME_DURATION_MAX], const char *sign, uint64_t ns)
{
	const char *unit = ns < 1000 ? "ns" : ns < 1000000 ? "µs" : "ms";
	uint64_t size = ns < 1000 ? 1 : ns < 1000000 ? 1000 : 1000000;
	char fraction[12];
	format_fraction(fraction, ns % size * (SECOND / size));
	snprintf(ret, EP_GOTIME_DURATION_MAX, "%s%" PRIu64 "%s%s", sign, ns / size, fraction,
		 unit);
}

void ep_gotime_duration(char ret[EP_GOTIME_DURATION_MAX], int64_t duration_ns)
{
	uint64_t ns = duration_ns < 0 ? 0 - (uint64_t)duration_ns : (uint64_t)duration_ns;
	const char *sign = duration_ns < 0 ? "-" : "";
	if (!ns) {
		snprintf(ret, EP_GOTIME_DURATION_MAX, "0s");
		return;
	}
	if (ns < SECOND) {
		format_small(ret, sign, ns);
		return;
	}
	char fraction[12];
	format_fraction(fraction, ns % SECOND);
	uint64_t s = ns / SECOND, hours = s / 3600, minutes = s / 60 % 60;
	int n = snprintf(ret, EP_GOTIME_DURATION_MAX, "%s", sign);
	if (hours)
		n += snprintf(ret + n, EP_GOTIME_DURATION_MAX - (size_t)n, "%" PRIu64 "h", hours);
	if (hours || minutes)
		n += snprintf(ret + n, EP_GOTIME_DURATION_MAX - (size_t)n, "%" PRIu64 "m",
			      minutes);
	snprintf(ret + n, EP_GOTIME_DURATION_MAX - (size_t)n, "%" PRIu64 "%ss", s % 60, fraction);
}
