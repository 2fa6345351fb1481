/* heap.c - see heap.h. */
#include "inproc/sig/heap.h"

#include "inproc/sig/desk.h"
#include "safe/poisson.h"
#include "safe/sys.h"

#include <time.h>

/* How far a thread counts while nobody samples, till it looks again. */
#define LOOK_AGAIN_BYTES (64 << 10)

struct ep_heap ep_heap;
__thread uint64_t ep_heap_left __attribute__((tls_model("initial-exec")));
static __thread uint64_t dice __attribute__((tls_model("initial-exec")));

struct ep_heap_weight ep_heap_weight(uint64_t size)
{
	double n = size ? (double)size : 1; /* malloc(0) is an object too */
	double times = ep_heap.mean > 1 ? 1 / ep_poisson_hit(n / (double)ep_heap.mean) : 1;
	return (struct ep_heap_weight){
		(int64_t)(times * (1 << EP_HEAP_OBJECT_SHIFT) + 0.5),
		(int64_t)(times * (double)size + 0.5)};
}

static void draw(uint64_t mean)
{
	if (!dice) {
		struct timespec t = {0};
		(void)ep_sys6(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&t, 0, 0, 0, 0);
		dice = ((uint64_t)(uintptr_t)&dice ^ (uint64_t)t.tv_nsec << 20) | 1;
		(void)ep_poisson_random(&dice);
	}
	/* A mean of 1 is every object, also the empty one: always below 0.  And never the same
	 * twice, so that it shows whether anything was counted meanwhile (hooks_new.c). */
	ep_heap_left = mean > 1 ? (uint64_t)ep_poisson_draw(&dice, mean)
				: 3ull << 62 | ep_poisson_random(&dice) >> 2;
}

static void take(const void *p, uint64_t size, const void *return_address)
{
	struct ep_desk *d = ep_desk_take();
	uint32_t site = EP_SITES_NONE;
	if (d)
		ep_desk_ahead(d);
	ep_live_ahead(&ep_heap.live, p);
	if (d && ep_desk_walk(d, return_address)) {
		const void *labels = atomic_load_explicit(&ep_sig_labels, memory_order_relaxed);
		site = ep_sites_find_or_add(&ep_heap.sites, d->frames, d->n_frames, d->truncated,
					    labels);
		if (d->truncated)
			atomic_fetch_add_explicit(&ep_heap.n_truncated, 1, memory_order_relaxed);
	}
	if (d)
		ep_desk_give(d);
	if (site == EP_SITES_NONE || !ep_live_add(&ep_heap.live, p, size, site,
						  atomic_load_explicit(&ep_heap.now_s,
								       memory_order_relaxed))) {
		atomic_fetch_add_explicit(&ep_heap.n_lost, 1, memory_order_relaxed);
		return;
	}
	struct ep_heap_weight w = ep_heap_weight(size);
	ep_sites_count(&ep_heap.sites, site, EP_HEAP_ALLOC_OBJECTS, w.objects);
	ep_sites_count(&ep_heap.sites, site, EP_HEAP_ALLOC_BYTES, w.bytes);
	atomic_fetch_add_explicit(&ep_heap.n_samples, 1, memory_order_relaxed);
}

__attribute__((noinline)) void ep_heap_sample(const void *p, uint64_t size,
					      const void *return_address)
{
	uint64_t mean = ep_heap.mean;
	bool first = !dice; /* a new thread starts at 0, which is no sample point */
	if (!atomic_load_explicit(&ep_heap.on, memory_order_acquire)) {
		ep_heap_left = LOOK_AGAIN_BYTES;
		return;
	}
	draw(mean);
	if (first) {
		if (!ep_heap_passes(size))
			return;
		draw(mean);
	}
	if (p)
		take(p, size, return_address);
}

void ep_heap_moved(const struct ep_live_object *o, const void *kept)
{
	if (kept && ep_live_add(&ep_heap.live, kept, o->size, o->site, o->born_s))
		return;
	struct ep_heap_weight w = ep_heap_weight(o->size);
	ep_sites_count(&ep_heap.sites, o->site, EP_HEAP_FREE_OBJECTS, w.objects);
	ep_sites_count(&ep_heap.sites, o->site, EP_HEAP_FREE_BYTES, w.bytes);
}

__attribute__((noinline)) void ep_heap_freed(const void *p)
{
	struct ep_live_object o;
	if (ep_live_take(&ep_heap.live, p, &o))
		ep_heap_moved(&o, NULL);
}
