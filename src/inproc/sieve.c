/* sieve.c - see sieve.h. */
#include "inproc/sieve.h"

#include <stddef.h>

bool ep_sieve_see(struct ep_sieve *s, uint64_t hash)
{
	/* Other bits than those that place it in tables of ours. */
	struct ep_sieve_place *bucket =
		&s->places[(hash >> 40) % EP_SIEVE_BUCKETS * EP_SIEVE_WAYS];
	struct ep_sieve_place *rarest = bucket;
	s->n++;
	for (int i = 0; i < EP_SIEVE_WAYS; i++) {
		struct ep_sieve_place *p = &bucket[i];
		if (p->n && p->hash == hash) {
			bool approved = p->approved;
			p->n += p->n < UINT32_MAX;
			p->approved = false;
			return approved;
		}
		if (!p->approved && (rarest->approved || p->n < rarest->n))
			rarest = p;
	}
	*rarest = (struct ep_sieve_place){.hash = hash, .n = rarest->n + 1, .error = rarest->n};
	return false;
}

struct ep_sieve_place *ep_sieve_most(struct ep_sieve *s)
{
	struct ep_sieve_place *best = NULL;
	for (int i = 0; i < EP_SIEVE_BUCKETS * EP_SIEVE_WAYS; i++) {
		struct ep_sieve_place *p = &s->places[i];
		if (!p->approved && p->n &&
		    (!best || ep_sieve_sure(p) > ep_sieve_sure(best)))
			best = p;
	}
	return best;
}

void ep_sieve_age(struct ep_sieve *s)
{
	s->n /= 2;
	for (int i = 0; i < EP_SIEVE_BUCKETS * EP_SIEVE_WAYS; i++) {
		struct ep_sieve_place *p = &s->places[i];
		p->n /= 2;
		p->error = p->error / 2 + (p->error & 1);
		if (p->error > p->n)
			p->error = p->n;
		p->approved = false;
	}
}
