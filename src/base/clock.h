/*
 * clock.h - time as uint64_t nanoseconds.
 */
#ifndef EP_BASE_CLOCK_H
#define EP_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define EP_NS_PER_S 1000000000ull
#define EP_NS_PER_MS 1000000ull

static inline uint64_t ep_clock_read_ns(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * EP_NS_PER_S + (uint64_t)t.tv_nsec;
}

/* Since 1970.  Signal-safe. */
static inline uint64_t ep_clock_wall_ns(void)
{
	return ep_clock_read_ns(CLOCK_REALTIME);
}

/* Since boot, never stepped.  Signal-safe. */
static inline uint64_t ep_clock_mono_ns(void)
{
	return ep_clock_read_ns(CLOCK_MONOTONIC);
}

#endif
