/*
 * gen.h - made-up profiles for the tests of store and query.
 */
#ifndef EP_TEST_STORE_GEN_H
#define EP_TEST_STORE_GEN_H

#include "profile/profile.h"
#include "store/store.h"

#include <stdint.h>

struct gen {
	uint64_t seed;
	uint32_t n_stacks, n_functions, depth, n_sets;
	bool native; /* half of the frames by build ID and offset */
};

uint64_t gen_random(uint64_t *state);
/* A CPU profile (samples/count, cpu/nanoseconds): deterministic by seed. */
struct ep_profile *gen_profile(const struct gen *g);
/* One CPU profile of folded stacks: "main;work 3" lines, root first; 1 sample = 10 ms.
 * A line may end in label=value words behind the number. */
struct ep_profile *gen_folded(const char *lines);
/* Append with service_name=`service` and what follows, "k=v,k=v"; must work. */
void gen_append(struct ep_store *s, const struct ep_profile *p, const char *service,
		const char *labels, uint64_t time_ns);
int gen_try_append(struct ep_store *s, const struct ep_profile *p, const char *service,
		   const char *labels, uint64_t time_ns, struct ep_err *err);

/* Not 0: after so many gen_append() all that is there is sealed, so that what is asked
 * lies in segments and in a head. */
extern unsigned gen_seal_every;

/* A new folder below the build's temporary one, removed with gen_remove(). */
char *gen_folder(void);
void gen_remove(char *dir);

#endif
