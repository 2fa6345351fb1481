/* contend.c - see contend.h. */
#include "inproc/sig/contend.h"

#include "inproc/sig/desk.h"
#include "safe/poisson.h"

enum { SPINS = 1000 };

/* A lock that somebody waits for. */
struct awaited {
	const void *lock; /* NULL: a free place */
	uint32_t n_waiters;
	uint64_t last_ns;   /* when `waited_ns` was right */
	uint64_t waited_ns; /* of all waiters, since the last unlock */
};

struct bucket {
	_Atomic uint32_t busy;
	_Atomic bool torn; /* somebody could not say that a wait ended */
	struct awaited locks[EP_CONTEND_LOCKS];
};

struct ep_contend ep_contend;
_Atomic uint16_t ep_contend_waiters[EP_CONTEND_BUCKETS];
static struct bucket buckets[EP_CONTEND_BUCKETS];
__thread bool ep_contend_ours;
static __thread uint64_t dice __attribute__((tls_model("initial-exec")));

/* ---- the table ---------------------------------------------------------------------------- */

/*
 * A waiter that is never seen to end would make every holder look guilty for ever, so all
 * waits of a torn bucket are given up and counted.
 */
static void mend(struct bucket *b, uint32_t hash)
{
	for (int i = 0; i < EP_CONTEND_LOCKS; i++) {
		atomic_fetch_add_explicit(&ep_contend.of_mutex.lost, b->locks[i].n_waiters,
					  memory_order_relaxed);
		b->locks[i] = (struct awaited){0};
	}
	atomic_store_explicit(&ep_contend_waiters[hash], 0, memory_order_relaxed);
}

/* NULL when it is busy for too long: its owner was stopped, or is the very thread that a
 * signal handler interrupted. */
static struct bucket *enter(const void *lock)
{
	uint32_t hash = ep_contend_hash(lock);
	struct bucket *b = &buckets[hash];
	for (int i = 0; i < SPINS; i++) {
		if (atomic_load_explicit(&b->busy, memory_order_relaxed) ||
		    atomic_exchange_explicit(&b->busy, 1, memory_order_acquire))
			continue;
		if (atomic_exchange_explicit(&b->torn, false, memory_order_relaxed))
			mend(b, hash);
		return b;
	}
	atomic_fetch_add_explicit(&ep_contend.of_mutex.lost, 1, memory_order_relaxed);
	return NULL;
}

static void leave(struct bucket *b)
{
	atomic_store_explicit(&b->busy, 0, memory_order_release);
}

static struct awaited *find(struct bucket *b, const void *lock)
{
	for (int i = 0; i < EP_CONTEND_LOCKS; i++)
		if (b->locks[i].lock == lock)
			return &b->locks[i];
	return NULL;
}

static void bring_up_to(struct awaited *a, uint64_t now_ns)
{
	if (now_ns > a->last_ns) /* clocks of two CPUs may differ by a little */
		a->waited_ns += a->n_waiters * (now_ns - a->last_ns);
	a->last_ns = now_ns;
}

bool ep_contend_wait_begins(const void *lock, uint64_t now_ns)
{
	struct bucket *b = enter(lock);
	struct awaited *a = b ? find(b, lock) : NULL;
	if (b && !a && (a = find(b, NULL)) != NULL)
		*a = (struct awaited){.lock = lock, .last_ns = now_ns};
	if (a) {
		bring_up_to(a, now_ns);
		a->n_waiters++;
		atomic_fetch_add_explicit(&ep_contend_waiters[ep_contend_hash(lock)], 1,
					  memory_order_relaxed);
	} else if (b) {
		atomic_fetch_add_explicit(&ep_contend.of_mutex.lost, 1, memory_order_relaxed);
	}
	if (b)
		leave(b);
	return a != NULL;
}

