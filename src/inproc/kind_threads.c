/*
 * kind_threads.c - see kind_threads.h.
 *
 * A thread that waits is read from outside (blocked.h).  One that runs is asked
 * (sig/ask.h), by a timer on its own CPU clock: that can't strike while it waits, so no
 * system call is cut short.  Whoever does not answer in time has no stack.
 */
#include "inproc/kind_threads.h"

#include "base/clock.h"
#include "inproc/blocked.h"
#include "inproc/hooks.h"
#include "inproc/mem_own.h"
#include "inproc/peek.h"
#include "inproc/registry.h"
#include "inproc/sig/ask.h"
#include "inproc/spawn.h"
#include "inproc/threadtext.h"
#include "safe/sys.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_THREADS = 1 << 16,
	MAX_MORES = 512,
	MAX_PUSHED_TIDS = 64, /* in what is kept; the others are one */
	MIN_SLOTS = 64,
	TRIES = 3,
};
#define LOOK_NS (EP_NS_PER_MS / 2)
#define ANSWERS_NS (60 * EP_NS_PER_MS) /* some ticks of the kernel, and turns on a CPU */
#define NAME_NS EP_NS_PER_S /* others may rename a thread while it waits */

static const char running[] = "running", waiting[] = "waiting", unknown[] = "unknown";
static const char whole[] = "whole", partial[] = "partial", none[] = "none";

/* A thread, and what became of it. */
struct found {
	uint32_t tid;
	struct ep_tally_more more;
	const struct everprof_labels *labels;
	uint64_t cpu_ns; /* before it was looked at; 0: not known */
	uint32_t map, n_frames;
	const uint64_t *frames;
};

/*
 * What a thread that waits was like.  While its CPU clock stands still it has not run, and
 * all is as it was.
 */
struct known {
	uint32_t tid; /* 0: an empty slot */
	uint32_t n_frames;
	uint32_t map; /* of the code, with the unwind tables there were */
	uint64_t cpu_ns, named_ns;
	const struct ep_tally_more *more;
	const struct everprof_labels *labels;
	char name[EP_TASKS_NAME];
	struct ep_tally_frame *frames;
};

/* By thread, of one look: open addressing, at most half full. */
struct memory {
	struct known *slots;
	uint32_t n_slots; /* a power of two */
};

static struct memory last; /* under the drain lock */

/* One look at all of them.  Under the drain lock. */
struct look {
	struct memory now; /* without slots: memory is short */
	uint64_t now_ns;
	struct ep_tally *rows;
	struct ep_batch *b;
	enum ep_kind_form form;
	int dir;
	uint32_t *tids;
	uint32_t n_tids, cap_tids, own_tid, n_pushed;
	bool failed, may_signal;
	uint64_t end_ns;
};

/* ---- rows ------------------------------------------------------------------------------ */

static const struct ep_tally_more *intern(const struct ep_tally_more *m)
{
	static struct ep_tally_more all[MAX_MORES];
	static uint32_t n;
	for (uint32_t i = 0; i < n; i++)
		if (all[i].state == m->state && all[i].wait == m->wait &&
		    all[i].stack == m->stack)
			return &all[i];
	if (n == MAX_MORES)
		return NULL;
	all[n] = *m;
	return &all[n++];
}

/* Thread ids are a label: what is kept for long has a bounded number of them. */
static uint32_t bounded_tid(struct look *l, uint32_t tid)
{
	return l->form != EP_KIND_PUSH || l->n_pushed++ < MAX_PUSHED_TIDS ? tid : 0;
}

/* A row, and its name. */
static void add_row(struct look *l, const struct known *k)
{
	struct ep_write_name *name = &l->b->names[l->b->n_names++];
	struct ep_tally_row row = {.tid = bounded_tid(l, k->tid),
				   .labels = k->labels,
				   .more = k->more,
				   .values = {1, (int64_t)k->cpu_ns}};
	name->tid = k->tid;
	memcpy(name->name, k->name, sizeof(name->name));
	ep_tally_add(l->rows, k->frames, k->n_frames, &row);
	l->b->ledger.asked++;
	if (!k->more || k->more->stack == none)
		l->b->ledger.lost++;
	else
		l->b->ledger.taken++;
	l->b->ledger.truncated += k->more && k->more->stack == partial;
}

