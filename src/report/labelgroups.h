/*
 * labelgroups.h - the labels of one sample, in the order reports show them.
 */
#ifndef EP_REPORT_LABELGROUPS_H
#define EP_REPORT_LABELGROUPS_H

#include "report/prepare.h"

/* Those of one key and kind, values in their order. */
struct ep_labelgroup {
	uint32_t key; /* number in the report's keys */
	const struct ep_label *values;
	uint32_t n;
};

struct ep_labelgroups {
	struct ep_label *sorted;
	struct ep_labelgroup *groups; /* strings, then numbers; each by key */
	uint32_t n_strings, n_groups;	/* groups of strings, of both */
	uint32_t cap;
};

/*
 * ep_labelgroups_of - group the labels of a sample; what the struct held before is gone.
 *
 * in       l  all zero at first; ep_labelgroups_fini() at the end
 * errors   -ENOMEM
 */
int ep_labelgroups_of(const struct ep_report *r, const struct ep_sample *s, struct ep_labelgroups *l);
void ep_labelgroups_fini(struct ep_labelgroups *l);

#endif
