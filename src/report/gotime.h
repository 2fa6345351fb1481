/*
 * gotime.h - times and durations in Go's notation.
 */
#ifndef EP_REPORT_GOTIME_H
#define EP_REPORT_GOTIME_H

#include "base/buf.h"

#include <stdint.h>

/* "2026-07-29 10:00:00.5 +0000 UTC", in the local zone. */
void ep_gotime_add_time(struct ep_buf *out, int64_t time_ns);
/* "2026-07-29 10:00:00 UTC", likewise. */
void ep_gotime_add_short_time(struct ep_buf *out, int64_t time_ns);

#define EP_GOTIME_DURATION_MAX 40

/* "1h2m3.5s", "100µs", "0s". */
void ep_gotime_duration(char ret[EP_GOTIME_DURATION_MAX], int64_t duration_ns);

#endif
