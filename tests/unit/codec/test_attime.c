#include "test.h"

#include "codec/attime.h"

#include <errno.h>

#define NOW 1700000000000000000ull

TEST(attime_reads_every_form)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} table[] = {
		{"now", NOW},
		{"now-1h", NOW - 3600000000000ull},
		{"now-30s", NOW - 30000000000ull},
		{"now-5m", NOW - 300000000000ull},
		{"now-5min", NOW - 300000000000ull},
		{"now-2d", NOW - 2 * 86400000000000ull},
		{"now-1w", NOW - 7 * 86400000000000ull},
		{"now-1M", NOW - 30 * 86400000000000ull},
		{"now-1mon", NOW - 30 * 86400000000000ull},
		{"now-1y", NOW - 365 * 86400000000000ull},
		{"now-100y", 0},
		{"20231114", 1699920000000000000ull},
		{"1700000000", NOW},
		{"1700000000000", NOW},
		{"1700000000000000", NOW},
		{"1700000000000000000", NOW},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t ns = 1;
		if (ep_attime_parse(table[i].text, NOW, &ns) != 0 || ns != table[i].ns)
			fail_msg("%s: %llu", table[i].text, (unsigned long long)ns);
	}
}

TEST(attime_refuses_the_rest)
{
	static const char *const table[] = {"",	       "yesterday", "now+1h", "now-",  "now-h",
					    "now-1",   "now-1x",    "nowx",   "123",   "-1700000000",
					    "17e9",    "20231314",  "now-99999999999999999999s",
					    "170000000", "18446744073709551616"};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t ns;
		if (ep_attime_parse(table[i], NOW, &ns) != -EINVAL)
			fail_msg("%s is taken", table[i]);
	}
}
