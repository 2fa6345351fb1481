/*
 * labels.h - label sets: interned, immutable, never freed.
 */
#ifndef EP_INPROC_LABELS_H
#define EP_INPROC_LABELS_H

#include "base/slice.h"

#include <stdint.h>

enum {
	EP_LABELS_MAX_PAIRS = 16,
	EP_LABELS_MAX_SETS = 4096,
	EP_LABELS_MAX_VALUES = 256, /* of one key */
	EP_LABELS_MAX_KEYS = 256,
	EP_LABELS_MAX_KEY_BYTES = 64,
	EP_LABELS_MAX_VALUE_BYTES = 200,
};

struct ep_labels_pair {
	struct ep_slice key, value; /* NUL behind each */
};

/* A set.  Pairs are sorted by key.  Public name: struct everprof_labels. */
struct everprof_labels {
	uint64_t hash;
	uint32_t index; /* of its making, from 0 */
	uint32_t n;
	struct ep_labels_pair pairs[];
};

/* How often a value became __other__, or a set could not be made.  Any thread. */
uint64_t ep_labels_n_folded(void);

/* Sets there are, and each of them.  Any thread. */
uint32_t ep_labels_n_sets(void);
const struct everprof_labels *ep_labels_at(uint32_t index);

/* Put a set in force on this thread without a scope being entered: it comes along. */
void ep_labels_bring(const struct everprof_labels *set);

/* "k=v, l=w" in at most n - 1 bytes. */
void ep_labels_format(const struct everprof_labels *set, char *ret, size_t n);

/* `set` if it is a set of ours with this hash, else NULL: it is not looked into before.
 * Any thread. */
const struct everprof_labels *ep_labels_known(const void *set, uint64_t hash);

/* Called when a key passes its limit, once a key, under no lock. */
void ep_labels_on_limit(void (*fn)(const char *key));

void ep_labels_lock(void);   /* before a fork */
void ep_labels_unlock(void); /* after it, in parent and child */

#endif
