/*
 * numbering.h - strings numbered as a writer meets them, each content once.
 *
 * The reference writes its string table so; a profile in memory may hold strings that
 * nothing uses any more, one twice, or those of a view in any order.
 */
#ifndef EP_PROFILE_NUMBERING_H
#define EP_PROFILE_NUMBERING_H

#include "base/index.h"
#include "profile/profile.h"

struct ep_numbering {
	const struct ep_profile *p;
	ep_str *to;    /* by old index; EP_NONE: not met yet */
	ep_str *order; /* old indexes of the new table */
	uint32_t n;    /* strings of the new table; 0 is the empty one */
	struct ep_index by_content;
	bool failed; /* for lack of memory; numbers mean nothing from then on */
};

/* 0 or -ENOMEM; ep_numbering_fini() is due in either case.  p is borrowed.  One thread
 * at a time per object. */
int ep_numbering_init(struct ep_numbering *n, const struct ep_profile *p);
void ep_numbering_fini(struct ep_numbering *n);

ep_str ep_numbering_add(struct ep_numbering *n, ep_str old);

/* The new index of a string. */
static inline ep_str ep_numbering_of(struct ep_numbering *n, ep_str old)
{
	ep_str s = n->to[old];
	return __builtin_expect(s != EP_NONE, 1) ? s : ep_numbering_add(n, old);
}

#endif
