/* kind_lock.c - see kind_lock.h. */
#include "inproc/kind_lock.h"

#include "base/clock.h"
#include "inproc/debugtext.h"
#include "inproc/mem_own.h"
#include "inproc/registry.h"
#include "inproc/sig/contend.h"
#include "inproc/siterows.h"

enum {
	MAX_SITES = 1 << 13,
	MAX_SITE_FRAMES = 1 << 18,
};

struct before {
	int64_t count, delay;
};

/* What the two have of their own. */
struct lock_kind {
	struct ep_kind kind;
	struct ep_sites *sites;
	const struct ep_contend_account *account;
	struct before *before; /* by site, at the last push */
	uint64_t from_ns, push_from_ns;
	struct ep_ledger pushed;
	bool known;
};

static int64_t whole(int64_t count)
{
	return (count + (1 << (EP_CONTEND_SHIFT - 1))) >> EP_CONTEND_SHIFT;
}

static void add_rows(struct lock_kind *l, bool push, struct ep_tally *t)
{
	for (uint32_t i = 0; i < l->sites->n_slots; i++) {
		const struct ep_site *s = ep_sites_at(l->sites, i);
		if (!s)
			continue;
		int64_t count = atomic_load_explicit(&s->values[EP_CONTEND_COUNT],
						     memory_order_relaxed);
		int64_t delay = atomic_load_explicit(&s->values[EP_CONTEND_DELAY],
						     memory_order_relaxed);
		int64_t values[EP_TALLY_VALUES] = {whole(count), delay};
		if (push) {
			values[0] -= whole(l->before[i].count);
			values[1] -= l->before[i].delay;
			l->before[i] = (struct before){count, delay};
		}
		if (values[0] || values[1])
			ep_siterows_add(t, l->sites, s, NULL, values);
	}
}

static struct ep_ledger ledger_of(const struct lock_kind *l)
{
	struct ep_ledger sum = {.taken = atomic_load(&l->account->taken),
				.lost = atomic_load(&l->account->lost),
				.truncated = atomic_load(&l->account->truncated)};
	sum.asked = sum.taken + sum.lost;
	return sum;
}

static void take_away(struct ep_ledger *from, const struct ep_ledger *l)
{
	from->asked -= l->asked;
	from->taken -= l->taken;
	from->lost -= l->lost;
	from->truncated -= l->truncated;
}

static bool take(const struct ep_kind *k, enum ep_kind_form form, struct ep_batch *ret_b)
{
	struct lock_kind *l = k->of;
	bool push = form == EP_KIND_PUSH;
	struct ep_tally *t = ep_tally_new();
	if (!t || !ep_batch_init(ret_b, k->shape, t)) {
		ep_tally_free(t);
		return false;
	}
	ret_b->ledger = ledger_of(l);
	ret_b->period = 1;
	ret_b->from_ns = push ? l->push_from_ns : l->from_ns;
	add_rows(l, push, t);
	if (push) {
		struct ep_ledger all = ret_b->ledger;
		take_away(&ret_b->ledger, &l->pushed);
		l->pushed = all;
		l->push_from_ns = ret_b->until_ns;
	}
	return true;
}

static uint64_t count(const struct ep_kind *k)
{
	const struct lock_kind *l = k->of;
	uint64_t n = 0;
	for (uint32_t i = 0; i < l->sites->n_slots; i++)
		n += ep_sites_at(l->sites, i) != NULL;
	return n;
}

#define SHAPE(name_)                                                                   \
	{                                                                              \
		.name = name_, .values = {{"contentions", "count"}, {"delay", "nanoseconds"}}, \
		.period = {"contentions", "count"}, .default_type = "delay"            \
	}
static const struct ep_write_shape mutex_shape = SHAPE("mutex"), block_shape = SHAPE("block");

static struct lock_kind mutex = {
	.kind = {.name = "mutex",
		 .description = "Stacks that held a lock while others waited for it, charged with "
				"their waiting.",
		 .shape = &mutex_shape,
		 .take = take,
		 .text = ep_debugtext_contention,
		 .count = count,
		 .can_delta = true,
		 .push_every_ns = 60 * EP_NS_PER_S,
		 .of = &mutex},
	.sites = &ep_contend.mutex,
	.account = &ep_contend.of_mutex,
};

static struct lock_kind block = {
	.kind = {.name = "block",
		 .description = "Stacks that waited: for locks, conditions, semaphores, joins and "
				"barriers.",
		 .shape = &block_shape,
		 .take = take,
		 .text = ep_debugtext_contention,
		 .count = count,
		 .can_delta = true,
		 .push_every_ns = 60 * EP_NS_PER_S,
		 .of = &block},
	.sites = &ep_contend.block,
	.account = &ep_contend.of_block,
};

static int reserve(struct lock_kind *l)
{
	void *sites = ep_mem_own_pages(ep_sites_bytes(MAX_SITES, MAX_SITE_FRAMES));
	l->before = ep_mem_own_pages(MAX_SITES * sizeof(*l->before));
	if (!sites || !l->before)
		return -ENOMEM;
	ep_sites_init(l->sites, sites, MAX_SITES, MAX_SITE_FRAMES);
	l->from_ns = l->push_from_ns = ep_clock_wall_ns();
	EP_TRY(ep_registry_add(&l->kind));
	l->known = true;
	return 0;
}

int ep_kind_lock_start(bool want_mutex, bool want_block, uint64_t rate_ns)
{
	if (want_mutex && !mutex.known)
		EP_TRY(reserve(&mutex));
	if (want_block && !block.known)
		EP_TRY(reserve(&block));
	if (!ep_contend.rate_ns)
		ep_contend.rate_ns = rate_ns;
	atomic_store_explicit(&ep_contend.on, want_mutex || want_block, memory_order_release);
	return 0;
}

void ep_kind_lock_stop(void)
{
	atomic_store(&ep_contend.on, false);
}
