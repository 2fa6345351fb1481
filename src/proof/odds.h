/*
 * odds.h - how far a sampled figure may be from the truth by chance alone.
 *
 * Exact tails, no normal approximation: they hold for three samples as for three million,
 * so a loaded machine that took few samples gets a wide bound and not a wrong verdict.
 */
#ifndef EP_PROOF_ODDS_H
#define EP_PROOF_ODDS_H

#include <stdint.h>

/* What passes a bound by chance, of one row: one run in 100,000. */
#define EP_ODDS 1e-5

/*
 * ep_odds_share - of n samples of which each hits with probability p: the smallest d for
 * which the share is off by more than d with a probability of at most EP_ODDS.
 *
 * returns  1 for n = 0.  Any thread.
 */
double ep_odds_share(uint64_t n, double p);

/*
 * ep_odds_sum - of a sum with this standard error: so many of them as a normal variable
 * passes with EP_ODDS, to both sides.
 */
double ep_odds_sum(double standard_error);

#endif
