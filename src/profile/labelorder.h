/*
 * labelorder.h - the labels of a sample in the order that the reference gives them.
 *
 * Strings by key, then numbers by key; values of one key keep theirs.  Samples mostly
 * have the same keys one after the other, so the order of the last one is remembered,
 * and keys are compared as text only when they change.
 */
#ifndef EP_PROFILE_LABELORDER_H
#define EP_PROFILE_LABELORDER_H

#include "profile/profile.h"

/* All zero is empty; for one table of strings.  One thread at a time. */
struct ep_labelorder {
	uint32_t n, cap;
	struct ep_label *last;	 /* as they came; of which key and kind count */
	struct ep_label *sorted; /* what is handed out */
	uint32_t *from;		 /* sorted[i] is from[i] of those that came */
	bool is_sorted;
};

void ep_labelorder_fini(struct ep_labelorder *o);

/* The labels in order: themselves, or a copy that lives until the next call; NULL when
 * memory is short. */
const struct ep_label *ep_labelorder_sort(struct ep_labelorder *o,
					  const struct ep_slice *strings,
					  const struct ep_label *labels, uint32_t n);

#endif