static struct known *slot_of(const struct memory *m, uint32_t tid)
{
	uint32_t at = tid * 0x9e3779b1u;
	if (!m->n_slots)
		return NULL;
	while (m->slots[at & (m->n_slots - 1)].tid && m->slots[at & (m->n_slots - 1)].tid != tid)
		at++;
	return &m->slots[at & (m->n_slots - 1)];
}

/* From the last look if that was a moment ago, else from the kernel. */
static void name(struct look *l, struct known *k)
{
	const struct known *was = slot_of(&last, k->tid);
	bool is_fresh = was && was->tid && l->now_ns - was->named_ns < NAME_NS &&
			was->cpu_ns <= k->cpu_ns; /* else another thread of its id */
	if (!is_fresh) {
		ep_tasks_name(l->dir, k->tid, k->name);
		return;
	}
	memcpy(k->name, was->name, sizeof(k->name));
	k->named_ns = was->named_ns;
}

/* The frames of what is returned are good until the next call. */
static struct known know(struct look *l, const struct found *f)
{
	static struct ep_tally_frame frames[EP_SIG_MAX_FRAMES]; /* under the drain lock */
	struct known k = {.tid = f->tid,
			  .n_frames = f->n_frames,
			  .map = f->map,
			  .cpu_ns = f->cpu_ns ? f->cpu_ns : ep_tasks_cpu_ns(f->tid),
			  .named_ns = l->now_ns,
			  .more = intern(&f->more),
			  .labels = f->labels,
			  .frames = frames};
	for (uint32_t i = 0; i < f->n_frames; i++)
		frames[i] = (struct ep_tally_frame){f->frames[i],
						    ep_code_find(f->map, f->frames[i])};
	name(l, &k);
	return k;
}

static void add(struct look *l, const struct found *f)
{
	struct known k = know(l, f);
	add_row(l, &k);
}

/* ---- threads that have not run since ----------------------------------------------------- */

static void start_memory(struct look *l)
{
	uint32_t n = MIN_SLOTS;
	while (n < 2 * l->n_tids)
		n *= 2;
	l->now.slots = ep_zalloc(n * sizeof(*l->now.slots));
	l->now.n_slots = l->now.slots ? n : 0;
}

/* The last look goes, this one is the last. */
static void turn_memory(struct look *l)
{
	for (uint32_t i = 0; i < last.n_slots; i++)
		ep_free(last.slots[i].frames);
	ep_free(last.slots);
	last = l->now;
}

/* It has waited since before cpu_ns was read. */
static void remember(struct look *l, const struct known *k)
{
	struct known *to = slot_of(&l->now, k->tid);
	if (!to || to->tid)
		return;
	struct ep_tally_frame *frames = ep_alloc((k->n_frames + 1) * sizeof(*frames));
	if (!frames)
		return;
	memcpy(frames, k->frames, k->n_frames * sizeof(*frames));
	*to = *k;
	to->frames = frames;
}

static uint32_t map_number(void)
{
	const struct ep_sig_map *map = atomic_load(&ep_sig_map);
	return map ? map->number : 0;
}

static bool add_if_known(struct look *l, uint32_t tid)
{
	struct known *k = slot_of(&last, tid), *to = slot_of(&l->now, tid);
	if (!k || !k->tid || !to || to->tid || k->cpu_ns != ep_tasks_cpu_ns(tid))
		return false;
	if (k->map != map_number() && (!k->more || k->more->stack != whole))
		return false; /* there may be more tables by now */
	if (l->now_ns - k->named_ns >= NAME_NS) {
		ep_tasks_name(l->dir, tid, k->name);
		k->named_ns = l->now_ns;
	}
	*to = *k;
	k->frames = NULL; /* moved */
	add_row(l, to);
	return true;
}

static void add_without_stack(struct look *l, uint32_t tid, const char *state)
{
	struct found f = {.tid = tid,
			  .more = {.state = state, .stack = none},
			  .labels = ep_peek_labels(tid)};
	add(l, &f);
}

