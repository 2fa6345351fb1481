/*
 * labels.h - label sets: interned, immutable, never freed.
 */
#ifndef EP_INPROC_LABELS_H
#define EP_INPROC_LABELS_H

#include "base/shorts.h"
#include "base/slice.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	EP_LABELS_MAX_PAIRS = 16,
	EP_LABELS_MAX_SETS = 4096, /* at a time, without those that hold an __other__ */
	EP_LABELS_ALL_SETS = 16384, /* ever made */
	EP_LABELS_MAX_VALUES = 256, /* of one key, at a time */
	EP_LABELS_ALL_VALUES = 1024, /* of one key, ever */
	EP_LABELS_MAX_KEYS = 256,
	EP_LABELS_MAX_KEY_BYTES = 64,
	EP_LABELS_MAX_VALUE_BYTES = 200,
};

struct ep_labels_pair {
	struct ep_slice key, value; /* NUL behind each */
	struct ep_shorts key_words, value_words;
};

/*
 * A set.  Pairs are sorted by key.  Public name: struct everprof_labels.
 *
 * It begins with OpenTelemetry's record of a thread's context (OTEP 4947), so that a
 * pointer to a set is one to the record: readers outside follow it (otelctx.h).  What is
 * ours in between is to them an attribute of a key that nobody knows.
 */
struct everprof_labels {
	uint8_t trace_id[16], span_id[8]; /* none */
	uint8_t valid, trace_flags;	  /* 1, 0 */
	uint16_t n_attribute_bytes;	  /* from here on */
	uint8_t own_key, n_own;
	_Atomic bool retired; /* is not found any more, until it comes back */
	uint64_t hash;
	uint32_t index; /* of its making, from 0 */
	uint32_t n;
	const struct ep_labels_pair *pairs; /* behind the attributes */
	uint8_t attributes[];		    /* key's number, length, value; each */
};

enum {
	EP_LABELS_RECORD_BYTES = 640, /* readers take no more: what is over is not in it */
	EP_LABELS_RECORD_KEYS = 255,  /* keys past these are not in it */
	EP_LABELS_OWN_KEY = 255,
};

/* Keys, in the order they came: a key's number never changes.  Any thread. */
uint32_t ep_labels_n_keys(void);
const char *ep_labels_key(uint32_t i);

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

/*
 * ep_labels_age - past the limits, give places to what is heavy now.
 *
 * in       entered  how often a set was entered, of all time
 * threads  one at a time
 */
void ep_labels_age(uint64_t (*entered)(uint32_t set));

/* Called when a key passes its limit, once a key, under no lock. */
void ep_labels_on_limit(void (*fn)(const char *key));

void ep_labels_lock(void);   /* before a fork */
void ep_labels_unlock(void); /* after it, in parent and child */

#endif
