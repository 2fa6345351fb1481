/* kind_heap.c - see kind_heap.h. */
#include "inproc/kind_heap.h"

#include "base/clock.h"
#include "inproc/code.h"
#include "inproc/debugtext.h"
#include "inproc/registry.h"
#include "inproc/mem_own.h"
#include "inproc/siterows.h"
#include "inproc/sig/heap.h"

enum {
	MAX_SITES = 1 << 15,
	MAX_SITE_FRAMES = 1 << 20,
};

/* What a site's counters were at the last delta. */
struct before {
	int64_t objects, bytes;
};
static struct before *before; /* by site */
static uint32_t *part; /* by site: of its live objects, what does not make a whole one yet */
static uint64_t from_ns, delta_from_ns;
static uint64_t taken_before, lost_before, truncated_before;

static const struct ep_kind heap_kind, allocs_kind;

static uint32_t now_s(void)
{
	return (uint32_t)(ep_clock_mono_ns() / EP_NS_PER_S);
}

static int reserve(void)
{
	void *sites = ep_mem_own_pages(ep_sites_bytes(MAX_SITES, MAX_SITE_FRAMES));
	before = ep_mem_own_pages(MAX_SITES * sizeof(*before));
	part = ep_mem_own_pages(MAX_SITES * sizeof(*part));
	for (int i = 0; i < EP_LIVE_TABLES; i++)
		ep_heap.live.tables[i] = ep_mem_own_pages(ep_live_bytes(i));
	if (!sites || !before || !part || !ep_heap.live.tables[0])
		return -ENOMEM;
	ep_sites_init(&ep_heap.sites, sites, MAX_SITES, MAX_SITE_FRAMES);
	return 0;
}

int ep_kind_heap_start(uint64_t mean)
{
	if (!ep_heap.mean) {
		EP_TRY(reserve());
		ep_heap.mean = mean;
		EP_TRY(ep_registry_add(&heap_kind));
		EP_TRY(ep_registry_add(&allocs_kind));
		from_ns = delta_from_ns = ep_clock_wall_ns();
	}
	ep_kind_heap_tick();
	atomic_store_explicit(&ep_heap.on, true, memory_order_release);
	ep_heap_left = 0; /* this thread looks at its next allocation, others within 64 KB */
	return 0;
}

void ep_kind_heap_stop(void)
{
	atomic_store(&ep_heap.on, false);
}

void ep_kind_heap_tick(void)
{
	atomic_store_explicit(&ep_heap.now_s, now_s(), memory_order_relaxed);
}

/* ---- rows ------------------------------------------------------------------------------ */

/* Objects are counted in 1/65536, so that small weights add up. */
static int64_t whole(int64_t objects)
{
	return (objects + (1 << (EP_HEAP_OBJECT_SHIFT - 1))) >> EP_HEAP_OBJECT_SHIFT;
}

static void add_allocations(struct ep_tally *t, bool delta)
{
	for (uint32_t i = 0; i < MAX_SITES; i++) {
		const struct ep_site *s = ep_sites_at(&ep_heap.sites, i);
		if (!s)
			continue;
		int64_t objects = atomic_load_explicit(&s->values[EP_HEAP_ALLOC_OBJECTS],
						       memory_order_relaxed);
		int64_t bytes = atomic_load_explicit(&s->values[EP_HEAP_ALLOC_BYTES],
						     memory_order_relaxed);
		int64_t values[EP_TALLY_VALUES] = {whole(objects), bytes};
		if (delta) {
			values[0] -= whole(before[i].objects);
			values[1] -= before[i].bytes;
			before[i] = (struct before){objects, bytes};
		}
		if (values[0] || values[1])
			ep_siterows_add(t, &ep_heap.sites, s, NULL, values);
	}
}

/* An object of 1.2 means stands for 1.43: rounded one by one, a site of them would be 30 %
 * short. */
static int64_t whole_of_site(uint32_t site, int64_t objects)
{
	objects += part[site];
	part[site] = (uint32_t)(objects & ((1 << EP_HEAP_OBJECT_SHIFT) - 1));
	return objects >> EP_HEAP_OBJECT_SHIFT;
}

