/* duty.c - see duty.h. */
#include "inproc/duty.h"

#include "base/clock.h"

#include <errno.h>
#include <string.h>

#define MIN_ON_NS EP_NS_PER_S
#define MAX_CYCLE_NS (86400 * EP_NS_PER_S)

/* Behind it, or NULL. */
static const char *parse_time(const char *p, uint64_t *ret_ns)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = {{"ms", EP_NS_PER_MS},
		     {"s", EP_NS_PER_S},
		     {"m", 60 * EP_NS_PER_S},
		     {"h", 3600 * EP_NS_PER_S}};
	uint64_t v = 0;
	const char *start = p;
	for (; *p >= '0' && *p <= '9' && p - start < 9; p++)
		v = v * 10 + (uint64_t)(*p - '0');
	for (size_t i = 0; p != start && i < sizeof(units) / sizeof(units[0]); i++) {
		size_t n = strlen(units[i].unit);
		if (strncmp(p, units[i].unit, n) != 0)
			continue;
		*ret_ns = v * units[i].ns;
		return p + n;
	}
	return NULL;
}

int ep_duty_parse(const char *text, struct ep_duty *ret)
{
	struct ep_duty d = {0};
	const char *p = parse_time(text, &d.on_ns);
	if (!p || *p != '/' || !(p = parse_time(p + 1, &d.every_ns)) || *p)
		return -EINVAL;
	if (d.on_ns < MIN_ON_NS || d.on_ns >= d.every_ns || d.every_ns > MAX_CYCLE_NS)
		return -EINVAL;
	*ret = d;
	return 0;
}

void ep_duty_start(struct ep_duty *d, uint64_t now_ns, uint64_t dice)
{
	if (d->every_ns) /* may wrap around: only differences are looked at */
		d->from_ns = now_ns - dice % d->every_ns;
}

static uint64_t in_cycle(const struct ep_duty *d, uint64_t now_ns)
{
	return (now_ns - d->from_ns) % d->every_ns;
}

bool ep_duty_is_on(const struct ep_duty *d, uint64_t now_ns)
{
	return !d->every_ns || in_cycle(d, now_ns) < d->on_ns;
}

uint64_t ep_duty_left_ns(const struct ep_duty *d, uint64_t now_ns)
{
	if (!d->every_ns)
		return UINT64_MAX;
	uint64_t at = in_cycle(d, now_ns);
	return (at < d->on_ns ? d->on_ns : d->every_ns) - at;
}
