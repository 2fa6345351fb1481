/* kind_wall.c - see kind_wall.h. */
#include "inproc/kind_wall.h"

#include "base/clock.h"
#include "base/hash.h"
#include "inproc/blocked.h"
#include "inproc/capture.h"
#include "inproc/code.h"
#include "inproc/debugtext.h"
#include "inproc/drain.h"
#include "inproc/peek.h"
#include "inproc/registry.h"
#include "inproc/sig/state.h"
#include "inproc/spawn.h"
#include "inproc/start.h"
#include "inproc/window.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	AT_ONCE = 8,	    /* threads of a look: its cost does not grow with their number */
	MAX_THREADS = 16384,
	MAX_TIDS = 64,	    /* in what is kept; the others are one */
	KNOWN = 1024,	    /* a power of two */
	TRIES = 3,
	N_CALLS = 64,
};
#define STEP_NS (100 * EP_NS_PER_MS) /* on average */
#define FIND_NS EP_NS_PER_S
#define MAX_GAP_NS EP_NS_PER_S /* what is longer is lost: nobody looked */

static const struct ep_tally_more on_cpu = {.state = "running"}, in_queue = {.state = "runnable"};
static const struct ep_tally_more hidden = {.state = "unknown"};

/* Where a thread waited at its last look, while its CPU clock stands still. */
struct known {
	uint32_t tid, map, n_frames, cap_frames;
	bool waits;
	uint64_t cpu_ns, queued_ns;
	const struct ep_tally_more *more;
	const struct everprof_labels *labels;
	struct ep_tally_frame *frames;
};

static struct ep_tally *total, *since; /* NULL: it never was on */
static uint64_t total_from_ns, since_from_ns;
static struct ep_ledger total_ledger, since_ledger;
static struct known all_known[KNOWN];
static uint32_t chosen[MAX_THREADS], n_chosen, kept_tids[MAX_TIDS], n_kept_tids;
static uint64_t last_look_ns, last_find_ns, dice;
static _Atomic uint32_t n_on; /* requests, and the push */
static _Atomic bool pushes, held;
static const char *names = "";

/* Held is the push alone. */
static bool is_on(void)
{
	return atomic_load(&n_on) > (atomic_load(&held) && atomic_load(&pushes) ? 1u : 0u);
}

/* ---- whom ------------------------------------------------------------------------------- */

static uint64_t roll(void)
{
	return dice = ep_hash_mix(dice, ep_clock_mono_ns());
}

static bool matches(const char *name)
{
	char pattern[64];
	for (const char *p = names; *p; p += *p == ',') {
		size_t n = strcspn(p, ",");
		snprintf(pattern, sizeof(pattern), "%.*s", (int)n, p);
		if (fnmatch(pattern, name, 0) == 0)
			return true;
		p += n;
	}
	return !*names;
}

static void choose(uint32_t tid, void *arg)
{
	char name[EP_TASKS_NAME];
	if (n_chosen == MAX_THREADS || ep_spawn_is_ours(tid))
		return;
	if (*names) {
		ep_tasks_name(*(int *)arg, tid, name);
		if (!matches(name))
			return;
	}
	chosen[n_chosen++] = tid;
}

static void find_threads(int dir)
{
	n_chosen = 0;
	(void)ep_tasks_each(choose, &dir); /* without /proc nobody is looked at */
}

static bool is_chosen(uint32_t tid)
{
	for (uint32_t i = 0; *names && i < n_chosen; i++)
		if (chosen[i] == tid)
			return true;
	return !*names;
}

static uint32_t bounded_tid(uint32_t tid)
{
	for (uint32_t i = 0; i < n_kept_tids; i++)
		if (kept_tids[i] == tid)
			return tid;
	return n_kept_tids < MAX_TIDS ? kept_tids[n_kept_tids++] = tid : 0;
}

/* ---- rows ------------------------------------------------------------------------------- */

static void add(uint32_t tid, const struct everprof_labels *labels, const struct ep_tally_more *more,
		const struct ep_tally_frame *frames, uint32_t n, uint64_t ns)
{
	struct ep_tally_row row = {.tid = bounded_tid(tid),
				   .labels = labels,
				   .more = more,
				   .values = {(int64_t)ns}};
	ep_tally_add(total, frames, n, &row);
	ep_tally_add(since, frames, n, &row);
}

static void count(uint64_t taken, uint64_t lost, uint64_t truncated)
{
	struct ep_ledger l = {.asked = taken + lost, .taken = taken, .lost = lost,
			      .truncated = truncated};
	ep_ledger_add(&total_ledger, &l);
	ep_ledger_add(&since_ledger, &l);
}

