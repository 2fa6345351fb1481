/*
 * spots.h - places in our own code whose truth is known.
 *
 * Each is a function in a section of its own, so that it is found in a profile by where
 * it lies in the file: without a symbol table, in a process that has it at another
 * address, and in profiles of the library and of the agent alike.
 */
#ifndef EP_PROOF_SPOTS_H
#define EP_PROOF_SPOTS_H

#include "profile/profile.h"

#include <stdbool.h>
#include <stdint.h>

enum ep_spot {
	EP_SPOT_HEAVY, /* CPU time, 70 : 20 : 10 */
	EP_SPOT_MIDDLE,
	EP_SPOT_LIGHT,
	EP_SPOT_SLEEPER,
	EP_SPOT_WAITER,
	EP_SPOT_HOLDER,
	EP_SPOT_LEAK_A,
	EP_SPOT_LEAK_B,
	EP_SPOT_CHURN,
	EP_SPOT_OPENER, /* of a custom profile */
	EP_SPOTS
};

/* Of a function definition: EP_SPOT(heavy) void spin_heavy(...) { … } */
#define EP_SPOT(name) __attribute__((noinline EP_SPOT_WHOLE, section("ep_spot_" #name)))
#if defined(__clang__)
#define EP_SPOT_WHOLE
#else
#define EP_SPOT_WHOLE , noclone
#endif

/*
 * ep_spots_mark - which spots each location of a profile lies in.
 *
 * out      ret_mask  [n_locations], bit n: it lies in spot n
 * returns  false when our own file could not be told; no bit is set then
 * threads  any
 */
bool ep_spots_mark(const struct ep_profile *p, uint32_t *ret_mask);

/*
 * ep_spots_sum - the sums of a column over samples whose stack has a spot in it.
 *
 * in       mask    of ep_spots_mark()
 *          pid     only of this process, by its label; 0: all
 * out      ret     [EP_SPOTS]; ret_total: of all samples
 */
void ep_spots_sum(const struct ep_profile *p, const uint32_t *mask, uint32_t column,
		  int64_t pid, int64_t ret[EP_SPOTS], int64_t *ret_total);

#endif
