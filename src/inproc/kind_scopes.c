/* kind_scopes.c - see kind_scopes.h. */
#include "inproc/kind_scopes.h"

#include "base/clock.h"
#include "inproc/debugtext.h"
#include "inproc/labels.h"
#include "inproc/mem_own.h"
#include "inproc/registry.h"
#include "inproc/sig/scopes.h"

#include <errno.h>
#include <string.h>

#define TICK_NS EP_NS_PER_S
#define MIN_RATE_NS EP_NS_PER_MS /* for a rate that is right within 1e-4 */

enum { AGE_TICKS = 2 };

struct seen {
	uint64_t n, ticks;
};

/* Counters at the start (of this process), and at the last push; by set. */
static struct seen *at_start, *at_push;
static uint64_t from_ns, push_from_ns;
static uint64_t ticks_0, mono_0, last_tick_ns;
static uint32_t n_ticks;
static uint64_t folded_at_start, folded_at_push;

static struct seen seen_of(uint32_t set)
{
	struct seen s;
	ep_scopes_total(set, &s.n, &s.ticks);
	return s;
}

/* Nanoseconds a tick, as they were since the first call. */
static double rate(void)
{
	uint64_t mono, ticks;
	do {
		mono = ep_clock_mono_ns();
		ticks = ep_scopes_now();
	} while (mono - mono_0 < MIN_RATE_NS);
	return ticks > ticks_0 ? (double)(mono - mono_0) / (double)(ticks - ticks_0) : 1;
}

static uint64_t add_rows(struct ep_tally *t, bool push)
{
	double ns = rate();
	uint64_t sum = 0;
	uint32_t n = ep_labels_n_sets();
	for (uint32_t i = 0; i < n; i++) {
		struct seen s = seen_of(i), *base = push ? &at_push[i] : &at_start[i];
		uint64_t times = s.n - base->n;
		struct ep_tally_row row = {.labels = ep_labels_at(i)};
		struct ep_tally_frame frame = {(uintptr_t)row.labels, EP_CODE_LABELS};
		row.values[0] = (int64_t)times;
		row.values[1] = (int64_t)((double)(s.ticks - base->ticks) * ns + 0.5);
		if (push)
			*base = s;
		if (times || row.values[1])
			ep_tally_add(t, &frame, 1, &row);
		sum += times;
	}
	return sum;
}

static bool take(const struct ep_kind *k, enum ep_kind_form form, struct ep_batch *ret_b)
{
	bool push = form == EP_KIND_PUSH;
	struct ep_tally *t = ep_tally_new();
	if (!t || !ep_batch_init(ret_b, k->shape, t)) {
		ep_tally_free(t);
		return false;
	}
	ret_b->period = 1;
	ret_b->from_ns = push ? push_from_ns : from_ns;
	ret_b->ledger.taken = ret_b->ledger.asked = add_rows(t, push);
	uint64_t folded = ep_labels_n_folded();
	ret_b->ledger.folded = folded - (push ? folded_at_push : folded_at_start);
	if (push) {
		push_from_ns = ret_b->until_ns;
		folded_at_push = folded;
	}
	return true;
}

static uint64_t count(const struct ep_kind *k)
{
	uint64_t n = 0;
	(void)k;
	for (uint32_t i = 0; i < ep_labels_n_sets(); i++)
		n += seen_of(i).n != at_start[i].n;
	return n;
}

static const struct ep_write_shape shape = {
	.name = "scopes",
	.values = {{"entered", "count"}, {"time", "nanoseconds"}},
	.period = {"entered", "count"},
	.default_type = "time",
};

static const struct ep_kind kind = {
	.name = "scopes",
	.description = "How often each label set was entered, and how long that took, scopes "
		       "within it included.",
	.shape = &shape,
	.take = take,
	.text = ep_debugtext_scopes,
	.count = count,
	.can_delta = true,
	.push_every_ns = 10 * EP_NS_PER_S,
};

int ep_kind_scopes_start(void)
{
	if (at_start)
		return 0;
	size_t n_bytes = EP_SCOPES_SETS * sizeof(struct seen);
	struct seen *start = ep_mem_own_pages(n_bytes), *push = ep_mem_own_pages(n_bytes);
	if (!start || !push)
		return -ENOMEM;
	at_start = start;
	at_push = push;
	ticks_0 = ep_scopes_now();
	mono_0 = ep_clock_mono_ns();
	from_ns = push_from_ns = ep_clock_wall_ns();
	ep_scopes_start();
	return ep_registry_add(&kind);
}

static uint64_t entered(uint32_t set)
{
	return seen_of(set).n;
}

void ep_kind_scopes_tick(void)
{
	uint64_t now = ep_clock_mono_ns();
	if (!at_start || now - last_tick_ns < TICK_NS)
		return;
	last_tick_ns = now;
	ep_scopes_tick();
	if (++n_ticks % AGE_TICKS == 0)
		ep_labels_age(entered);
}

void ep_kind_scopes_child(void)
{
	if (!at_start)
		return;
	ep_scopes_child();
	for (uint32_t i = 0; i < ep_labels_n_sets(); i++)
		at_start[i] = at_push[i] = seen_of(i);
	folded_at_start = folded_at_push = ep_labels_n_folded();
	from_ns = push_from_ns = ep_clock_wall_ns();
}
