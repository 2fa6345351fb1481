#include "inproc/sieve.h"

#include "../test.h"
#include "base/hash.h"

#include <string.h>

static uint64_t hash_of(uint64_t i)
{
	return ep_hash64(&i, sizeof(i));
}

TEST(sieve_never_claims_more_than_it_saw)
{
	static struct ep_sieve s;
	memset(&s, 0, sizeof(s));
	for (uint64_t i = 0; i < 100000; i++) {
		(void)ep_sieve_see(&s, hash_of(i));
		if (i % 100 == 0)
			(void)ep_sieve_see(&s, hash_of(1u << 30)); /* 1 % */
		if (i % 10000 == 9999)
			ep_sieve_age(&s);
	}
	uint32_t n_unsure = 0;
	for (int i = 0; i < EP_SIEVE_BUCKETS * EP_SIEVE_WAYS; i++)
		if (s.places[i].hash != hash_of(1u << 30))
			n_unsure += ep_sieve_sure(&s.places[i]) <= 1;
	assert_int_equal(n_unsure, EP_SIEVE_BUCKETS * EP_SIEVE_WAYS - 1);
	struct ep_sieve_place *most = ep_sieve_most(&s);
	assert_int_equal(most->hash, hash_of(1u << 30));
	assert_in_range(ep_sieve_sure(most), 50, 200); /* 100 a turn, halved each time */
}

TEST(sieve_gives_an_approval_once_and_forgets_it_with_age)
{
	static struct ep_sieve s;
	memset(&s, 0, sizeof(s));
	for (int i = 0; i < 8; i++)
		assert_false(ep_sieve_see(&s, 5));
	ep_sieve_most(&s)->approved = true;
	assert_null(ep_sieve_most(&s));
	assert_true(ep_sieve_see(&s, 5));
	assert_false(ep_sieve_see(&s, 5));
	ep_sieve_most(&s)->approved = true;
	ep_sieve_age(&s);
	assert_false(ep_sieve_see(&s, 5));
}
