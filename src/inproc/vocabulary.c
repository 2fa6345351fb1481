/* vocabulary.c - see vocabulary.h. */
#include "inproc/vocabulary.h"

#include "base/hash.h"
#include "base/index.h"
#include "base/mem.h"

#include <stddef.h>
#include <string.h>

enum {
	CHANGES = 16,	   /* of a key, each time it ages */
	LEAST = 8,	   /* sightings that are no accident */
	HEAVY_PART = 2048, /* a newcomer has this part of all, or more */
};

struct value {
	uint64_t weight;
	bool has_place;
	uint32_t n;
	char text[];
};

struct ep_vocabulary_key {
	struct ep_slice name;
	uint32_t number;
	uint32_t n_values, n_placed;
	bool told;
	struct ep_sieve *refused; /* NULL: none was yet */
	struct ep_index index;	  /* of values, by hash */
	struct value *values[EP_LABELS_ALL_VALUES];
	uint64_t hashes[EP_LABELS_ALL_VALUES];
};

const struct ep_slice ep_vocabulary_other = {"__other__", 9};

static struct ep_vocabulary_key *keys[EP_LABELS_MAX_KEYS];
static uint32_t n_keys;

struct ep_vocabulary_key *ep_vocabulary_key(struct ep_slice name)
{
	for (uint32_t i = 0; i < n_keys; i++)
		if (ep_slice_eq(keys[i]->name, name))
			return keys[i];
	if (n_keys == EP_LABELS_MAX_KEYS)
		return NULL;
	struct ep_vocabulary_key *k = ep_zalloc(sizeof(*k));
	char *copy = ep_alloc(name.n + 1);
	if (!k || !copy) {
		ep_free(k);
		ep_free(copy);
		return NULL;
	}
	memcpy(copy, name.p, name.n);
	copy[name.n] = '\0';
	k->name = (struct ep_slice){copy, name.n};
	k->number = n_keys;
	return keys[n_keys++] = k;
}

uint32_t ep_vocabulary_number(const struct ep_vocabulary_key *k)
{
	return k->number;
}

uint32_t ep_vocabulary_n_keys(void)
{
	return n_keys;
}

const struct ep_vocabulary_key *ep_vocabulary_at(uint32_t number)
{
	return keys[number];
}

struct ep_slice ep_vocabulary_name(const struct ep_vocabulary_key *k)
{
	return k->name;
}

bool ep_vocabulary_tell(struct ep_vocabulary_key *k)
{
	bool first = !k->told;
	k->told = true;
	return first;
}

static struct ep_slice slice_of(const struct value *v)
{
	return (struct ep_slice){v->text, v->n};
}

static struct value *value_of(struct ep_slice value)
{
	return (struct value *)(uintptr_t)(value.p - offsetof(struct value, text));
}

static struct value *find(const struct ep_vocabulary_key *k, struct ep_slice s, uint64_t hash)
{
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&k->index, hash, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&k->index, &it))
		if (ep_slice_eq(slice_of(k->values[id]), s))
			return k->values[id];
	return NULL;
}

static struct value *add(struct ep_vocabulary_key *k, struct ep_slice s, uint64_t hash)
{
	struct value *v = k->n_values < EP_LABELS_ALL_VALUES ? ep_alloc(sizeof(*v) + s.n + 1)
							     : NULL;
	if (!v || ep_index_add(&k->index, hash, k->n_values) < 0) {
		ep_free(v);
		return NULL;
	}
	*v = (struct value){.n = (uint32_t)s.n};
	memcpy(v->text, s.p, s.n);
	v->text[s.n] = '\0';
	k->hashes[k->n_values] = hash;
	return k->values[k->n_values++] = v;
}

/* May this one have a place now?  Once one was refused, only those approved. */
static bool may_enter(struct ep_vocabulary_key *k, uint64_t hash, bool room)
{
	if (!k->refused && room && k->n_placed < EP_LABELS_MAX_VALUES)
		return true;
	if (!k->refused)
		k->refused = ep_zalloc(sizeof(*k->refused));
	return k->refused && ep_sieve_see(k->refused, hash) && room &&
	       k->n_placed < EP_LABELS_MAX_VALUES;
}

