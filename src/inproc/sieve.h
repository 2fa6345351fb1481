/*
 * sieve.h - which of very many things come often, in little memory.
 *
 * Space-saving in buckets: a thing that is not there takes the place of the rarest in
 * its bucket and inherits its number as an error.  So number - error never says more
 * than what was seen, and of a flood of things that come once each has 1.
 *
 * Source: Metwally, Agrawal, El Abbadi, "Efficient computation of frequent and top-k
 * elements in data streams", 2005.
 */
#ifndef EP_INPROC_SIEVE_H
#define EP_INPROC_SIEVE_H

#include <stdbool.h>
#include <stdint.h>

enum { EP_SIEVE_BUCKETS = 64, EP_SIEVE_WAYS = 4 };

struct ep_sieve_place {
	uint64_t hash;
	uint32_t n, error;
	bool approved; /* by the owner */
};

/* All zero is empty.  One thread at a time. */
struct ep_sieve {
	struct ep_sieve_place places[EP_SIEVE_BUCKETS * EP_SIEVE_WAYS];
	uint64_t n; /* seen, aged as the places are */
};

/* A thing came.  true: it was approved, and now that is used up. */
bool ep_sieve_see(struct ep_sieve *s, uint64_t hash);

/* Of those not approved, the one that surely came most often; NULL: none. */
struct ep_sieve_place *ep_sieve_most(struct ep_sieve *s);

/* Times it surely came.  Right after ageing, twice that is what it came since the ageing
 * before, and half of what it had then. */
static inline uint32_t ep_sieve_sure(const struct ep_sieve_place *p)
{
	return p->n - p->error;
}

/* Halve all numbers; approvals nobody came for lapse. */
void ep_sieve_age(struct ep_sieve *s);

#endif
