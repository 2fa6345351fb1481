/* attime.c - see attime.h. */
#include "codec/attime.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int parse_unit(const char *word, uint64_t *ret_s)
{
	static const struct {
		const char *word;
		uint64_t s;
	} units[] = {
		{"s", 1},	{"m", 60},	    {"min", 60},	{"h", 3600},
		{"d", 86400},	{"w", 7 * 86400},   {"mon", 30 * 86400}, {"M", 30 * 86400},
		{"y", 365 * 86400},
	};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(units[i].word, word)) {
			*ret_s = units[i].s;
			return 0;
		}
	return -EINVAL;
}

/* What stands behind "now": nothing, or -NUMBER UNIT. */
static int parse_ago(const char *text, uint64_t now_ns, uint64_t *ret_ns)
{
	uint64_t unit_s, ago_ns;
	char *end;
	if (!*text) {
		*ret_ns = now_ns;
		return 0;
	}
	if (text[0] != '-' || text[1] < '0' || text[1] > '9')
		return -EINVAL;
	errno = 0;
	unsigned long long n = strtoull(text + 1, &end, 10);
	if (errno || parse_unit(end, &unit_s) < 0 ||
	    __builtin_mul_overflow(n, unit_s * EP_NS_PER_S, &ago_ns))
		return -EINVAL;
	*ret_ns = ago_ns < now_ns ? now_ns - ago_ns : 0;
	return 0;
}

static int parse_day(uint64_t yyyymmdd, uint64_t *ret_ns)
{
	struct tm tm = {.tm_year = (int)(yyyymmdd / 10000) - 1900,
			.tm_mon = (int)(yyyymmdd / 100 % 100) - 1,
			.tm_mday = (int)(yyyymmdd % 100)};
	if (tm.tm_year < 70 || tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 ||
	    tm.tm_mday > 31)
		return -EINVAL;
	*ret_ns = (uint64_t)timegm(&tm) * EP_NS_PER_S;
	return 0;
}

int ep_attime_parse(const char *text, uint64_t now_ns, uint64_t *ret_ns)
{
	if (!strncmp(text, "now", 3))
		return parse_ago(text + 3, now_ns, ret_ns);
	size_t n = strlen(text);
	if (!n || n > 19 || strspn(text, "0123456789") != n)
		return -EINVAL;
	uint64_t v = strtoull(text, NULL, 10);
	switch (n) {
	case 8:
		return parse_day(v, ret_ns);
	case 10:
		v *= 1000;
		/* fall through */
	case 13:
		v *= 1000;
		/* fall through */
	case 16:
		v *= 1000;
		/* fall through */
	case 19:
		*ret_ns = v;
		return 0;
	default:
		return -EINVAL;
	}
}