static void add_live(struct ep_tally *t)
{
	for (uint32_t i = 0; i < ep_heap.sites.n_slots && i < MAX_SITES; i++)
		part[i] = 1 << (EP_HEAP_OBJECT_SHIFT - 1);
	uint32_t n = atomic_load(&ep_heap.live.n_used);
	for (uint32_t k = 0; k < n; k++) {
		const struct ep_live_object *o = ep_heap.live.tables[k];
		uint32_t slots = 1u << (EP_LIVE_FIRST_SHIFT + 2 * k);
		for (uint32_t i = 0; i < slots; i++, o++) {
			struct ep_live_object seen;
			if (!ep_live_read(o, &seen))
				continue;
			const struct ep_site *s = ep_sites_at(&ep_heap.sites, seen.site);
			struct ep_heap_weight w = ep_heap_weight(seen.size);
			if (!s)
				continue;
			int64_t values[EP_TALLY_VALUES] = {0, 0, whole_of_site(seen.site, w.objects), w.bytes};
			ep_siterows_add(t, &ep_heap.sites, s,
					ep_siterows_age(now_s() - seen.born_s), values);
		}
	}
}

static void add_ledger(struct ep_batch *b, bool delta)
{
	uint64_t taken = atomic_load(&ep_heap.n_samples), lost = atomic_load(&ep_heap.n_lost);
	uint64_t truncated = atomic_load(&ep_heap.n_truncated);
	b->ledger = (struct ep_ledger){.taken = taken, .lost = lost, .truncated = truncated};
	if (delta) {
		b->ledger.taken -= taken_before;
		b->ledger.lost -= lost_before;
		b->ledger.truncated -= truncated_before;
		taken_before = taken;
		lost_before = lost;
		truncated_before = truncated;
	}
	b->ledger.asked = b->ledger.taken + b->ledger.lost;
}

static bool take(const struct ep_kind *k, enum ep_kind_form form, struct ep_batch *ret_b)
{
	bool delta = form == EP_KIND_PUSH;
	struct ep_tally *t = ep_heap.mean ? ep_tally_new() : NULL;
	if (!t || !ep_batch_init(ret_b, k->shape, t)) {
		ep_tally_free(t);
		return false;
	}
	(void)ep_code_refresh(false); /* out of memory: the old map does */
	ret_b->period = ep_heap.mean;
	ret_b->from_ns = delta ? delta_from_ns : from_ns;
	add_allocations(t, delta);
	add_live(t);
	add_ledger(ret_b, delta);
	if (delta)
		delta_from_ns = ret_b->until_ns;
	return true;
}

/* Sites: what the index of Go's counts too. */
static uint64_t count(const struct ep_kind *k)
{
	uint64_t n = 0;
	(void)k;
	for (uint32_t i = 0; i < ep_heap.sites.n_slots; i++)
		n += ep_sites_at(&ep_heap.sites, i) != NULL;
	return n;
}

static const struct ep_kind heap_kind = {
	.name = "heap",
	.description = "A sampling of memory allocations: what is in use now, and what was "
		       "allocated since the start.",
	.shape = &ep_write_heap_shape,
	.take = take,
	.text = ep_debugtext_heap,
	.count = count,
	.can_delta = true,
	.push_every_ns = 60 * EP_NS_PER_S,
};

static const struct ep_write_shape allocs_shape = {
	.name = "allocs",
	.values = {{"alloc_objects", "count"},
		   {"alloc_space", "bytes"},
		   {"inuse_objects", "count"},
		   {"inuse_space", "bytes"}},
	.period = {"space", "bytes"},
	.default_type = "alloc_space",
};

static const struct ep_kind allocs_kind = {
	.name = "allocs",
	.description = "The same as heap, showing what was allocated since the start.",
	.shape = &allocs_shape,
	.take = take,
	.text = ep_debugtext_heap,
	.count = count,
	.can_delta = true,
};