/* ---- threads that wait ----------------------------------------------------------------- */

/* Its stack, if it was in the same place before and after we read it: the CPU clock stood
 * still since before the look, or a second look finds the same. */
static enum ep_tasks_state read_from(int fd, struct ep_tasks_at at, struct found *f)
{
	static uint64_t frames[EP_SIG_MAX_FRAMES]; /* under the drain lock */
	const struct ep_sig_map *map = atomic_load(&ep_sig_map);
	enum ep_tasks_state state = map ? EP_TASKS_BLOCKED : EP_TASKS_UNKNOWN;
	for (int i = 0; i < TRIES && state == EP_TASKS_BLOCKED; i++) {
		struct ep_tasks_at again = {0};
		uint64_t labels = ep_peek_place(f->tid);
		bool is_whole;
		f->map = map->number;
		f->frames = frames;
		f->n_frames = ep_blocked_walk(map->modules, &at, &labels, frames, &is_whole);
		f->labels = ep_peek_believe(labels);
		f->more = (struct ep_tally_more){.state = waiting,
						 .wait = ep_tasks_call_name(at.call),
						 .stack = is_whole ? whole : partial};
		if (f->cpu_ns && f->cpu_ns == ep_tasks_cpu_ns(f->tid))
			return state;
		f->cpu_ns = 0;
		state = ep_tasks_look_again(fd, &again);
		if (state == EP_TASKS_BLOCKED && again.sp == at.sp && again.pc == at.pc &&
		    again.call == at.call)
			return state;
		at = again;
	}
	return state == EP_TASKS_BLOCKED ? EP_TASKS_RUNNING : state; /* it moves */
}

static enum ep_tasks_state read_blocked(struct look *l, uint32_t tid, struct found *ret)
{
	struct ep_tasks_at at;
	int fd;
	*ret = (struct found){.tid = tid, .cpu_ns = ep_tasks_cpu_ns(tid)};
	enum ep_tasks_state state = ep_tasks_look(l->dir, tid, &at, &fd);
	if (state == EP_TASKS_BLOCKED)
		state = read_from(fd, at, ret);
	if (fd >= 0)
		close(fd);
	return state;
}

/* false: it runs, and has to be asked. */
static bool add_if_blocked(struct look *l, uint32_t tid)
{
	struct found f;
	enum ep_tasks_state state = read_blocked(l, tid, &f);
	if (state == EP_TASKS_RUNNING)
		return false;
	if (state == EP_TASKS_UNKNOWN)
		add_without_stack(l, tid, unknown);
	if (state != EP_TASKS_BLOCKED)
		return true;
	struct known k = know(l, &f);
	add_row(l, &k);
	if (f.cpu_ns) /* it has waited since before that was read */
		remember(l, &k);
	return true;
}

/* ---- threads that run ------------------------------------------------------------------ */

struct asked {
	uint32_t tid;
	int timer; /* -1: none */
	struct ep_tally_more more;
	bool done;
};

static int start_timer(uint32_t tid, int value)
{
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF};
	struct itimerspec soon = {.it_value = {0, 1}}; /* the next tick that meets it */
	int id;
	ev.sigev_value.sival_int = value;
	ev._sigev_un._tid = (pid_t)tid;
	if (ep_sys6(SYS_timer_create, EP_TASKS_CLOCK(tid), (long)&ev, (long)&id, 0, 0, 0) < 0)
		return -1;
	(void)ep_sys6(SYS_timer_settime, id, 0, (long)&soon, 0, 0, 0); /* else no answer */
	return id;
}

static void send_signal(uint32_t tid, int value)
{
	siginfo_t info = {.si_signo = SIGPROF, .si_code = SI_QUEUE};
	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_int = value;
	(void)ep_sys6(SYS_rt_tgsigqueueinfo, info.si_pid, tid, SIGPROF, (long)&info, 0, 0);
}

