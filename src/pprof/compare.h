/*
 * compare.h - what changed from one profile to another, and what of it is chance.
 */
#ifndef EP_PPROF_COMPARE_H
#define EP_PPROF_COMPARE_H

#include "base/buf.h"
#include "pprof/weigh.h"

enum ep_compare_scale {
	EP_COMPARE_PLAIN,    /* values as they are */
	EP_COMPARE_DURATION, /* B's by the ratio of durations */
	EP_COMPARE_TOTAL,    /* B's by the ratio of totals: shares are compared */
	EP_COMPARE_AUTO,
};

struct ep_compare_options {
	const char *names[2];	  /* of A and B, for the text */
	const char *sample_index; /* as of everprof pprof */
	const char *group_by;	  /* a label; "" */
	enum ep_compare_scale scale;
	size_t limit; /* rows a list */
};

struct ep_change {
	struct ep_slice name;
	double a, b;   /* b is scaled */
	double change; /* b - a */
	double error;  /* half of a 95 % interval around the change; -1 unknown */
	double p;      /* chance of such a change by sampling alone; 1 unknown */
	bool is_sure;  /* a discovery: see chance.h */
	bool is_new, is_gone;
};

struct ep_compare {
	const struct ep_compare_options *o;
	struct ep_slice type, unit;  /* of A's profile */
	enum ep_compare_scale scale; /* never AUTO */
	const char *why;	     /* of the scale, a clause */
	double factor;		     /* B's values times this */
	int64_t duration_ns[2];
	double n_events[2];
	enum ep_events_by by[2];
	bool has_errors; /* events are known on both sides */
	struct ep_change total;
	struct ep_change *self, *cum; /* n each, largest change first */
	size_t n;

	struct ep_weigh weights; /* names lie here */
};

/*
 * ep_compare_profiles - B against A.
 *
 * errors   -EINVAL a type that one has not, a difference as input; -ENOMEM
 * owns     free with ep_compare_free(); the profiles must outlive it
 */
int ep_compare_profiles(const struct ep_profile *a, const struct ep_profile *b,
			const struct ep_compare_options *o, struct ep_compare **ret_c,
			struct ep_err *err);
void ep_compare_free(struct ep_compare *c);
EP_DEFINE_AUTO(ep_compare);

/* comparetext.c, comparejson.c */
void ep_compare_text(const struct ep_compare *c, struct ep_buf *out);
void ep_compare_json(const struct ep_compare *c, struct ep_buf *out);

#endif