void ep_kind_wall_add_sample(const struct ep_raw_sample *s, const struct ep_tally_frame *frames,
			     uint32_t n)
{
	if (!is_on() || !is_chosen(s->tid))
		return;
	add(s->tid, (const struct everprof_labels *)(uintptr_t)s->labels, &on_cpu, frames, n,
	    s->weight * ep_sig_period_ns);
	count(1, 0, s->flags & EP_RAW_TRUNCATED ? 1 : 0);
}

/* ---- a thread that waits ------------------------------------------------------------------ */

/* "in CALL" with "stack", interned: a call has one pointer for its name. */
static const struct ep_tally_more *more_of(const char *wait, bool whole)
{
	static struct ep_tally_more mores[N_CALLS];
	static uint32_t n;
	static const char is_whole[] = "whole", is_partial[] = "partial";
	const char *stack = whole ? is_whole : is_partial;
	for (uint32_t i = 0; i < n; i++)
		if (mores[i].wait == wait && mores[i].stack == stack)
			return &mores[i];
	if (n == N_CALLS)
		return &hidden;
	mores[n] = (struct ep_tally_more){.state = "waiting", .wait = wait, .stack = stack};
	return &mores[n++];
}

static bool keep(struct known *k, const struct ep_sig_map *map, const uint64_t *frames, uint32_t n)
{
	if (n > k->cap_frames) {
		struct ep_tally_frame *more = ep_realloc(k->frames, n * sizeof(*more));
		if (!more)
			return false;
		k->frames = more;
		k->cap_frames = n;
	}
	for (uint32_t i = 0; i < n; i++)
		k->frames[i] = (struct ep_tally_frame){frames[i],
						       ep_code_find(map->number, frames[i])};
	k->n_frames = n;
	k->map = map->number;
	return true;
}

/* It did not run while we read, by its clock; else again. */
static enum ep_tasks_state read_waiting(int dir, struct known *k)
{
	static uint64_t frames[EP_SIG_MAX_FRAMES]; /* under the drain lock */
	const struct ep_sig_map *map = atomic_load(&ep_sig_map);
	for (int i = 0; map && i < TRIES; i++) {
		struct ep_tasks_at at;
		bool whole;
		k->cpu_ns = ep_tasks_cpu_ns(k->tid);
		enum ep_tasks_state state = ep_tasks_look(dir, k->tid, &at, NULL);
		if (state != EP_TASKS_BLOCKED)
			return state;
		uint64_t labels = ep_peek_place(k->tid);
		uint32_t n = ep_blocked_walk(map->modules, &at, &labels, frames, &whole);
		k->labels = ep_peek_believe(labels);
		k->more = more_of(ep_tasks_call_name(at.call), whole);
		if (k->cpu_ns == ep_tasks_cpu_ns(k->tid))
			return keep(k, map, frames, n) ? state : EP_TASKS_UNKNOWN;
	}
	return map ? EP_TASKS_RUNNING : EP_TASKS_UNKNOWN;
}

/* What it waited for a CPU since it was looked at last, by the kernel's account. */
static void add_queued(int dir, struct known *k, bool is_new)
{
	uint64_t before = k->queued_ns;
	if (!ep_tasks_queued_ns(dir, k->tid, &k->queued_ns) || is_new || k->queued_ns <= before)
		return;
	add(k->tid, k->labels, &in_queue, NULL, 0, k->queued_ns - before);
}

static void look_at(int dir, uint32_t tid, uint64_t ns)
{
	struct known *k = &all_known[tid & (KNOWN - 1)];
	const struct ep_sig_map *map = atomic_load(&ep_sig_map);
	bool is_new = k->tid != tid;
	bool same = !is_new && k->waits && k->cpu_ns == ep_tasks_cpu_ns(tid) && map &&
		    k->map == map->number;
	if (!same) {
		k->tid = tid;
		enum ep_tasks_state state = read_waiting(dir, k);
		k->waits = state == EP_TASKS_BLOCKED;
		if (state == EP_TASKS_GONE)
			k->tid = 0;
		else
			add_queued(dir, k, is_new);
		if (state == EP_TASKS_UNKNOWN) {
			add(tid, NULL, &hidden, NULL, 0, ns);
			count(0, 1, 0);
		}
	}
	if (!k->waits)
		return; /* its CPU samples tell */
	add(tid, k->labels, k->more, k->frames, k->n_frames, ns);
	count(1, 0, k->more->stack && k->more->stack[0] == 'p');
}

/* ---- a look --------------------------------------------------------------------------------- */

uint64_t ep_kind_wall_step_ns(void)
{
	return is_on() ? STEP_NS / 2 + roll() % STEP_NS : 0;
}

