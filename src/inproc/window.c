/* window.c - see window.h. */
#include "inproc/window.h"

#include "base/clock.h"
#include "inproc/ringpool.h"
#include "inproc/sig/rings.h"
#include "inproc/kind_wall.h"
#include "inproc/threads.h"
#include "safe/raw.h"

#include <string.h>

#define MAX_TIDS 64 /* more threads than that are one, in a window */

/* Samples of some time. */
struct span {
	struct ep_tally *rows; /* NULL: nobody asked for it */
	bool is_held;
	uint64_t period_ns, from_ns;
	uint64_t truncated, lost_before;
	uint32_t tids[MAX_TIDS];
	uint32_t n_tids;
};

static struct span window, copies[EP_WINDOW_COPIES];

/* Thread ids are a label, so their number in a span is bounded. */
static uint32_t bounded_tid(struct span *s, uint32_t tid)
{
	for (uint32_t i = 0; i < s->n_tids; i++)
		if (s->tids[i] == tid)
			return tid;
	if (s->n_tids == MAX_TIDS)
		return 0;
	return s->tids[s->n_tids++] = tid;
}

static void add_to(struct span *to, const struct ep_raw_sample *s,
		   const struct ep_tally_frame *frames, uint32_t n)
{
	if (!to->rows || to->is_held)
		return;
	struct ep_tally_row row = {.tid = bounded_tid(to, s->tid),
				   .labels = (const struct everprof_labels *)(uintptr_t)s->labels,
				   .values = {s->weight, (int64_t)(s->weight * to->period_ns)}};
	if (s->flags & EP_RAW_TRUNCATED)
		to->truncated += s->weight;
	ep_tally_add(to->rows, frames, n, &row);
}

static void add_sample(const struct ep_raw_sample *s)
{
	static struct ep_tally_frame frames[EP_SIG_MAX_FRAMES]; /* under the lock */
	uint32_t n = s->n_frames < EP_SIG_MAX_FRAMES ? s->n_frames : EP_SIG_MAX_FRAMES;
	for (uint32_t i = 0; i < n; i++)
		frames[i] = (struct ep_tally_frame){s->frames[i],
						    ep_code_find(s->map, s->frames[i])};
	add_to(&window, s, frames, n);
	for (int i = 0; i < EP_WINDOW_COPIES; i++)
		add_to(&copies[i], s, frames, n);
	ep_kind_wall_add_sample(s, frames, n);
}

void ep_window_fill(void)
{
	uint32_t n = atomic_load(&ep_rings.n);
	ep_ringpool_populate();
	for (uint32_t i = 0; i < n; i++) {
		struct ep_ring *r = &ep_rings.one[i].ring;
		for (const void *s; (s = ep_ring_peek(r)) != NULL; ep_ring_drop(r))
			add_sample(s);
	}
}

static int begin(struct span *s, uint64_t period_ns)
{
	struct ep_threads_totals t;
	if (!s->rows && !(s->rows = ep_tally_new()))
		return -ENOMEM;
	s->period_ns = period_ns;
	s->from_ns = ep_clock_wall_ns();
	s->truncated = 0;
	s->n_tids = 0;
	ep_threads_totals(&t);
	s->lost_before = t.lost + t.unsampled;
	return 0;
}

int ep_window_start(uint64_t period_ns)
{
	return begin(&window, period_ns);
}

void ep_window_hold(bool hold)
{
	if (window.is_held && !hold && window.rows)
		(void)begin(&window, window.period_ns); /* has its rows, so it can't fail */
	window.is_held = hold;
}

static void say_unsampled(const struct ep_threads_totals *t)
{
	static bool said;
	if (said || !t->unsampled || t->gave_up) /* the latter was said */
		return;
	said = true;
	ep_config_say("%llu of %llu samples are missing so far: threads that block SIGPROF, "
		      "or got no timer (%llu)",
		      (unsigned long long)t->unsampled,
		      (unsigned long long)(t->taken + t->lost + t->unsampled),
		      (unsigned long long)t->refused);
}

/* Work in step with the tick goes unseen then. */
static void say_refused(const struct ep_threads_totals *t)
{
	static bool said;
	if (said || !t->clock_refused)
		return;
	said = true;
	ep_config_say("perf events are refused (%s; kernel.perf_event_paranoid over 2, or a "
		      "sandbox), so threads are sampled by timers alone: what works in step "
		      "with the kernel's tick may be missed",
		      strerror(-t->clock_refused));
}

/* A span as a batch; its rows go there. */
static bool finish(const struct span *s, const struct ep_threads_totals *t,
		   struct ep_batch *ret_b)
{
	if (!ep_batch_init(ret_b, &ep_write_cpu_shape, s->rows))
		return false;
	ret_b->period = s->period_ns;
	ret_b->from_ns = s->from_ns;
	ret_b->ledger = (struct ep_ledger){
		.taken = (uint64_t)s->rows->weight,
		.lost = t->lost + t->unsampled - s->lost_before + (uint64_t)s->rows->dropped,
		.truncated = s->truncated};
	ret_b->ledger.asked = ret_b->ledger.taken + ret_b->ledger.lost;
	return true;
}

bool ep_window_take(struct ep_batch *ret_b)
{
	struct ep_threads_totals t;
	struct ep_tally *fresh = ep_tally_new();
	ep_threads_totals(&t);
	if (!fresh || !finish(&window, &t, ret_b)) {
		ep_tally_free(fresh);
		return false; /* the window goes on; its tally is bounded */
	}
	say_unsampled(&t);
	say_refused(&t);
	window.rows = fresh;
	(void)begin(&window, window.period_ns); /* has its rows, so it can't fail */
	window.from_ns = ret_b->until_ns;
	return true;
}

int ep_window_copy_begin(uint32_t i, uint64_t period_ns)
{
	return begin(&copies[i], period_ns);
}

int ep_window_copy_end(uint32_t i, struct ep_batch *ret_b)
{
	struct ep_threads_totals t;
	ep_threads_totals(&t);
	bool ok = finish(&copies[i], &t, ret_b);
	if (!ok)
		ep_tally_free(copies[i].rows);
	copies[i].rows = NULL;
	return ok ? 0 : -ENOMEM;
}

void ep_window_child(void)
{
	window.rows = NULL;
	window.is_held = false;
	for (int i = 0; i < EP_WINDOW_COPIES; i++)
		copies[i].rows = NULL;
}