/* Ask one.  A signal where that can do no harm, or was asked for. */
static void ask(struct look *l, struct asked *a, uint32_t i)
{
	struct ep_tasks_at at;
	int value;
	a->timer = -1;
	a->done = false;
	a->more = (struct ep_tally_more){.state = running};
	if (!ep_ask_post(i, a->tid, &value))
		return; /* no answer */
	if (a->tid != l->own_tid && l->form != EP_KIND_INTERRUPT) {
		a->timer = start_timer(a->tid, value);
		return;
	}
	if (a->tid != l->own_tid && ep_tasks_look(l->dir, a->tid, &at, NULL) == EP_TASKS_BLOCKED)
		a->more = (struct ep_tally_more){waiting, ep_tasks_call_name(at.call), NULL};
	send_signal(a->tid, value);
}

static void add_answer(struct look *l, struct asked *a, const struct ep_ask *answer)
{
	struct found f = {.tid = a->tid,
			  .more = a->more,
			  .labels = answer->labels,
			  .map = answer->map,
			  .n_frames = answer->n_frames,
			  .frames = answer->frames};
	f.more.stack = !f.n_frames ? none : answer->truncated ? partial : whole;
	add(l, &f);
	a->done = true;
}

/* It has answered, or waits by now. */
static bool is_settled(struct look *l, struct asked *a, uint32_t i)
{
	const struct ep_ask *answer = ep_ask_answered(i);
	struct found f;
	if (!answer && l->form != EP_KIND_INTERRUPT && a->tid != l->own_tid) {
		enum ep_tasks_state state = read_blocked(l, a->tid, &f);
		if (state == EP_TASKS_RUNNING || state == EP_TASKS_UNKNOWN)
			return false;
		answer = ep_ask_withdraw(i);
		if (!answer && state == EP_TASKS_BLOCKED)
			add(l, &f);
		a->done = true;
	}
	if (answer)
		add_answer(l, a, answer);
	return a->done;
}

static void give_up(struct look *l, struct asked *a, uint32_t i)
{
	const struct ep_ask *answer = ep_ask_withdraw(i);
	if (answer)
		add_answer(l, a, answer);
	else if (!add_if_blocked(l, a->tid))
		add_without_stack(l, a->tid, running);
}

static void wait_for_answers(struct look *l, struct asked *asked, uint32_t n)
{
	const struct timespec step = {0, (long)LOOK_NS};
	uint32_t n_left = n;
	while (n_left) {
		n_left = 0;
		for (uint32_t i = 0; i < n; i++)
			n_left += !asked[i].done && !is_settled(l, &asked[i], i);
		if (!n_left || ep_clock_mono_ns() >= l->end_ns)
			break;
		(void)nanosleep(&step, NULL); /* cut short by a signal: the clock decides */
	}
	for (uint32_t i = 0; i < n; i++)
		if (!asked[i].done)
			give_up(l, &asked[i], i);
}

static void ask_some(struct look *l, const uint32_t *tids, uint32_t n)
{
	static struct asked asked[EP_ASKS]; /* under the drain lock */
	for (uint32_t i = 0; i < n; i++) {
		asked[i].tid = tids[i];
		ask(l, &asked[i], i);
	}
	wait_for_answers(l, asked, n);
	for (uint32_t i = 0; i < n; i++)
		if (asked[i].timer >= 0)
			(void)ep_sys6(SYS_timer_delete, asked[i].timer, 0, 0, 0, 0, 0);
}

/* ---- all ------------------------------------------------------------------------------- */

static void add_tid(uint32_t tid, void *arg)
{
	struct look *l = arg;
	if (ep_spawn_is_ours(tid) || l->n_tids == MAX_THREADS)
		return;
	if (l->n_tids == l->cap_tids) {
		uint32_t cap = l->cap_tids ? l->cap_tids * 2 : 64;
		uint32_t *more = ep_realloc(l->tids, cap * sizeof(*more));
		l->failed |= !more;
		if (!more)
			return;
		l->tids = more;
		l->cap_tids = cap;
	}
	l->tids[l->n_tids++] = tid;
}