struct ep_slice ep_vocabulary_value(struct ep_vocabulary_key *k, struct ep_slice value,
				    bool room, bool *ret_refused)
{
	uint64_t hash = ep_hash64(value.p, value.n);
	struct value *v = find(k, value, hash);
	if (ep_slice_eq(value, ep_vocabulary_other))
		return ep_vocabulary_other;
	if (v && v->has_place)
		return slice_of(v);
	if (may_enter(k, hash, room) && (v || (v = add(k, value, hash)))) {
		v->has_place = true;
		k->n_placed++;
		return slice_of(v);
	}
	*ret_refused = true;
	return ep_vocabulary_other;
}

bool ep_vocabulary_has_place(struct ep_slice value)
{
	return value.p == ep_vocabulary_other.p || value_of(value)->has_place;
}

/* ---- ageing ----------------------------------------------------------------------------- */

void ep_vocabulary_age(void)
{
	for (uint32_t i = 0; i < n_keys; i++)
		for (uint32_t k = 0; k < keys[i]->n_values; k++)
			keys[i]->values[k]->weight /= 2;
}

void ep_vocabulary_weigh(struct ep_slice value, uint64_t n)
{
	if (value.p != ep_vocabulary_other.p)
		value_of(value)->weight += n;
}

uint64_t ep_vocabulary_threshold(uint64_t all, uint32_t n_ever, uint32_t max_ever)
{
	if (n_ever >= max_ever)
		return 0;
	uint64_t part = all / HEAVY_PART;
	/* Places in memory run out: twice as heavy at half of them, four times at most. */
	part <<= (uint64_t)n_ever * 3 / max_ever;
	return part > LEAST ? part : LEAST;
}

static struct value *lightest(const struct ep_vocabulary_key *k, uint64_t *ret_all)
{
	struct value *least = NULL;
	*ret_all = 0;
	for (uint32_t i = 0; i < k->n_values; i++) {
		struct value *v = k->values[i];
		*ret_all += v->weight;
		if (v->has_place && (!least || v->weight < least->weight))
			least = v;
	}
	return least;
}

static bool is_known(const struct ep_vocabulary_key *k, uint64_t hash)
{
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&k->index, hash, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&k->index, &it))
		if (k->hashes[id] == hash)
			return true;
	return false;
}

/* One place for the heaviest of the refused.  false: none deserves one. */
static bool change(struct ep_vocabulary_key *k, uint32_t n_free, bool *ret_retired)
{
	uint64_t all;
	struct value *least = lightest(k, &all);
	struct ep_sieve_place *p = ep_sieve_most(k->refused);
	if (!p)
		return false;
	/* One that comes back needs no memory. */
	uint32_t n_ever = is_known(k, p->hash) ? 0 : k->n_values;
	uint64_t need = ep_vocabulary_threshold(all + 2 * k->refused->n, n_ever,
						EP_LABELS_ALL_VALUES);
	if (!need || 2 * (uint64_t)ep_sieve_sure(p) < need)
		return false;
	if (!n_free) {
		if (!least || ep_sieve_sure(p) < least->weight)
			return false;
		least->has_place = false;
		k->n_placed--;
		*ret_retired = true;
	}
	p->approved = true;
	return true;
}

static bool choose(struct ep_vocabulary_key *k)
{
	bool retired = false;
	ep_sieve_age(k->refused);
	uint32_t n_free = EP_LABELS_MAX_VALUES - k->n_placed;
	for (int i = 0; i < CHANGES && change(k, n_free, &retired); i++)
		n_free -= n_free > 0;
	return retired;
}

bool ep_vocabulary_choose(void)
{
	bool changed = false;
	for (uint32_t i = 0; i < n_keys; i++)
		if (keys[i]->refused)
			changed |= choose(keys[i]);
	return changed;
}
