/*
 * ledger.h - what a profile says of its own completeness.
 *
 * Nothing is lost silently: every producer of ours writes one comment into its
 * profiles, the server reads it, and the page shows it (docs/formats/ledger.md).
 */
#ifndef EP_PROFILE_LEDGER_H
#define EP_PROFILE_LEDGER_H

#include "base/slice.h"
#include "profile/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Samples, as weights: a sample that stands for three periods counts three.
 * 0 when the producer did not say. */
struct ep_ledger {
	uint64_t asked;	    /* what the clock asked for: taken + lost */
	uint64_t taken;	    /* what is in the profile */
	uint64_t lost;	    /* what was dropped: no room, no slot, no signal */
	uint64_t truncated; /* of those taken: the stack does not reach its root */
	uint64_t folded;    /* label values that became __other__, labels left out */
	uint64_t misused;   /* calls that were refused: added twice, removed without being there */
	uint64_t covered_ns; /* of the time the clock ran; 0: all of it, as always */
};

#define EP_LEDGER_TEXT_MAX 256

/*
 * ep_ledger_format - "#everprof ledger asked=N taken=N lost=N truncated=N", and
 * " folded=N", " misused=N" and " covered_ns=N" where there were any.
 *
 * threads  any thread
 */
void ep_ledger_format(const struct ep_ledger *l, char ret_text[EP_LEDGER_TEXT_MAX]);

/*
 * ep_ledger_parse - read such a comment.
 *
 * Keys may come in any order; unknown ones are passed over, so that a newer
 * producer can say more.
 * returns  false for any other comment, and for a malformed one; *ret untouched
 */
bool ep_ledger_parse(struct ep_slice comment, struct ep_ledger *ret);

/* Add one to another; sums stay at the largest number rather than wrap. */
void ep_ledger_add(struct ep_ledger *to, const struct ep_ledger *l);

/* The sum of a profile's ledger comments; false when it has none. */
bool ep_ledger_of_profile(const struct ep_profile *p, struct ep_ledger *ret);

#endif
