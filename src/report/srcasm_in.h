/*
 * srcasm_in.h - what the files of srcasm share: spots with samples.
 */
#ifndef EP_REPORT_SRCASM_IN_H
#define EP_REPORT_SRCASM_IN_H

#include "report/namemap.h"
#include "report/srcasm.h"

/* An address of the profile. */
struct ep_srcasm_spot {
	uint64_t address;
	int64_t flat, cum;
	uint32_t location; /* the first one of interest; EP_NONE: of no interest */
};

struct ep_srcasm_spots {
	struct ep_srcasm_spot *at; /* by address */
	uint32_t n;
	struct ep_namemap interest; /* functions, also as linked */
	struct ep_namemap pretty;   /* from the linked name to the one to show */
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
