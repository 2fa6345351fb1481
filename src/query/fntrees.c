/* fntrees.c - trees of functions that are kept between queries.  See fntree.h. */
#include "base/clock.h"
#include "query/fntree.h"
#include "symbol/symbol.h"

#include <pthread.h>

enum { BYTES_A_STACK = 20 }; /* what a tree takes, about */

/*
 * Under the lock of all: what finds it, and who uses it.  Under its own: the tree; users
 * hold that for reading, who makes it grow for writing.
 */
struct ep_fntrees_entry {
	struct ep_fntrees_entry *next;
	uint64_t serial, generation; /* of the dictionary; of the symbols */
	uint32_t refs;
	bool is_dropped; /* not in the list any more: the last user frees it */
	size_t bytes;
	uint64_t used_ns;
	pthread_rwlock_t lock;
	struct ep_dicttree x;
};

struct ep_fntrees {
	pthread_mutex_t lock;
	struct ep_fntrees_entry *first;
	size_t max_bytes, bytes;
};

int ep_fntrees_new(size_t max_bytes, struct ep_fntrees **ret_c)
{
	struct ep_fntrees *c = ep_zalloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	pthread_mutex_init(&c->lock, NULL);
	c->max_bytes = max_bytes;
	*ret_c = c;
	return 0;
}

static void free_entry(struct ep_fntrees_entry *e)
{
	ep_dicttree_fini(&e->x);
	pthread_rwlock_destroy(&e->lock);
	ep_free(e);
}

/* A growing tree must not wait for ever for its readers. */
static struct ep_fntrees_entry *new_entry(const struct ep_dict *d, struct ep_symcache *symbols,
					  uint64_t generation)
{
	struct ep_fntrees_entry *e = ep_zalloc(sizeof(*e));
	pthread_rwlockattr_t a;
	if (!e)
		return NULL;
	pthread_rwlockattr_init(&a);
	pthread_rwlockattr_setkind_np(&a, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&e->lock, &a);
	pthread_rwlockattr_destroy(&a);
	e->serial = d->serial;
	e->generation = generation;
	if (ep_dicttree_init(&e->x, d, symbols) == 0)
		return e;
	free_entry(e);
	return NULL;
}

/* The rest is under the lock of all. */

static void drop(struct ep_fntrees *c, struct ep_fntrees_entry **at)
{
	struct ep_fntrees_entry *e = *at;
	*at = e->next;
	c->bytes -= e->bytes;
	e->is_dropped = true;
	if (!e->refs)
		free_entry(e);
}

static void drop_idle(struct ep_fntrees *c, uint64_t idle_ns)
{
	uint64_t now = ep_clock_mono_ns();
	for (struct ep_fntrees_entry **at = &c->first; *at;)
		if (!(*at)->refs && now - (*at)->used_ns >= idle_ns)
			drop(c, at);
		else
			at = &(*at)->next;
}

static void keep_budget(struct ep_fntrees *c)
{
	while (c->bytes > c->max_bytes) {
		struct ep_fntrees_entry **oldest = NULL;
		for (struct ep_fntrees_entry **at = &c->first; *at; at = &(*at)->next)
			if (!(*at)->refs && (!oldest || (*at)->used_ns < (*oldest)->used_ns))
				oldest = at;
		if (!oldest)
			return;
		drop(c, oldest);
	}
}

/* Names of another generation are out of date. */
static struct ep_fntrees_entry *find(struct ep_fntrees *c, uint64_t serial, uint64_t generation)
{
	for (struct ep_fntrees_entry **at = &c->first; *at; at = &(*at)->next) {
		if ((*at)->serial != serial)
			continue;
		if ((*at)->generation == generation)
			return *at;
		drop(c, at);
		return NULL;
	}
	return NULL;
}

static struct ep_fntrees_entry *take(struct ep_fntrees *c, const struct ep_dict *d,
				     struct ep_symcache *symbols)
{
	/* Before the first name: a table that comes meanwhile makes it out of date. */
	uint64_t generation = symbols ? ep_symcache_generation(symbols) : 0;
	pthread_mutex_lock(&c->lock);
	struct ep_fntrees_entry *e = find(c, d->serial, generation);
	if (!e) {
		e = new_entry(d, symbols, generation);
		if (e) {
			e->next = c->first;
			c->first = e;
		}
	}
	if (e)
		e->refs++;
	pthread_mutex_unlock(&c->lock);
	return e;
}

void ep_fntrees_free(struct ep_fntrees *c)
{
	if (!c)
		return;
	while (c->first)
		drop(c, &c->first);
	pthread_mutex_destroy(&c->lock);
	ep_free(c);
}

size_t ep_fntrees_trim(struct ep_fntrees *c, uint64_t idle_ns)
{
	pthread_mutex_lock(&c->lock);
	drop_idle(c, idle_ns);
	size_t bytes = c->bytes;
	pthread_mutex_unlock(&c->lock);
	return bytes;
}

/* --- use ------------------------------------------------------------------------------------ */

/* What failed on the way is not ranked. */
static bool is_enough(const struct ep_fntrees_entry *e, uint32_t n)
{
	return e->x.n >= n && e->x.t.n_ranked == e->x.t.fns.n;
}

static int grow(struct ep_fntrees_entry *e, const struct ep_dict *d, uint32_t n)
{
	int rc = 0;
	pthread_rwlock_wrlock(&e->lock);
	if (!is_enough(e, n)) /* not by another meanwhile */
		rc = ep_dicttree_grow(&e->x, ep_vec_n(&d->stacks), NULL);
	pthread_rwlock_unlock(&e->lock);
	return rc;
}

int ep_fntrees_get(struct ep_fntrees *c, const struct ep_dict *d, uint32_t n,
		   struct ep_symcache *symbols, struct ep_fntrees_entry **ret_e,
		   const struct ep_dicttree **ret_x)
{
	*ret_e = NULL;
	if (!c || (size_t)n * BYTES_A_STACK > c->max_bytes)
		return 0;
	struct ep_fntrees_entry *e = take(c, d, symbols);
	if (!e)
		return -ENOMEM;
	pthread_rwlock_rdlock(&e->lock);
	while (!is_enough(e, n)) {
		pthread_rwlock_unlock(&e->lock);
		int rc = grow(e, d, n);
		pthread_rwlock_rdlock(&e->lock);
		if (rc < 0) {
			ep_fntrees_put(c, e);
			return rc;
		}
	}
	*ret_e = e;
	*ret_x = &e->x;
	return 0;
}

void ep_fntrees_put(struct ep_fntrees *c, struct ep_fntrees_entry *e)
{
	size_t bytes = ep_dicttree_bytes(&e->x);
	pthread_rwlock_unlock(&e->lock);
	pthread_mutex_lock(&c->lock);
	e->refs--;
	e->used_ns = ep_clock_mono_ns();
	if (e->is_dropped) {
		if (!e->refs)
			free_entry(e);
	} else {
		c->bytes += bytes - e->bytes;
		e->bytes = bytes;
	}
	keep_budget(c);
	pthread_mutex_unlock(&c->lock);
}
