/*
 * unsample.h - what sampled allocations stand for.
 */
#ifndef EP_LEGACY_UNSAMPLE_H
#define EP_LEGACY_UNSAMPLE_H

#include <stdint.h>

/*
 * ep_unsample - scale a sample of n_objects and n_bytes by its chance to be taken.
 *
 * Samplers that take one byte in `rate` see an object of S bytes with probability
 * 1 - exp(-S / rate).  A rate of 1 or less changes nothing; no objects or no bytes make
 * both 0.  To the last bit what the reference gives on x86-64, exp() included.  Any
 * thread.
 */
void ep_unsample(int64_t *n_objects, int64_t *n_bytes, int64_t rate);

/* A double cut to an integer, as x86-64 does it: out of range gives INT64_MIN. */
int64_t ep_unsample_cut(double v);

#endif
