/*
 * labels.c - label sets, and which one a thread works under.
 *
 * A set is looked up by its content without a lock in an open-addressed table that
 * only grows; a set that is not there is made under one.  Keys, values and sets
 * are bounded, and nothing is freed, so a sample may hold a pointer for ever.
 * The hash of a set is the sum of its pairs' hashes: independent of order.
 */
#include "inproc/labels.h"

#include "base/hash.h"
#include "base/mem.h"
#include "everprof.h"
#include "inproc/sig/scopes.h"
#include "inproc/sig/state.h"
#include "inproc/vocabulary.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
	N_SLOTS = 32768, /* a power of two, twice the sets */
	ROOM_FOR_OTHER = 1024, /* of ALL_SETS, for sets that hold an __other__ */
	CHANGES = 16,	       /* of sets, each time they age */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct everprof_labels *_Atomic slots[N_SLOTS];
static struct everprof_labels *sets[EP_LABELS_ALL_SETS]; /* in the order they came */
static _Atomic uint32_t n_sets;
static uint32_t n_placed; /* sets that are neither retired nor hold an __other__ */
/* By set: uses, aged; uses counted already; the set lost its place to a heavier one. */
static uint64_t weights[EP_LABELS_ALL_SETS], counted[EP_LABELS_ALL_SETS];
static bool displaced[EP_LABELS_ALL_SETS];
static struct ep_sieve refused_sets;
static bool pressed; /* something was refused once */
static _Atomic uint64_t n_folded;
static void (*_Atomic on_limit)(const char *key);

/* A set under construction, on the stack. */
struct draft {
	uint64_t hash; /* of its pairs so far */
	uint32_t n;
	struct ep_labels_pair pairs[EP_LABELS_MAX_PAIRS + 1]; /* one is on its way */
};

static inline uint64_t hash_pair(const struct ep_labels_pair *p)
{
	return ep_hash_mix(ep_shorts_hash(p->key, p->key_words),
			   ep_shorts_hash(p->value, p->value_words));
}

/* As hash_pair() and the comparisons want it: after its strings are set. */
static inline void know_words(struct ep_labels_pair *p)
{
	p->key_words = ep_shorts_of(p->key);
	p->value_words = ep_shorts_of(p->value);
}

static void hash_draft(struct draft *d)
{
	d->hash = 0;
	for (uint32_t i = 0; i < d->n; i++) {
		know_words(&d->pairs[i]);
		d->hash += hash_pair(&d->pairs[i]);
	}
}

static inline int compare_keys(const struct ep_labels_pair *a, const struct ep_labels_pair *b)
{
	uint64_t x = ep_shorts_order(a->key_words), y = ep_shorts_order(b->key_words);
	return x != y ? (x > y) - (x < y) : ep_slice_cmp(a->key, b->key);
}

/* The last pair to its place by key; where its key is already, it replaces that one. */
static __attribute__((noinline)) void sort_last(struct draft *d)
{
	uint32_t at = d->n - 1;
	struct ep_labels_pair pair = d->pairs[at];
	int c = 1;
	while (at > 0 && (c = compare_keys(&d->pairs[at - 1], &pair)) > 0)
		at--;
	if (at > 0 && c == 0) {
		d->hash -= hash_pair(&d->pairs[at - 1]);
		d->pairs[at - 1] = pair;
		d->n--;
		return;
	}
	memmove(&d->pairs[at + 1], &d->pairs[at], (d->n - 1 - at) * sizeof(pair));
	d->pairs[at] = pair;
}

static __attribute__((noinline)) void drop_last(struct draft *d)
{
	d->hash -= hash_pair(&d->pairs[--d->n]);
	atomic_fetch_add_explicit(&n_folded, 1, memory_order_relaxed);
}

static bool has_key_of(const struct draft *d, const struct ep_labels_pair *p)
{
	for (uint32_t i = 0; i < d->n; i++)
		if (&d->pairs[i] != p && compare_keys(&d->pairs[i], p) == 0)
			return true;
	return false;
}

/* Put or replace one pair, keeping the order by key: mostly they come in it. */
static inline void put(struct draft *d, struct ep_slice key, struct ep_slice value)
{
	struct ep_labels_pair *p = &d->pairs[d->n++];
	p->key = key;
	p->value = value;
	know_words(p);
	d->hash += hash_pair(p);
	if (d->n > EP_LABELS_MAX_PAIRS && !has_key_of(d, p))
		drop_last(d);
	else if (p > d->pairs && compare_keys(p - 1, p) >= 0)
		sort_last(d);
}

