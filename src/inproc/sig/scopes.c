/* scopes.c - see scopes.h. */
#include "inproc/sig/scopes.h"

#include "safe/sys.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

enum {
	PROBES = 16,	/* blocks looked at for a free one */
	PATIENCE = 256, /* scopes until a thread without a block asks again */
};

/* Scopes longer than this are all timed.  Ticks of half a microsecond or more at 1 to
 * 4 GHz; counters of other CPUs are slower, which errs towards timing more. */
#define LONG_TICKS 2048

struct block {
	_Atomic uint64_t owner; /* tid | number of the owner << 32; tid 0: free */
	struct ep_scopes_count *_Atomic counts; /* [EP_SCOPES_SETS], touched when used */
	uint64_t random;
};

static struct block blocks[EP_SCOPES_BLOCKS];
static struct ep_scopes_count *_Atomic shared;
static _Atomic bool on;

__thread struct ep_scopes_count *ep_scopes_mine;
static __thread uint32_t patience __attribute__((tls_model("initial-exec")));
static __thread struct block *my_block __attribute__((tls_model("initial-exec")));

#if defined(__aarch64__)
uint64_t ep_scopes_now(void)
{
	uint64_t t;
	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
	return t;
}
#endif

static struct ep_scopes_count *new_counts(void)
{
	long p = ep_sys6(SYS_mmap, 0, EP_SCOPES_SETS * sizeof(struct ep_scopes_count),
			 PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p > -4096 && p < 0 ? NULL : (struct ep_scopes_count *)p;
}

/* Nobody else changes `counts` while the block is ours. */
static bool use(struct block *b, uint64_t seen, uint32_t tid)
{
	uint64_t mine = ((seen >> 32) + 1) << 32 | tid;
	if (!atomic_compare_exchange_strong_explicit(&b->owner, &seen, mine, memory_order_acquire,
						     memory_order_relaxed))
		return false;
	struct ep_scopes_count *c = atomic_load_explicit(&b->counts, memory_order_relaxed);
	if (!c && !(c = new_counts())) {
		atomic_store_explicit(&b->owner, mine & ~0xffffffffull, memory_order_release);
		return false;
	}
	b->random = ep_scopes_now() * 2 + 1;
	atomic_store_explicit(&b->counts, c, memory_order_release);
	my_block = b;
	ep_scopes_mine = c;
	return true;
}

/* A block that is free, or was that of a thread which had our id before us. */
static bool claim(void)
{
	uint32_t tid = (uint32_t)ep_sys6(SYS_gettid, 0, 0, 0, 0, 0, 0);
	if (patience) {
		patience--;
		return false;
	}
	patience = PATIENCE;
	for (uint32_t i = 0; i < PROBES; i++) {
		/* Ids of threads that live at once are mostly neighbours. */
		struct block *b = &blocks[(tid + i) % EP_SCOPES_BLOCKS];
		uint64_t seen = atomic_load_explicit(&b->owner, memory_order_relaxed);
		if (((uint32_t)seen == 0 || (uint32_t)seen == tid) && use(b, seen, tid))
			return true;
	}
	return false;
}

static struct ep_scopes_count *shared_counts(void)
{
	return atomic_load_explicit(&shared, memory_order_acquire);
}

void ep_scopes_enter_rare(uint32_t set, struct ep_scopes_span *ret_span)
{
	if (!atomic_load_explicit(&on, memory_order_acquire))
		return;
	if (claim()) {
		ep_scopes_enter(set, ret_span);
		return;
	}
	atomic_fetch_add_explicit(&shared_counts()[set].n, 1, memory_order_relaxed);
	*ret_span = (struct ep_scopes_span){ep_scopes_now(), set, 1};
}

static uint32_t place_in_stratum(void)
{
	uint64_t x = my_block->random;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	my_block->random = x;
	return (uint32_t)(x >> 32) & (EP_SCOPES_STRATUM - 1);
}

/*
 * `left` is 0: this one is timed.  How many it stands for was settled before it began
 * (1, or the stratum it was chosen from), so the sum is unbiased whatever comes; now the
 * next one is chosen: behind the rest of this stratum, and in a new one if the set's
 * scopes are short.
 */
void ep_scopes_time(struct ep_scopes_count *c, uint32_t set, struct ep_scopes_span *ret_span)
{
	uint32_t at = atomic_load_explicit(&c->at, memory_order_relaxed);
	uint64_t n = atomic_load_explicit(&c->n, memory_order_relaxed);
	uint64_t ticks = atomic_load_explicit(&c->ticks, memory_order_relaxed);
	bool was_chosen = at != 0; /* `at` counts from 1 */
	uint32_t rest = was_chosen ? EP_SCOPES_STRATUM - at : 0;
	bool is_short = n > EP_SCOPES_STRATUM && ticks < n * LONG_TICKS;
	uint32_t place = is_short ? place_in_stratum() : 0;
	atomic_store_explicit(&c->at, is_short ? place + 1 : 0, memory_order_relaxed);
	atomic_store_explicit(&c->left, rest + place, memory_order_relaxed);
	*ret_span = (struct ep_scopes_span){ep_scopes_now(), set,
					    was_chosen ? EP_SCOPES_STRATUM : 1};
}

void ep_scopes_leave_timed(const struct ep_scopes_span *span)
{
	int64_t d = (int64_t)(ep_scopes_now() - span->since);
	uint64_t ticks = d > 0 ? (uint64_t)d * span->weight : 0; /* clocks of two CPUs */
	if (ep_scopes_mine)
		ep_scopes_add(&ep_scopes_mine[span->set].ticks, ticks);
	else
		atomic_fetch_add_explicit(&shared_counts()[span->set].ticks, ticks,
					  memory_order_relaxed);
}

void ep_scopes_start(void)
{
	if (!shared_counts())
		atomic_store_explicit(&shared, new_counts(), memory_order_release);
	if (shared_counts())
		atomic_store_explicit(&on, true, memory_order_release);
}

void ep_scopes_tick(void)
{
	long pid = ep_sys6(SYS_getpid, 0, 0, 0, 0, 0, 0);
	for (uint32_t i = 0; i < EP_SCOPES_BLOCKS; i++) {
		uint64_t seen = atomic_load_explicit(&blocks[i].owner, memory_order_relaxed);
		/* A new thread of the same id that takes the block over changes its number. */
		if ((uint32_t)seen &&
		    ep_sys6(SYS_tgkill, pid, (uint32_t)seen, 0, 0, 0, 0) == -ESRCH)
			(void)atomic_compare_exchange_strong_explicit(
				&blocks[i].owner, &seen, seen & ~0xffffffffull,
				memory_order_acq_rel, memory_order_relaxed);
	}
}

void ep_scopes_total(uint32_t set, uint64_t *ret_n, uint64_t *ret_ticks)
{
	uint64_t n = 0, ticks = 0;
	for (uint32_t i = 0; i <= EP_SCOPES_BLOCKS; i++) {
		const struct ep_scopes_count *c =
			i < EP_SCOPES_BLOCKS
				? atomic_load_explicit(&blocks[i].counts, memory_order_acquire)
				: shared_counts();
		n += c ? atomic_load_explicit(&c[set].n, memory_order_relaxed) : 0;
		ticks += c ? atomic_load_explicit(&c[set].ticks, memory_order_relaxed) : 0;
	}
	*ret_n = n;
	*ret_ticks = ticks;
}

void ep_scopes_child(void)
{
	uint32_t tid = (uint32_t)ep_sys6(SYS_gettid, 0, 0, 0, 0, 0, 0);
	for (uint32_t i = 0; i < EP_SCOPES_BLOCKS; i++)
		atomic_store_explicit(&blocks[i].owner, &blocks[i] == my_block ? tid : 0,
				      memory_order_relaxed);
}
