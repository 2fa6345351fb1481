/*
 * keys.h - the label keys of a profile as small numbers, and what their numbers mean.
 *
 * Equal keys have one number, whatever their index among the strings, and the numbers
 * are in the order of the names.  A numeric label's unit is a property of its key: the
 * first that is given, else one that the key's name tells.
 */
#ifndef EP_PROFILE_KEYS_H
#define EP_PROFILE_KEYS_H

#include "base/err.h"
#include "base/notes.h"
#include "profile/profile.h"

struct ep_key {
	struct ep_slice name;
	struct ep_slice unit; /* of its numeric labels; "" when it has none */
	bool has_numbers;
};

struct ep_keys {
	struct ep_key *keys;
	uint32_t n;
	uint32_t *by_string; /* EP_NONE: no label's key */
	uint32_t n_strings;
};

/*
 * ep_keys_init - find the keys of all samples.
 *
 * in       p      valid; must outlive the keys
 *          arena  takes the tables
 *          notes  told of keys with several units; may be NULL
 * errors   -ENOMEM, -E2BIG
 * threads  any thread
 * cost     two passes over the labels of the samples
 */
int ep_keys_init(const struct ep_profile *p, struct ep_arena *arena,
		 const struct ep_notes *notes, struct ep_keys *ret, struct ep_err *err);

/* The number of a label's key; EP_NONE for a string that came later. */
static inline uint32_t ep_keys_number(const struct ep_keys *k, ep_str key)
{
	return key < k->n_strings ? k->by_string[key] : EP_NONE;
}

/* The number of a key by name; EP_NONE when no label has it. */
uint32_t ep_keys_find(const struct ep_keys *k, struct ep_slice name);

#endif
