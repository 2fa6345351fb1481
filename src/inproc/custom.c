/*
 * custom.c - profiles of the program's own things: what is open, where it was opened.
 *
 * A thing is known by a key; its site is where it was added.  Keys lie in shards, each
 * with a lock of its own that is held for a few nanoseconds, and all that an add or a
 * remove writes lies in one shard: threads meet at a counter nowhere.  Writing a profile
 * counts the things by their sites.
 */
#include "inproc/custom.h"

#include "base/clock.h"
#include "inproc/debugtext.h"
#include "inproc/registry.h"
#include "inproc/siterows.h"
#include "inproc/sig/desk.h"
#include "inproc/start.h"
#include "inproc/mem_own.h"
#include "safe/sys.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

enum {
	SHARDS = 64,
	SHARD_SHIFT = 58, /* of a 64-bit hash */
	MAX_SITES = 4096,
	MAX_SITE_FRAMES = 1 << 17,
	MAX_THINGS = 1 << 22, /* of one profile: 128 MB at worst */
	FIRST_CAP = 16,
	SPINS = 100,
};

struct thing {
	uint64_t key;  /* any number */
	uint32_t site; /* EP_SITES_NONE: an empty place */
};

/* Open addressing, at most half full; a removed thing's place is closed by moving up
 * those behind it, so there are no graves. */
struct shard {
	_Atomic uint32_t lock;
	uint32_t n, cap;
	struct thing *v;
	uint64_t n_taken; /* ever */
} __attribute__((aligned(64)));

struct custom {
	struct ep_kind kind; /* first: one is the other */
	char name[65];
	struct ep_write_shape shape;
	uint64_t from_ns;
	struct ep_sites sites;
	_Atomic uint64_t n_lost, n_truncated, n_twice, n_strangers;
	struct shard shards[SHARDS];
};

static struct custom *_Atomic all[EP_REGISTRY_MAX];
static _Atomic uint32_t n_all;

/* ---- shards ----------------------------------------------------------------------------- */

