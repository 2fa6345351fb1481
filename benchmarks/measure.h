/* measure.h - what a command costs. */
#ifndef EP_BENCH_MEASURE_H
#define EP_BENCH_MEASURE_H

#include <stddef.h>

struct cost {
	double cpu_s;  /* user and system, of the process and what it waited for */
	double rss_mb; /* the most it held at a time */
};

enum { MEASURE_MOST = 31 };

struct costs {
	struct cost run[MEASURE_MOST];
	int n;
};

/* Run argv once, its output thrown away, and note the cost; 0, or -1 when it can't be
 * run or fails. */
int measure_once(char *const argv[], struct costs *to);
/* Medians of each. */
struct cost measure_median(const struct costs *c);

#endif
