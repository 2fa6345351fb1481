/*
 * attime.h - times as the clients of profiling servers write them.
 */
#ifndef EP_CODEC_ATTIME_H
#define EP_CODEC_ATTIME_H

#include <stdint.h>

/*
 * ep_attime_parse - `now`, `now-1h`, `now-30min`; 8 digits yyyymmdd (UTC); 10
 * digits seconds, 13 ms, 16 us, 19 ns since 1970.  Units: s, m or min, h, d, w,
 * M or mon (30 days), y (365 days).
 *
 * errors   -EINVAL
 * threads  any thread
 */
int ep_attime_parse(const char *text, uint64_t now_ns, uint64_t *ret_ns);

#endif
