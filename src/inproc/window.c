/* window.c - see window.h. */
#include "inproc/window.h"

#include "base/clock.h"
#include "inproc/mem_own.h"
#include "inproc/threads.h"
#include "safe/raw.h"

#define MAX_TIDS 64 /* more threads than that are one, in a window */

static struct ep_tally *rows;
static uint64_t period_ns, from_ns;
static uint64_t truncated, lost_before;
static uint32_t tids[MAX_TIDS];
static uint32_t n_tids;

/* Thread ids are a label, so their number in a window is bounded. */
static uint32_t bounded_tid(uint32_t tid)
{
	for (uint32_t i = 0; i < n_tids; i++)
		if (tids[i] == tid)
			return tid;
	if (n_tids == MAX_TIDS)
		return 0;
	return tids[n_tids++] = tid;
}

static void add_sample(const struct ep_raw_sample *s)
{
	static struct ep_tally_frame frames[EP_SIG_MAX_FRAMES]; /* under the lock */
	uint32_t n = s->n_frames < EP_SIG_MAX_FRAMES ? s->n_frames : EP_SIG_MAX_FRAMES;
	for (uint32_t i = 0; i < n; i++)
		frames[i] = (struct ep_tally_frame){s->frames[i],
						    ep_code_find(s->map, s->frames[i])};
	struct ep_tally_row row = {.tid = bounded_tid(s->tid),
				   .labels = (const struct everprof_labels *)(uintptr_t)s->labels,
				   .values = {s->weight, (int64_t)(s->weight * period_ns)}};
	if (s->flags & EP_RAW_TRUNCATED)
		truncated += s->weight;
	ep_tally_add(rows, frames, n, &row);
}

void ep_window_fill(void)
{
	uint32_t n = ep_threads_n_slots();
	for (uint32_t i = 0; i < n; i++) {
		struct ep_sig_thread *t = ep_sig_threads[i];
		struct ep_ring *r = &t->ring;
		if (!t->ring_is_there && ep_ring_used(r)) {
			/* A thread that works; most of a pool's sleep for ever. */
			ep_mem_own_populate(r->words, r->n_words * sizeof(*r->words));
			t->ring_is_there = true;
		}
		for (const void *s; (s = ep_ring_peek(r)) != NULL; ep_ring_drop(r))
			add_sample(s);
	}
}

int ep_window_start(uint64_t period)
{
	struct ep_threads_totals t;
	if (!rows && !(rows = ep_tally_new()))
		return -ENOMEM;
	period_ns = period;
	from_ns = ep_clock_wall_ns();
	ep_threads_totals(&t);
	lost_before = t.lost + t.unsampled;
	return 0;
}

static void say_unsampled(const struct ep_threads_totals *t)
{
	static bool said;
	if (said || !t->unsampled)
		return;
	said = true;
	ep_config_say("%llu of %llu samples are missing so far: threads that block SIGPROF, "
		      "or got no timer (%llu)",
		      (unsigned long long)t->unsampled,
		      (unsigned long long)(t->taken + t->lost + t->unsampled),
		      (unsigned long long)t->refused);
}

bool ep_window_take(struct ep_batch *ret_b)
{
	struct ep_threads_totals t;
	struct ep_tally *fresh = ep_tally_new();
	if (!fresh || !ep_batch_init(ret_b, &ep_write_cpu_shape, rows)) {
		ep_tally_free(fresh);
		return false; /* the window goes on; its tally is bounded */
	}
	ep_threads_totals(&t);
	ret_b->period = period_ns;
	ret_b->from_ns = from_ns;
	ret_b->ledger = (struct ep_ledger){
		.taken = (uint64_t)rows->weight,
		.lost = t.lost + t.unsampled - lost_before + (uint64_t)rows->dropped,
		.truncated = truncated};
	ret_b->ledger.asked = ret_b->ledger.taken + ret_b->ledger.lost;
	lost_before = t.lost + t.unsampled;
	say_unsampled(&t);
	rows = fresh;
	truncated = 0;
	from_ns = ret_b->until_ns;
	n_tids = 0;
	return true;
}

void ep_window_child(void)
{
	rows = NULL;
	truncated = 0;
	n_tids = 0;
}