/* Cut at a limit without splitting a UTF-8 character. */
static inline struct ep_slice cut(const char *s, size_t max)
{
	size_t n = strnlen(s, max + 1);
	if (n > max)
		for (n = max; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80;)
			n--;
	return (struct ep_slice){s, n};
}

static inline void put_strings(struct draft *d, const char *key, const char *value)
{
	if (key && value && *key)
		put(d, cut(key, EP_LABELS_MAX_KEY_BYTES),
		    cut(value, EP_LABELS_MAX_VALUE_BYTES));
}

static inline bool is_same(const struct ep_labels_pair *a, const struct ep_labels_pair *b)
{
	return ep_shorts_eq(a->key, a->key_words, b->key, b->key_words) &&
	       ep_shorts_eq(a->value, a->value_words, b->value, b->value_words);
}

static inline bool equal(const struct everprof_labels *s, const struct draft *d)
{
	if (s->hash != d->hash || s->n != d->n)
		return false;
	for (uint32_t i = 0; i < d->n; i++)
		if (!is_same(&s->pairs[i], &d->pairs[i]))
			return false;
	return true;
}

/* The set, or NULL; *ret_slot is where it would go.  A retired one, if asked for. */
static struct everprof_labels *find(const struct draft *d, bool retired, uint32_t *ret_slot)
{
	for (uint32_t i = (uint32_t)d->hash;; i++) {
		uint32_t at = i & (N_SLOTS - 1);
		struct everprof_labels *s =
			atomic_load_explicit(&slots[at], memory_order_acquire);
		*ret_slot = at;
		if (!s || (equal(s, d) &&
			   (retired || !atomic_load_explicit(&s->retired, memory_order_relaxed))))
			return s;
	}
}

/* ---- under the lock ---------------------------------------------------------- */

/* The draft with strings of our own; values past a limit become __other__.
 * *ret_told: a key to tell the program about. */
static bool admit(struct draft *d, const char **ret_told)
{
	bool room = n_placed < EP_LABELS_MAX_SETS &&
		    n_sets < EP_LABELS_ALL_SETS - ROOM_FOR_OTHER;
	for (uint32_t i = 0; i < d->n; i++) {
		struct ep_vocabulary_key *k = ep_vocabulary_key(d->pairs[i].key);
		bool refused = false;
		if (!k)
			return false;
		d->pairs[i].key = ep_vocabulary_name(k);
		d->pairs[i].value =
			ep_vocabulary_value(k, d->pairs[i].value, room || pressed, &refused);
		if (!refused)
			continue;
		pressed = true;
		atomic_fetch_add_explicit(&n_folded, 1, memory_order_relaxed);
		if (ep_vocabulary_tell(k))
			*ret_told = ep_vocabulary_name(k).p;
	}
	hash_draft(d);
	return true;
}

static bool has_other(const struct ep_labels_pair *pairs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (pairs[i].value.p == ep_vocabulary_other.p)
			return true;
	return false;
}

/* Every value known, and yet one combination too many: all become __other__. */
static void fold_all(struct draft *d)
{
	for (uint32_t i = 0; i < d->n; i++)
		d->pairs[i].value = ep_vocabulary_other;
	hash_draft(d);
	atomic_fetch_add_explicit(&n_folded, 1, memory_order_relaxed);
}

/* May this combination have a place?  `is_known`: it had one. */
static bool may_enter(const struct draft *d, bool is_known)
{
	bool room = n_placed < EP_LABELS_MAX_SETS &&
		    (is_known || n_sets < EP_LABELS_ALL_SETS - ROOM_FOR_OTHER);
	if (!refused_sets.n && room)
		return true;
	return ep_sieve_see(&refused_sets, d->hash) && room;
}

/* Its place in OTEP 4947's record, and the end of what is ours in that. */
_Static_assert(offsetof(struct everprof_labels, valid) == 24 &&
		       offsetof(struct everprof_labels, n_attribute_bytes) == 26 &&
		       offsetof(struct everprof_labels, own_key) == 28,
	       "the record's layout");
#define OWN_BYTES (offsetof(struct everprof_labels, attributes) - 30)

