/* made.h - profiles made by rule, the same on every machine. */
#ifndef EP_BENCH_MADE_H
#define EP_BENCH_MADE_H

#include <stdbool.h>
#include <stdint.h>

struct made {
	uint32_t n_functions;
	uint32_t n_stacks;  /* of depth 20 to 40, as paths in a tree */
	uint32_t n_samples; /* stacks under one of 50 combinations of three labels */
	/* Not 0: stacks are drawn, some often and some seldom, each seed its own; one
	 * location in eight has an inlined function. */
	uint32_t seed;
	bool requests; /* each sample has a number of its own as a label */
};

/* Write one to a file as pprof.gz; 0 or -1. */
int made_write(const struct made *m, const char *path);

#endif
