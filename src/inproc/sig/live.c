/* live.c - see live.h. */
#include "inproc/sig/live.h"

enum { NEVER = 0, AGAIN = 1, WRITING = 2 };

_Atomic uint8_t ep_live_filter[1 << EP_LIVE_FILTER_SHIFT];

static uint32_t place(const void *p, int table)
{
	uint64_t h = ((uint64_t)(uintptr_t)p >> 4) * 0xd6e8feb86659fd93ull;
	return (uint32_t)(h >> (64 - EP_LIVE_FIRST_SHIFT - 2 * table));
}

static struct ep_live_object *slot(const struct ep_live *l, int table, uint32_t at)
{
	uint32_t mask = (1u << (EP_LIVE_FIRST_SHIFT + 2 * table)) - 1;
	return &l->tables[table][at & mask];
}

/* Up or down by one; a counter that was full once can't know any more. */
static void filter(const void *p, int by)
{
	_Atomic uint8_t *c = &ep_live_filter[ep_live_hash(p)];
	uint8_t v = atomic_load_explicit(c, memory_order_relaxed);
	while (v != UINT8_MAX && !atomic_compare_exchange_weak_explicit(
					 c, &v, (uint8_t)(v + by), memory_order_relaxed,
					 memory_order_relaxed))
		;
}

static struct ep_live_object *claim(struct ep_live *l, int table, const void *p)
{
	uint32_t at = place(p, table);
	for (uint32_t i = 0; i < EP_LIVE_PROBES; i++) {
		struct ep_live_object *o = slot(l, table, at + i);
		uint64_t key = atomic_load_explicit(&o->key, memory_order_relaxed);
		if (key <= AGAIN && atomic_compare_exchange_strong_explicit(
					    &o->key, &key, WRITING, memory_order_acquire,
					    memory_order_relaxed))
			return o;
	}
	return NULL;
}

bool ep_live_add(struct ep_live *l, const void *p, uint64_t size, uint32_t site, uint32_t born_s)
{
	struct ep_live_object *o = NULL;
	uint32_t t = 0;
	while (t < EP_LIVE_TABLES && l->tables[t] && !(o = claim(l, (int)t, p)))
		t++;
	if (!o) {
		atomic_fetch_add_explicit(&l->n_dropped, 1, memory_order_relaxed);
		return false;
	}
	uint32_t used = atomic_load_explicit(&l->n_used, memory_order_relaxed);
	while (used < t + 1 && !atomic_compare_exchange_weak_explicit(&l->n_used, &used, t + 1,
								       memory_order_relaxed,
								       memory_order_relaxed))
		;
	atomic_store_explicit(&o->size, size, memory_order_relaxed);
	atomic_store_explicit(&o->site, site, memory_order_relaxed);
	atomic_store_explicit(&o->born_s, born_s, memory_order_relaxed);
	filter(p, 1);
	atomic_store_explicit(&o->key, (uintptr_t)p, memory_order_release);
	return true;
}

void ep_live_ahead(const struct ep_live *l, const void *p)
{
	__builtin_prefetch(slot(l, 0, place(p, 0)));
	__builtin_prefetch((const void *)&ep_live_filter[ep_live_hash(p)]);
}

static struct ep_live_object *find(const struct ep_live *l, int table, const void *p)
{
	uint32_t at = place(p, table);
	for (uint32_t i = 0; i < EP_LIVE_PROBES; i++) {
		struct ep_live_object *o = slot(l, table, at + i);
		uint64_t key = atomic_load_explicit(&o->key, memory_order_acquire);
		if (key == (uintptr_t)p)
			return o;
		if (key == NEVER)
			return NULL;
	}
	return NULL;
}

static void copy(const struct ep_live_object *o, struct ep_live_object *ret)
{
	ret->size = atomic_load_explicit(&o->size, memory_order_relaxed);
	ret->site = atomic_load_explicit(&o->site, memory_order_relaxed);
	ret->born_s = atomic_load_explicit(&o->born_s, memory_order_relaxed);
}

bool ep_live_read(const struct ep_live_object *o, struct ep_live_object *ret)
{
	uint64_t key = atomic_load_explicit(&o->key, memory_order_acquire);
	if (key <= WRITING)
		return false;
	copy(o, ret);
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&o->key, memory_order_relaxed) == key;
}

bool ep_live_take(struct ep_live *l, const void *p, struct ep_live_object *ret)
{
	if ((uintptr_t)p <= WRITING) /* free(NULL) is no object, and its key is NEVER's */
		return false;
	uint32_t n = atomic_load_explicit(&l->n_used, memory_order_relaxed);
	for (uint32_t t = 0; t < n; t++) {
		struct ep_live_object *o = find(l, (int)t, p);
		if (!o)
			continue;
		copy(o, ret);
		atomic_store_explicit(&o->key, AGAIN, memory_order_release);
		filter(p, -1);
		return true;
	}
	return false;
}