/* The pairs as a reader outside wants them; bytes.  Whole ones: what has no room is left out. */
static size_t write_attributes(const struct draft *d, uint8_t *to, size_t room)
{
	size_t n = 0;
	for (uint32_t i = 0; i < d->n; i++) {
		struct ep_slice value = d->pairs[i].value;
		const struct ep_vocabulary_key *k = ep_vocabulary_key(d->pairs[i].key);
		uint32_t number = k ? ep_vocabulary_number(k) : EP_LABELS_RECORD_KEYS;
		if (number >= EP_LABELS_RECORD_KEYS || n + 2 + value.n > room)
			continue;
		to[n] = (uint8_t)number;
		to[n + 1] = (uint8_t)value.n; /* of 200 bytes at most */
		memcpy(to + n + 2, value.p, value.n);
		n += 2 + value.n;
	}
	return n;
}

static struct everprof_labels *add_set(const struct draft *d, uint32_t slot)
{
	if (n_sets == EP_LABELS_ALL_SETS)
		return NULL;
	uint8_t record[EP_LABELS_RECORD_BYTES - sizeof(struct everprof_labels)];
	size_t n_attributes = write_attributes(d, record, sizeof(record));
	size_t at = (sizeof(struct everprof_labels) + n_attributes + 7) & ~(size_t)7;
	struct everprof_labels *s = ep_alloc(at + d->n * sizeof(d->pairs[0]));
	if (!s)
		return NULL;
	*s = (struct everprof_labels){
		.valid = 1,
		.n_attribute_bytes = (uint16_t)(2 + OWN_BYTES + n_attributes),
		.own_key = EP_LABELS_OWN_KEY,
		.n_own = OWN_BYTES,
		.hash = d->hash,
		.index = n_sets,
		.n = d->n,
		.pairs = memcpy((char *)s + at, d->pairs, d->n * sizeof(d->pairs[0])),
	};
	memcpy(s->attributes, record, n_attributes);
	sets[s->index] = s;
	n_placed += !has_other(d->pairs, d->n);
	atomic_store_explicit(&slots[slot], s, memory_order_release);
	atomic_store_explicit(&n_sets, s->index + 1, memory_order_release);
	return s;
}

static struct everprof_labels *make(struct draft *d, const char **ret_told)
{
	uint32_t slot;
	if (!admit(d, ret_told))
		return NULL;
	struct everprof_labels *s = find(d, true, &slot);
	if (s && !atomic_load(&s->retired))
		return s;
	if (!has_other(d->pairs, d->n) && !may_enter(d, s != NULL)) {
		pressed = true;
		fold_all(d);
		s = find(d, true, &slot);
	}
	if (!s)
		return add_set(d, slot);
	if (atomic_load(&s->retired)) { /* it comes back */
		displaced[s->index] = false;
		atomic_store(&s->retired, false);
		n_placed += !has_other(s->pairs, s->n);
	}
	return s;
}

/* ---- ageing, under the lock ------------------------------------------------------- */

static void weigh(uint64_t (*entered)(uint32_t set))
{
	ep_vocabulary_age();
	for (uint32_t i = 0; i < n_sets; i++) {
		uint64_t n = entered(i), more = n - counted[i];
		counted[i] = n;
		weights[i] = weights[i] / 2 + more;
		for (uint32_t k = 0; more && k < sets[i]->n; k++)
			ep_vocabulary_weigh(sets[i]->pairs[k].value, more);
	}
}

static bool lacks_place(const struct everprof_labels *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (!ep_vocabulary_has_place(s->pairs[i].value))
			return true;
	return displaced[s->index];
}

/* Those of a value, or a combination, that lost its place are not found any more. */
static void retire(void)
{
	for (uint32_t i = 0; i < n_sets; i++) {
		struct everprof_labels *s = sets[i];
		if (atomic_load(&s->retired) || !lacks_place(s))
			continue;
		atomic_store(&s->retired, true);
		n_placed -= !has_other(s->pairs, s->n);
	}
}

static struct everprof_labels *lightest_set(void)
{
	struct everprof_labels *least = NULL;
	for (uint32_t i = 0; i < n_sets; i++)
		if (!atomic_load(&sets[i]->retired) && !displaced[i] &&
		    (!least || weights[i] < weights[least->index]) &&
		    !has_other(sets[i]->pairs, sets[i]->n))
			least = sets[i];
	return least;
}

