/*
 * srcasm_in.h - what the files of srcasm share: spots with samples, names of interest.
 */
#ifndef EP_REPORT_SRCASM_IN_H
#define EP_REPORT_SRCASM_IN_H

#include "base/index.h"
#include "report/srcasm.h"

/* A set of strings with a value each. */
struct ep_srcasm_names {
	struct ep_slice *keys, *values;
	uint32_t n, cap;
	struct ep_index by_key;
};

/* The place of a key, EP_NONE without it. */
uint32_t ep_srcasm_names_find(const struct ep_srcasm_names *names, struct ep_slice key);
/* Put a key in, with a new value if it is there already. 0 or -ENOMEM. */
int ep_srcasm_names_put(struct ep_srcasm_names *names, struct ep_slice key,
			struct ep_slice value);
void ep_srcasm_names_fini(struct ep_srcasm_names *names);

/* An address of the profile. */
struct ep_srcasm_spot {
	uint64_t address;
	int64_t flat, cum;
	uint32_t location; /* the first one of interest; EP_NONE: of no interest */
};

struct ep_srcasm_spots {
	struct ep_srcasm_spot *at; /* by address */
	uint32_t n;
	struct ep_srcasm_names interest; /* functions, also as linked */
	struct ep_srcasm_names pretty;	 /* from the linked name to the one to show */
};

/*
 * ep_srcasm_spots_init - one pass over the samples: who matches, and what fell where.
 *
 * errors   as ep_srcasm_new(); what was taken is in the arena and in names, to be
 *          released with _fini() in any case
 */
int ep_srcasm_spots_init(struct ep_srcasm_spots *s, struct ep_arena *arena,
			 const struct ep_report *r, struct ep_err *err);
void ep_srcasm_spots_fini(struct ep_srcasm_spots *s);

#endif