static void lock(struct shard *s)
{
	for (uint32_t i = 1; atomic_exchange_explicit(&s->lock, 1, memory_order_acquire); i++)
		while (atomic_load_explicit(&s->lock, memory_order_relaxed))
			if (i++ % SPINS == 0)
				(void)ep_sys6(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

static void unlock(struct shard *s)
{
	atomic_store_explicit(&s->lock, 0, memory_order_release);
}

static uint64_t hash_of(uint64_t key)
{
	key *= 0x9e3779b97f4a7c15ull;
	return key ^ key >> 32;
}

static uint32_t home(const struct shard *s, uint64_t hash)
{
	return (uint32_t)hash & (s->cap - 1);
}

/* Where the key is, or the empty place where it would be. */
static struct thing *place(struct shard *s, uint64_t key, uint64_t hash)
{
	uint32_t at = home(s, hash);
	while (s->v[at].site != EP_SITES_NONE && s->v[at].key != key)
		at = (at + 1) & (s->cap - 1);
	return &s->v[at];
}

static bool grow(struct shard *s)
{
	uint32_t cap = s->cap ? s->cap * 2 : FIRST_CAP, had = s->cap;
	struct thing *old = s->v, *fresh = ep_alloc(cap * sizeof(*fresh));
	if (!fresh || cap > MAX_THINGS / SHARDS * 2) {
		ep_free(fresh);
		return false;
	}
	for (uint32_t i = 0; i < cap; i++)
		fresh[i].site = EP_SITES_NONE;
	s->v = fresh;
	s->cap = cap;
	for (uint32_t i = 0; i < had; i++)
		if (old[i].site != EP_SITES_NONE)
			*place(s, old[i].key, hash_of(old[i].key)) = old[i];
	ep_free(old);
	return true;
}

static int insert(struct custom *c, uint64_t key, uint32_t site)
{
	uint64_t hash = hash_of(key);
	struct shard *s = &c->shards[hash >> SHARD_SHIFT];
	int rc = 0;
	lock(s);
	if (s->n * 2 >= s->cap && !grow(s)) {
		rc = -ENOSPC;
	} else {
		struct thing *t = place(s, key, hash);
		if (t->site != EP_SITES_NONE)
			rc = -EEXIST;
		else
			*t = (struct thing){key, site};
		s->n += rc == 0;
		s->n_taken += rc == 0;
	}
	unlock(s);
	return rc;
}

/* Close the gap: whatever can't stay behind it moves into it. */
static void close_gap(struct shard *s, uint32_t gap)
{
	uint32_t mask = s->cap - 1;
	for (uint32_t at = (gap + 1) & mask; s->v[at].site != EP_SITES_NONE;
	     at = (at + 1) & mask) {
		uint32_t want = home(s, hash_of(s->v[at].key));
		if (((at - want) & mask) < ((at - gap) & mask))
			continue;
		s->v[gap] = s->v[at];
		gap = at;
	}
	s->v[gap].site = EP_SITES_NONE;
}

static uint32_t take_out(struct custom *c, uint64_t key)
{
	uint64_t hash = hash_of(key);
	struct shard *s = &c->shards[hash >> SHARD_SHIFT];
	uint32_t site = EP_SITES_NONE;
	lock(s);
	struct thing *t = s->cap ? place(s, key, hash) : NULL;
	if (t && t->site != EP_SITES_NONE) {
		site = t->site;
		close_gap(s, (uint32_t)(t - s->v));
		s->n--;
	}
	unlock(s);
	return site;
}

/* ---- a kind of profile ------------------------------------------------------------------- */

/* Things by site; what was ever taken. */
static uint64_t count_things(struct custom *c, int64_t by_site[MAX_SITES])
{
	uint64_t n_taken = 0;
	for (int i = 0; i < SHARDS; i++) {
		struct shard *s = &c->shards[i];
		lock(s);
		for (uint32_t k = 0; s->n && k < s->cap; k++)
			if (s->v[k].site != EP_SITES_NONE)
				by_site[s->v[k].site]++;
		n_taken += s->n_taken;
		unlock(s);
	}
	return n_taken;
}

static void add_ledger(const struct custom *c, uint64_t n_taken, struct ep_batch *b)
{
	b->ledger = (struct ep_ledger){.taken = n_taken,
				       .lost = atomic_load(&c->n_lost),
				       .truncated = atomic_load(&c->n_truncated),
				       .misused = atomic_load(&c->n_twice) +
						  atomic_load(&c->n_strangers)};
	b->ledger.asked = b->ledger.taken + b->ledger.lost;
}

static bool take(const struct ep_kind *k, enum ep_kind_form form, struct ep_batch *ret_b)
{
	static int64_t by_site[MAX_SITES]; /* under the drain lock */
	struct custom *c = k->of;
	struct ep_tally *t = ep_tally_new();
	(void)form; /* what is open now, either way */
	if (!t || !ep_batch_init(ret_b, k->shape, t)) {
		ep_tally_free(t);
		return false;
	}
	ret_b->period = 1;
	ret_b->from_ns = c->from_ns;
	memset(by_site, 0, sizeof(by_site));
	uint64_t n_taken = count_things(c, by_site);
	for (uint32_t i = 0; i < MAX_SITES; i++)
		if (by_site[i])
			ep_siterows_add(t, &c->sites, ep_sites_at(&c->sites, i), NULL,
					(int64_t[EP_TALLY_VALUES]){by_site[i]});
	add_ledger(c, n_taken, ret_b);
	return true;
}

static uint64_t count(const struct ep_kind *k)
{
	struct custom *c = k->of;
	uint64_t n = 0;
	for (int i = 0; i < SHARDS; i++) {
		lock(&c->shards[i]);
		n += c->shards[i].n;
		unlock(&c->shards[i]);
	}
	return n;
}

static struct custom *make(const char *name)
{
	struct custom *c = ep_mem_own_pages(sizeof(*c));
	void *sites = ep_mem_own_pages(ep_sites_bytes(MAX_SITES, MAX_SITE_FRAMES));
	if (!c || !sites)
		return NULL; /* a few pages that were never touched */
	strcpy(c->name, name);
	ep_sites_init(&c->sites, sites, MAX_SITES, MAX_SITE_FRAMES);
	c->shape = (struct ep_write_shape){.name = c->name,
					   .values = {{c->name, "count"}},
					   .period = {c->name, "count"},
					   .default_type = c->name};
	c->from_ns = ep_clock_wall_ns();
	c->kind = (struct ep_kind){.name = c->name,
				   .description = "A profile of this program's own.",
				   .shape = &c->shape,
				   .take = take,
				   .text = ep_debugtext_counts,
				   .count = count,
				   .push_every_ns = 60 * EP_NS_PER_S,
				   .of = c};
	return c;
}

static struct custom *custom_of(everprof_profile *p)
{
	struct ep_kind *k = (struct ep_kind *)p;
	return k && k->take == take ? k->of : NULL;
}

/* ---- the API --------------------------------------------------------------------------------- */

EXPORTED everprof_profile *everprof_profile_new(const char *name)
{
	struct custom *c = NULL;
	int rc = -EINVAL;
	if (name && strlen(name) < sizeof(c->name)) {
		bool is_taken = ep_registry_is_ours(name) || ep_registry_find(name);
		c = is_taken ? NULL : make(name);
		rc = is_taken ? -EEXIST : c ? ep_registry_add(&c->kind) : -ENOMEM;
	}
	if (rc < 0) {
		errno = -rc;
		return NULL;
	}
	atomic_store(&all[atomic_fetch_add(&n_all, 1)], c);
	ep_start_know_code(); /* stacks need it, also where nothing else runs */
	return (everprof_profile *)&c->kind;
}

EXPORTED everprof_profile *everprof_profile_lookup(const char *name)
{
	return name ? (everprof_profile *)(uintptr_t)ep_registry_find(name) : NULL;
}

EXPORTED size_t everprof_profile_list(everprof_profile **ret, size_t max)
{
	const struct ep_kind *k;
	size_t n = 0;
	for (uint32_t i = 0; (k = ep_registry_at(i)) != NULL; i++, n++)
		if (n < max)
			ret[n] = (everprof_profile *)(uintptr_t)k;
	return n;
}

EXPORTED const char *everprof_profile_name(const everprof_profile *p)
{
	return p ? ((const struct ep_kind *)p)->name : NULL;
}

EXPORTED size_t everprof_profile_count(const everprof_profile *p)
{
	const struct ep_kind *k = (const struct ep_kind *)p;
	return k ? k->count(k) : 0;
}

static uint32_t site_here(struct custom *c, unsigned skip, const void *return_address)
{
	struct ep_desk *d = ep_desk_take();
	uint32_t site = EP_SITES_NONE;
	if (d && ep_desk_walk(d, return_address)) {
		const void *labels = atomic_load_explicit(&ep_sig_labels, memory_order_relaxed);
		if (skip >= d->n_frames)
			skip = d->n_frames - 1;
		site = ep_sites_find_or_add(&c->sites, d->frames + skip, d->n_frames - skip,
					    d->truncated, labels);
		if (d->truncated)
			atomic_fetch_add_explicit(&c->n_truncated, 1, memory_order_relaxed);
	}
	if (d)
		ep_desk_give(d);
	return site;
}

EXPORTED int (everprof_profile_add)(everprof_profile *p, const void *key, unsigned skip)
{
	struct custom *c = custom_of(p);
	if (!c)
		return -EINVAL;
	uint32_t site = site_here(c, skip, __builtin_return_address(0));
	int rc = site == EP_SITES_NONE ? -ENOSPC : insert(c, (uintptr_t)key, site);
	if (rc == -EEXIST)
		atomic_fetch_add_explicit(&c->n_twice, 1, memory_order_relaxed);
	else if (rc < 0)
		atomic_fetch_add_explicit(&c->n_lost, 1, memory_order_relaxed);
	return rc;
}

EXPORTED int everprof_profile_remove(everprof_profile *p, const void *key)
{
	struct custom *c = custom_of(p);
	if (!c)
		return -EINVAL;
	uint32_t site = take_out(c, (uintptr_t)key);
	if (site == EP_SITES_NONE) {
		atomic_fetch_add_explicit(&c->n_strangers, 1, memory_order_relaxed);
		return -ENOENT;
	}
	return 0;
}

/* ---- fork ------------------------------------------------------------------------------------- */

void ep_custom_lock(void)
{
	for (uint32_t i = 0; i < atomic_load(&n_all); i++)
		for (int k = 0; all[i] && k < SHARDS; k++)
			lock(&all[i]->shards[k]);
}

void ep_custom_unlock(void)
{
	for (uint32_t i = 0; i < atomic_load(&n_all); i++)
		for (int k = 0; all[i] && k < SHARDS; k++)
			unlock(&all[i]->shards[k]);
}