static bool change_set(uint64_t all, uint32_t n_free)
{
	struct ep_sieve_place *p = ep_sieve_most(&refused_sets);
	uint64_t need = ep_vocabulary_threshold(all + 2 * refused_sets.n, n_sets,
						EP_LABELS_ALL_SETS - ROOM_FOR_OTHER);
	if (!p || !need || 2 * (uint64_t)ep_sieve_sure(p) < need)
		return false;
	if (!n_free) {
		struct everprof_labels *least = lightest_set();
		if (!least || ep_sieve_sure(p) < weights[least->index])
			return false;
		displaced[least->index] = true;
	}
	p->approved = true;
	return true;
}

static void choose_sets(void)
{
	uint64_t all = 0;
	if (!refused_sets.n)
		return;
	for (uint32_t i = 0; i < n_sets; i++)
		all += weights[i];
	ep_sieve_age(&refused_sets);
	refused_sets.n += !refused_sets.n; /* refused once: for ever by approval only */
	uint32_t n_free = n_placed < EP_LABELS_MAX_SETS ? EP_LABELS_MAX_SETS - n_placed : 0;
	for (int i = 0; i < CHANGES && change_set(all, n_free); i++)
		n_free -= n_free > 0;
}

/* ---- the public part ---------------------------------------------------------- */

static const everprof_labels *finish(const everprof_labels *base, struct draft *d)
{
	uint32_t slot;
	const char *told = NULL;
	if (!d->n)
		return NULL;
	struct everprof_labels *s = find(d, false, &slot);
	if (s)
		return s;
	pthread_mutex_lock(&lock);
	s = make(d, &told);
	pthread_mutex_unlock(&lock);
	void (*tell)(const char *) = atomic_load(&on_limit);
	if (told && tell)
		tell(told);
	if (s)
		return s;
	atomic_fetch_add_explicit(&n_folded, 1, memory_order_relaxed);
	return base;
}

static void start_draft(struct draft *d, const everprof_labels *base)
{
	d->n = base ? base->n : 0;
	d->hash = base ? base->hash : 0;
	for (uint32_t i = 0; i < d->n; i++)
		d->pairs[i] = base->pairs[i];
}

__attribute__((visibility("default"))) const everprof_labels *
everprof_labels_derive_v(const everprof_labels *base, unsigned n, const char *const *key_values)
{
	struct draft d;
	start_draft(&d, base);
	for (unsigned i = 0; i + 1 < n; i += 2)
		put_strings(&d, key_values[i], key_values[i + 1]);
	return finish(base, &d);
}

__attribute__((visibility("default"))) const everprof_labels *
everprof_labels_derive_n(const everprof_labels *base, unsigned n, ...)
{
	struct draft d;
	va_list ap;
	start_draft(&d, base);
	va_start(ap, n);
	for (unsigned i = 0; i + 1 < n; i += 2) {
		const char *key = va_arg(ap, const char *);
		const char *value = va_arg(ap, const char *);
		put_strings(&d, key, value);
	}
	va_end(ap);
	return finish(base, &d);
}

__attribute__((visibility("default"))) const everprof_labels *everprof_labels_current(void)
{
	return atomic_load_explicit(&ep_sig_labels, memory_order_relaxed);
}

static __thread struct ep_scopes_span attached __attribute__((tls_model("initial-exec")));

__attribute__((visibility("default"))) const everprof_labels *
everprof_labels_attach(const everprof_labels *set)
{
	const everprof_labels *before =
		atomic_load_explicit(&ep_sig_labels, memory_order_relaxed);
	if (set == before)
		return before;
	ep_scopes_leave(&attached);
	attached.since = 0;
	atomic_store_explicit(&ep_sig_labels, set, memory_order_relaxed);
	if (set)
		ep_scopes_enter(set->index, &attached);
	return before;
}

/* `since` of a scope that counts for a whole stratum is odd, so that it needs one register. */
static __attribute__((noinline)) everprof_entered_ enter_timed(const everprof_labels *before,
								uint32_t set)
{
	struct ep_scopes_span span = {0};
	ep_scopes_enter(set, &span);
	return (everprof_entered_){before,
				   span.since ? (span.since & ~1ull) | (span.weight > 1) : 0};
}