void ep_contend_wait_ends(const void *lock, uint64_t now_ns)
{
	struct bucket *b = enter(lock);
	struct awaited *a = b ? find(b, lock) : NULL;
	if (a && a->n_waiters) {
		bring_up_to(a, now_ns);
		a->n_waiters--;
		atomic_fetch_sub_explicit(&ep_contend_waiters[ep_contend_hash(lock)], 1,
					  memory_order_relaxed);
	}
	if (a && !a->n_waiters)
		a->lock = NULL;
	if (b)
		leave(b);
	else
		atomic_store_explicit(&buckets[ep_contend_hash(lock)].torn, true,
				      memory_order_relaxed);
}

/* ---- recording ------------------------------------------------------------------------------ */

/* Nothing of libc: an address and a counter are random enough to begin with. */
static uint64_t roll(void)
{
	if (!dice) {
		dice = ((uint64_t)(uintptr_t)&dice * 0x9e3779b97f4a7c15ull) | 1;
		(void)ep_poisson_random(&dice);
	}
	return ep_poisson_random(&dice);
}

/* How often an event of this length counts, in 1/65536; 0: not this time. */
static int64_t weigh(uint64_t delay_ns)
{
	uint64_t rate = ep_contend.rate_ns;
	if (delay_ns >= rate)
		return 1 << EP_CONTEND_SHIFT;
	if (!delay_ns || roll() % rate >= delay_ns)
		return 0;
	return (int64_t)(((rate << EP_CONTEND_SHIFT) + delay_ns / 2) / delay_ns);
}

static void record(struct ep_sites *sites, uint64_t delay_ns,
		   struct ep_contend_account *account, const void *return_address)
{
	int64_t times = ep_contend_ours ? 0 : weigh(delay_ns);
	struct ep_desk *d = times ? ep_desk_take() : NULL;
	uint32_t site = EP_SITES_NONE;
	if (!times)
		return;
	if (d && ep_desk_walk(d, return_address)) {
		const void *labels = atomic_load_explicit(&ep_sig_labels, memory_order_relaxed);
		site = ep_sites_find_or_add(sites, d->frames, d->n_frames, d->truncated, labels);
		if (d->truncated)
			atomic_fetch_add_explicit(&account->truncated, 1, memory_order_relaxed);
	}
	if (d)
		ep_desk_give(d);
	if (site == EP_SITES_NONE) {
		atomic_fetch_add_explicit(&account->lost, 1, memory_order_relaxed);
		return;
	}
	uint64_t rate = ep_contend.rate_ns;
	ep_sites_count(sites, site, EP_CONTEND_COUNT, times);
	ep_sites_count(sites, site, EP_CONTEND_DELAY,
		       (int64_t)(delay_ns < rate ? rate : delay_ns)); /* d * rate / d */
	atomic_fetch_add_explicit(&account->taken, 1, memory_order_relaxed);
}

uint64_t ep_contend_release(const void *lock, uint64_t now_ns)
{
	uint64_t waited_ns = 0;
	struct bucket *b = enter(lock);
	struct awaited *a = b ? find(b, lock) : NULL;
	if (a) {
		bring_up_to(a, now_ns);
		waited_ns = a->waited_ns;
		a->waited_ns = 0;
	}
	if (b)
		leave(b);
	return waited_ns;
}

void ep_contend_charge(uint64_t waited_ns, const void *return_address)
{
	record(&ep_contend.mutex, waited_ns, &ep_contend.of_mutex, return_address);
}

void ep_contend_blocked(uint64_t delay_ns, const void *return_address)
{
	record(&ep_contend.block, delay_ns, &ep_contend.of_block, return_address);
}

void ep_contend_child(void)
{
	for (int i = 0; i < EP_CONTEND_BUCKETS; i++) {
		for (int k = 0; k < EP_CONTEND_LOCKS; k++)
			buckets[i].locks[k] = (struct awaited){0};
		atomic_store(&buckets[i].torn, false);
		atomic_store(&buckets[i].busy, 0);
		atomic_store(&ep_contend_waiters[i], 0);
	}
}
