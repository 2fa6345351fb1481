/*
 * vocabulary.h - the keys and values of labels: interned, and admitted by their weight.
 *
 * The first EP_LABELS_MAX_VALUES values of a key are admitted as they come.  From then on
 * those that are refused go through a sieve, and whenever the vocabulary ages, the ones
 * that surely come often take the places of the lightest.  A value that comes once never
 * gets in, so a flood of them displaces nothing.  A value that lost its place keeps its
 * memory, for pointers to its sets are out, and may come back; so of each key at most
 * EP_LABELS_ALL_VALUES are ever admitted, and it gets harder on the way there.
 *
 * All under the lock of labels.c.
 */
#ifndef EP_INPROC_VOCABULARY_H
#define EP_INPROC_VOCABULARY_H

#include "inproc/labels.h"
#include "inproc/sieve.h"

#include <stdbool.h>

extern const struct ep_slice ep_vocabulary_other; /* "__other__", always this pointer */

/* Interned; NULL: too many, or no memory. */
struct ep_vocabulary_key *ep_vocabulary_key(struct ep_slice name);
struct ep_slice ep_vocabulary_name(const struct ep_vocabulary_key *k);
/* Keys are numbered as they come. */
uint32_t ep_vocabulary_number(const struct ep_vocabulary_key *k);
uint32_t ep_vocabulary_n_keys(void);
const struct ep_vocabulary_key *ep_vocabulary_at(uint32_t number);

/*
 * ep_vocabulary_value - the value with a string of ours, or ep_vocabulary_other.
 *
 * in       room          false: only what is known already
 * out      *ret_refused  set when it was refused
 */
struct ep_slice ep_vocabulary_value(struct ep_vocabulary_key *k, struct ep_slice value,
				    bool room, bool *ret_refused);
/* true the first time. */
bool ep_vocabulary_tell(struct ep_vocabulary_key *k);

/* Of an interned value: does it have its place? */
bool ep_vocabulary_has_place(struct ep_slice value);

/* Ageing: all weights are halved, then each value's uses are added, then places change.
 * true: some did. */
void ep_vocabulary_age(void);
void ep_vocabulary_weigh(struct ep_slice value, uint64_t n);
bool ep_vocabulary_choose(void);

/*
 * What a newcomer must weigh to take a place, of things that weigh `all` together and of
 * which n_ever had one in the life of the process, of at most max_ever; 0: no more.
 */
uint64_t ep_vocabulary_threshold(uint64_t all, uint32_t n_ever, uint32_t max_ever);

#endif
