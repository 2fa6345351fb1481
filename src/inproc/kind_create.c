/* kind_create.c - see kind_create.h. */
#include "inproc/kind_create.h"

#include "base/clock.h"
#include "inproc/debugtext.h"
#include "inproc/mem_own.h"
#include "inproc/registry.h"
#include "inproc/sig/desk.h"
#include "inproc/sig/sites.h"
#include "inproc/siterows.h"

enum {
	MAX_SITES = 1 << 10,
	MAX_SITE_FRAMES = 1 << 15,
};

static struct ep_sites sites;
static _Atomic bool on;
static _Atomic uint64_t n_taken, n_lost, n_truncated;
static uint64_t from_ns;

static uint32_t site_of(const void *return_address)
{
	struct ep_desk *d = ep_desk_take();
	uint32_t site = EP_SITES_NONE;
	if (d && ep_desk_walk(d, return_address)) {
		const void *labels = atomic_load_explicit(&ep_sig_labels, memory_order_relaxed);
		site = ep_sites_find_or_add(&sites, d->frames, d->n_frames, d->truncated, labels);
		if (d->truncated)
			atomic_fetch_add_explicit(&n_truncated, 1, memory_order_relaxed);
	}
	if (d)
		ep_desk_give(d);
	return site;
}

__attribute__((noinline)) void ep_kind_create_note(const void *return_address)
{
	if (!atomic_load_explicit(&on, memory_order_acquire))
		return;
	uint32_t site = site_of(return_address);
	if (site == EP_SITES_NONE) {
		atomic_fetch_add_explicit(&n_lost, 1, memory_order_relaxed);
		return;
	}
	ep_sites_count(&sites, site, 0, 1);
	atomic_fetch_add_explicit(&n_taken, 1, memory_order_relaxed);
}

static bool take(const struct ep_kind *k, enum ep_kind_form form, struct ep_batch *ret_b)
{
	struct ep_tally *t = ep_tally_new();
	(void)form; /* since the start: it is not pushed */
	if (!t || !ep_batch_init(ret_b, k->shape, t)) {
		ep_tally_free(t);
		return false;
	}
	ret_b->period = 1;
	ret_b->from_ns = from_ns;
	for (uint32_t i = 0; i < MAX_SITES; i++) {
		const struct ep_site *s = ep_sites_at(&sites, i);
		int64_t n = s ? atomic_load_explicit(&s->values[0], memory_order_relaxed) : 0;
		if (n)
			ep_siterows_add(t, &sites, s, NULL, (int64_t[EP_TALLY_VALUES]){n});
	}
	ret_b->ledger = (struct ep_ledger){.taken = atomic_load(&n_taken),
					   .lost = atomic_load(&n_lost),
					   .truncated = atomic_load(&n_truncated)};
	ret_b->ledger.asked = ret_b->ledger.taken + ret_b->ledger.lost;
	return true;
}

static uint64_t count(const struct ep_kind *k)
{
	(void)k;
	return atomic_load(&n_taken);
}

static const struct ep_write_shape shape = {
	.name = "threadcreate",
	.values = {{"threadcreate", "count"}},
	.period = {"threadcreate", "count"},
	.default_type = "threadcreate",
};

static const struct ep_kind create_kind = {
	.name = "threadcreate",
	.description = "Stacks that made threads since the start.",
	.shape = &shape,
	.take = take,
	.text = ep_debugtext_counts,
	.count = count,
	.can_delta = true,
};

int ep_kind_create_start(void)
{
	if (sites.n_slots)
		return 0;
	void *memory = ep_mem_own_pages(ep_sites_bytes(MAX_SITES, MAX_SITE_FRAMES));
	if (!memory)
		return -ENOMEM;
	ep_sites_init(&sites, memory, MAX_SITES, MAX_SITE_FRAMES);
	from_ns = ep_clock_wall_ns();
	EP_TRY(ep_registry_add(&create_kind));
	atomic_store_explicit(&on, true, memory_order_release);
	return 0;
}
