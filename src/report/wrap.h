/*
 * wrap.h - arithmetic as the reference's machine does it, without C's undefined cases.
 *
 * Profiles may hold any 64-bit numbers; sums and products wrap.
 */
#ifndef EP_REPORT_WRAP_H
#define EP_REPORT_WRAP_H

#include <stdint.h>

static inline int64_t ep_wrap_add(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t ep_wrap_mul(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

/* The smallest number stays itself. */
static inline int64_t ep_wrap_abs(int64_t a)
{
	return a < 0 ? (int64_t)(0 - (uint64_t)a) : a;
}

/* b is not 0. */
static inline int64_t ep_wrap_div(int64_t a, int64_t b)
{
	return b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}

#endif