static void look_at_all(struct look *l)
{
	uint32_t n_runs = 0; /* they move to the front */
	start_memory(l);
	for (uint32_t i = 0; i < l->n_tids; i++) {
		uint32_t tid = l->tids[i];
		bool asks = tid == l->own_tid || l->form == EP_KIND_INTERRUPT;
		if (asks || (!add_if_known(l, tid) && !add_if_blocked(l, tid)))
			l->tids[n_runs++] = tid;
	}
	l->end_ns = ep_clock_mono_ns() + ANSWERS_NS;
	for (uint32_t at = 0; at < n_runs; at += EP_ASKS) {
		uint32_t n = n_runs - at < EP_ASKS ? n_runs - at : EP_ASKS;
		if (l->may_signal)
			ask_some(l, l->tids + at, n);
		for (uint32_t i = 0; !l->may_signal && i < n; i++)
			if (!add_if_blocked(l, l->tids[at + i]))
				add_without_stack(l, l->tids[at + i], running);
	}
	turn_memory(l);
}

static bool take(const struct ep_kind *k, enum ep_kind_form form, struct ep_batch *ret_b)
{
	struct ep_tally *t = ep_tally_new();
	(void)ep_code_refresh(false); /* out of memory: the old map does */
	if (!t || !ep_batch_init(ret_b, k->shape, t)) {
		ep_tally_free(t);
		return false;
	}
	struct look l = {.rows = t, .b = ret_b, .form = form, .dir = ep_tasks_open(), .now_ns = ep_clock_mono_ns()};
	l.own_tid = (uint32_t)ep_sys6(SYS_gettid, 0, 0, 0, 0, 0, 0);
	l.failed = l.dir < 0 || ep_tasks_each(add_tid, &l) < 0;
	ret_b->names = ep_alloc((l.n_tids + 1) * sizeof(*ret_b->names));
	l.may_signal = ep_hooks_take_sigprof() == 0 && ep_hooks_own_sigprof();
	if (ret_b->names && !l.failed)
		look_at_all(&l);
	l.failed |= !ret_b->names;
	ep_free(l.tids);
	if (l.dir >= 0)
		close(l.dir);
	ret_b->period = 1;
	ret_b->from_ns = ret_b->until_ns = ep_clock_wall_ns();
	if (l.failed)
		ep_batch_fini(ret_b);
	return !l.failed;
}

static void count_one(uint32_t tid, void *arg)
{
	*(uint64_t *)arg += !ep_spawn_is_ours(tid);
}

static uint64_t count(const struct ep_kind *k)
{
	uint64_t n = 0;
	(void)k;
	(void)ep_tasks_each(count_one, &n); /* without /proc it is 0 */
	return n;
}

#define SHAPE(name_)                                                                       \
	{                                                                                  \
		.name = name_, .values = {{"threads", "count"}},                           \
		.period = {"threads", "count"}, .default_type = "threads"                  \
	}
static const struct ep_write_shape threads_shape = SHAPE("threads");
static const struct ep_write_shape goroutine_shape = SHAPE("goroutine");

static struct ep_kind threads_kind = {
	.name = "threads",
	.description = "Stacks of all threads right now, with what each waits for.  debug=2: "
		       "each by itself.",
	.shape = &threads_shape,
	.take = take,
	.text = ep_threadtext_groups,
	.long_text = ep_threadtext_each,
	.count = count,
	.can_delta = true,
};

static const struct ep_kind goroutine_kind = {
	.name = "goroutine",
	.description = "The same as threads, under the name that tools for Go ask for.",
	.shape = &goroutine_shape,
	.take = take,
	.text = ep_threadtext_groups,
	.long_text = ep_threadtext_each,
	.count = count,
	.can_delta = true,
};

int ep_kind_threads_start(bool push)
{
	static bool known;
	threads_kind.push_every_ns = push ? 60 * EP_NS_PER_S : 0;
	if (known)
		return 0;
	struct ep_ask *asks = ep_mem_own_pages(EP_ASKS * sizeof(*asks));
	if (!asks)
		return -ENOMEM;
	ep_ask_init(asks);
	EP_TRY(ep_registry_add(&threads_kind));
	EP_TRY(ep_registry_add(&goroutine_kind));
	known = true;
	return 0;
}
