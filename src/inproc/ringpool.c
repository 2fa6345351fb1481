/* ringpool.c - see ringpool.h. */
#include "inproc/ringpool.h"

#include "inproc/mem_own.h"
#include "inproc/sig/rings.h"
#include "safe/sys.h"

enum {
	MIN_RINGS = 4,
	RING_WORDS = 8192,	/* 64 KB: two seconds of a CPU at 100 Hz and 35 frames */
	RING_WORDS_OF_MANY = 4096, /* 2 MB together at the most */
	MANY = EP_RINGS_MAX / 2,
	FIRST_BYTES = 8192, /* till the drain has seen a sample in it */
};

static uint32_t n_cpus(void)
{
	uint64_t mask[128]; /* 8,192 CPUs */
	long n_bytes = ep_sys6(SYS_sched_getaffinity, 0, sizeof(mask), (long)mask, 0, 0, 0);
	uint32_t n = 0;
	for (long i = 0; i < n_bytes / 8; i++)
		n += (uint32_t)__builtin_popcountll(mask[i]);
	return n;
}

bool ep_ringpool_make(void)
{
	uint32_t n = MIN_RINGS, cpus = n_cpus();
	if (atomic_load(&ep_rings.n))
		return true;
	while (n < 2 * cpus && n < EP_RINGS_MAX)
		n *= 2;
	uint32_t n_words = n > MANY ? RING_WORDS_OF_MANY : RING_WORDS;
	size_t n_bytes = n_words * sizeof(uint64_t);
	char *p = ep_mem_own_pages(n * n_bytes);
	if (!p)
		return false;
	for (uint32_t i = 0; i < n; i++, p += n_bytes) {
		ep_ring_init(&ep_rings.one[i].ring, (uint64_t *)p, n_words);
		ep_mem_own_populate(p, FIRST_BYTES);
	}
	atomic_store_explicit(&ep_rings.n, n, memory_order_release);
	return true;
}

void ep_ringpool_populate(void)
{
	uint32_t n = atomic_load(&ep_rings.n);
	for (uint32_t i = 0; i < n; i++) {
		struct ep_rings_one *r = &ep_rings.one[i];
		if (r->is_there || !ep_ring_used(&r->ring))
			continue;
		ep_mem_own_populate(r->ring.words, r->ring.n_words * sizeof(*r->ring.words));
		r->is_there = true;
	}
}

void ep_ringpool_child(void)
{
	uint32_t n = atomic_load(&ep_rings.n);
	for (uint32_t i = 0; i < n; i++) {
		struct ep_rings_one *r = &ep_rings.one[i];
		ep_ring_init(&r->ring, r->ring.words, r->ring.n_words);
		r->is_there = false; /* shared with the parent until written to */
		ep_rings_release(r);
	}
}