void ep_kind_wall_look(void)
{
	uint64_t now = ep_clock_mono_ns(), gap = now - last_look_ns;
	if (!is_on())
		return;
	int dir = ep_tasks_open();
	last_look_ns = now;
	if (gap > MAX_GAP_NS) {
		count(0, gap / STEP_NS, 0);
		gap = MAX_GAP_NS;
	}
	if (now - last_find_ns >= FIND_NS) {
		last_find_ns = now;
		find_threads(dir);
	}
	uint32_t n = n_chosen < AT_ONCE ? n_chosen : AT_ONCE;
	for (uint32_t i = 0; dir >= 0 && i < n; i++) {
		uint32_t at = i + (uint32_t)(roll() % (n_chosen - i)), tid = chosen[at];
		chosen[at] = chosen[i];
		chosen[i] = tid;
		look_at(dir, tid, gap * n_chosen / n);
	}
	if (dir >= 0)
		close(dir);
}

/* ---- on and off ------------------------------------------------------------------------------ */

/* Time begins here: what the kernel counted before is not of it. */
static void begin_time(void)
{
	last_look_ns = ep_clock_mono_ns();
	for (uint32_t i = 0; i < KNOWN; i++)
		all_known[i].tid = 0;
}

static int turn_on(void)
{
	if (!total)
		total = ep_tally_new();
	if (!since)
		since = ep_tally_new();
	if (!total || !since)
		return -ENOMEM;
	if (!is_on()) {
		ep_window_fill(); /* what was before is not ours */
		begin_time();
		last_find_ns = 0;
		if (!total_from_ns)
			total_from_ns = ep_clock_wall_ns();
		since_from_ns = ep_clock_wall_ns();
	}
	atomic_fetch_add(&n_on, 1);
	return 0;
}

/* For a request: CPU samples too, where nobody takes them. */
static int begin(void)
{
	int rc = ep_start_engine();
	if (rc == 0)
		rc = ep_capture_begin(EP_CAPTURE_WALL);
	if (rc < 0)
		return rc;
	ep_drain_lock();
	rc = turn_on();
	ep_drain_unlock();
	return rc;
}

static void end(void)
{
	struct ep_batch b;
	ep_drain_lock();
	atomic_fetch_sub(&n_on, 1);
	ep_drain_unlock();
	if (ep_capture_end(EP_CAPTURE_WALL, &b) == 0)
		ep_batch_fini(&b);
}

static bool take(const struct ep_kind *k, enum ep_kind_form form, struct ep_batch *ret_b)
{
	bool push = form == EP_KIND_PUSH;
	struct ep_tally *t = ep_tally_new();
	if (!t || !ep_batch_init(ret_b, k->shape, t)) {
		ep_tally_free(t);
		return false;
	}
	ep_kind_wall_look(); /* up to now */
	ep_window_fill();
	ret_b->period = STEP_NS;
	ret_b->from_ns = push ? since_from_ns : total_from_ns;
	if (push ? since : total)
		ep_tally_merge(t, push ? since : total);
	ret_b->ledger = push ? since_ledger : total_ledger;
	if (push) {
		struct ep_tally *fresh = ep_tally_new();
		if (fresh) {
			ep_tally_free(since);
			since = fresh;
		} else {
			ep_tally_subtract(since, t);
		}
		since_ledger = (struct ep_ledger){0};
		since_from_ns = ret_b->until_ns;
	}
	return true;
}

static uint64_t count_threads(const struct ep_kind *k)
{
	(void)k;
	return is_on() ? n_chosen : 0;
}

static const struct ep_write_shape shape = {
	.name = "wall",
	.values = {{"wall", "nanoseconds"}},
	.period = {"wall", "nanoseconds"},
	.default_type = "wall",
};

static struct ep_kind kind = {
	.name = "wall",
	.description = "Where threads spend their time, running or waiting, for some seconds.",
	.shape = &shape,
	.take = take,
	.text = ep_debugtext_counts,
	.count = count_threads,
	.can_delta = true,
	.begin = begin,
	.end = end,
};

int ep_kind_wall_start(bool push, const char *of_names)
{
	static bool is_known;
	names = of_names;
	kind.push_every_ns = push ? 10 * EP_NS_PER_S : 0;
	dice = ep_clock_mono_ns();
	if (!is_known)
		EP_TRY(ep_registry_add(&kind));
	is_known = true;
	int rc = push && !atomic_load(&pushes) ? turn_on() : 0;
	if (rc == 0)
		atomic_store(&pushes, push);
	return rc;
}

void ep_kind_wall_hold(bool hold)
{
	bool was = is_on();
	atomic_store(&held, hold);
	if (!was && is_on())
		begin_time();
}

void ep_kind_wall_child(void)
{
	atomic_store(&n_on, 0);
	atomic_store(&pushes, false);
	total = since = NULL;
	total_from_ns = 0;
	total_ledger = since_ledger = (struct ep_ledger){0};
	n_chosen = n_kept_tids = 0;
	for (uint32_t i = 0; i < KNOWN; i++)
		all_known[i].tid = 0;
}