static __attribute__((noinline)) void leave_timed(uint64_t since, uint32_t set)
{
	struct ep_scopes_span span = {since & ~1ull, set, since & 1 ? EP_SCOPES_STRATUM : 1};
	ep_scopes_leave(&span);
}

__attribute__((visibility("default"))) everprof_entered_
everprof_scope_enter_(const everprof_labels *set)
{
	const everprof_labels *before =
		atomic_load_explicit(&ep_sig_labels, memory_order_relaxed);
	atomic_store_explicit(&ep_sig_labels, set, memory_order_relaxed);
	if (!set || ep_scopes_count(set->index))
		return (everprof_entered_){before, 0};
	return enter_timed(before, set->index);
}

__attribute__((visibility("default"))) void everprof_scope_leave_(const everprof_labels *before,
								  unsigned long long since,
								  const everprof_labels *set)
{
	atomic_store_explicit(&ep_sig_labels, before, memory_order_relaxed);
	if (__builtin_expect(since != 0, 0))
		leave_timed(since, set->index);
}

/* The span is the last part of the public struct. */
_Static_assert(sizeof(everprof_scope_) ==
		       offsetof(everprof_scope_, since) + sizeof(struct ep_scopes_span),
	       "one layout");

__attribute__((visibility("default"))) void everprof_scope_begin_(everprof_scope_ *s,
								  const everprof_labels *set)
{
	struct ep_scopes_span *span = (struct ep_scopes_span *)(void *)&s->since;
	s->before = atomic_load_explicit(&ep_sig_labels, memory_order_relaxed);
	s->open = s->once = 1;
	atomic_store_explicit(&ep_sig_labels, set, memory_order_relaxed);
	span->since = 0;
	if (set)
		ep_scopes_enter(set->index, span);
}

__attribute__((visibility("default"))) void everprof_scope_end_(everprof_scope_ *s)
{
	atomic_store_explicit(&ep_sig_labels, s->before, memory_order_relaxed);
	ep_scopes_leave((const struct ep_scopes_span *)(void *)&s->since);
}

void ep_labels_bring(const struct everprof_labels *set)
{
	atomic_store_explicit(&ep_sig_labels, set, memory_order_relaxed);
}

uint32_t ep_labels_n_sets(void)
{
	return atomic_load_explicit(&n_sets, memory_order_acquire);
}

const struct everprof_labels *ep_labels_at(uint32_t index)
{
	return sets[index];
}

uint32_t ep_labels_n_keys(void)
{
	pthread_mutex_lock(&lock);
	uint32_t n = ep_vocabulary_n_keys();
	pthread_mutex_unlock(&lock);
	return n;
}

const char *ep_labels_key(uint32_t i)
{
	pthread_mutex_lock(&lock);
	const char *key = ep_vocabulary_name(ep_vocabulary_at(i)).p;
	pthread_mutex_unlock(&lock);
	return key;
}

void ep_labels_format(const struct everprof_labels *set, char *ret, size_t n)
{
	size_t at = 0;
	ret[0] = '\0';
	for (uint32_t i = 0; i < set->n && at < n; i++)
		at += (size_t)snprintf(ret + at, n - at, "%s%s=%s", i ? ", " : "",
				       set->pairs[i].key.p, set->pairs[i].value.p);
}

const struct everprof_labels *ep_labels_known(const void *set, uint64_t hash)
{
	for (uint32_t i = (uint32_t)hash, n = 0; n < N_SLOTS; i++, n++) {
		const struct everprof_labels *s =
			atomic_load_explicit(&slots[i & (N_SLOTS - 1)], memory_order_acquire);
		if (!s || s == set)
			return s;
	}
	return NULL;
}

uint64_t ep_labels_n_folded(void)
{
	return atomic_load_explicit(&n_folded, memory_order_relaxed);
}

void ep_labels_age(uint64_t (*entered)(uint32_t set))
{
	pthread_mutex_lock(&lock);
	if (pressed) {
		weigh(entered);
		(void)ep_vocabulary_choose(); /* sets follow below, whatever it did */
		choose_sets();
		retire();
	}
	pthread_mutex_unlock(&lock);
}

void ep_labels_on_limit(void (*fn)(const char *key))
{
	atomic_store(&on_limit, fn);
}

void ep_labels_lock(void)
{
	pthread_mutex_lock(&lock);
}

void ep_labels_unlock(void)
{
	pthread_mutex_unlock(&lock);
}
