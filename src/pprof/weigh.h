/*
 * weigh.h - what each function of a profile took, and how sure that number is.
 *
 * A value is a sum of sampled events, each with a weight: the period of a timer, the
 * bytes that an allocation stands for.  The number of events is Poisson, so a sum's
 * variance is the sum of squared weights.  docs/math/diff.md.
 */
#ifndef EP_PPROF_WEIGH_H
#define EP_PPROF_WEIGH_H

#include "base/arena.h"
#include "base/err.h"
#include "base/index.h"
#include "base/slice.h"
#include "pprof/events.h"
#include "profile/profile.h"

struct ep_weight {
	double value;
	double variance; /* 0 with value 0 */
};

struct ep_weigh_row {
	struct ep_slice name;
	struct ep_weight self[2], cum[2]; /* of A and of B */
};

/* Rows of two profiles by name. */
struct ep_weigh {
	struct ep_arena *arena; /* holds names */
	struct ep_index index;
	struct ep_weigh_row *rows;
	uint32_t n_rows, cap_rows;
	struct ep_weight total[2];
	double n_events[2];
	enum ep_events_by by[2];
};

int ep_weigh_init(struct ep_weigh *w);
void ep_weigh_fini(struct ep_weigh *w);

/*
 * ep_weigh_add - add up one profile as side 0 (A) or 1 (B).
 *
 * in       column    of the values
 *          ratio     from its unit to that of the rows
 *          group_by  a label: rows are its values; "": rows are functions
 * errors   -EINVAL   a value below 0: it is a difference itself; -ENOMEM, -E2BIG
 * cost     linear in frames; a name is hashed once a profile
 */
int ep_weigh_add(struct ep_weigh *w, const struct ep_profile *p, int side,
		 uint32_t column, double ratio, const char *group_by,
		 struct ep_err *err);

#endif
