/*
 * events.h - how many sampled events stand behind a value.
 *
 * What a value's sampling error follows from: docs/math/diff.md.  The answer of
 * `everprof diff` and that of the page on a comparison, so that they agree.
 */
#ifndef EP_PPROF_EVENTS_H
#define EP_PPROF_EVENTS_H

#include "profile/profile.h"

/* How the number of events behind a value is known. */
enum ep_events_by {
	EP_EVENTS_UNKNOWN, /* not at all: no error can be given */
	EP_EVENTS_COLUMN,  /* another column counts them */
	EP_EVENTS_PERIOD,  /* each stands for one period */
	EP_EVENTS_HEAP,	   /* allocations, sampled a period of bytes apart */
};

struct ep_events {
	enum ep_events_by by;
	uint32_t count_column; /* COLUMN, HEAP: of objects */
	uint32_t bytes_column; /* HEAP */
	double period;	       /* PERIOD, HEAP */
};

/* Of the values of one column.  Any thread. */
struct ep_events ep_events_find(const struct ep_profile *p, uint32_t column);

/* Behind a row of values whose column holds v, not 0; signs don't matter.  At least 1,
 * since something was seen; 0 by UNKNOWN. */
double ep_events_count(const struct ep_events *e, const int64_t *row, double v);

#endif
