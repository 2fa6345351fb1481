/* drain.c - see drain.h. */
#include "inproc/drain.h"

#include "base/clock.h"
#include "base/hash.h"
#include "inproc/capture.h"
#include "inproc/code.h"
#include "inproc/kind_create.h"
#include "inproc/kind_heap.h"
#include "inproc/alone.h"
#include "inproc/kind_lock.h"
#include "inproc/kind_scopes.h"
#include "inproc/kind_threads.h"
#include "inproc/kind_wall.h"
#include "inproc/livetasks.h"
#include "inproc/hooks.h"
#include "inproc/registry.h"
#include "inproc/otelctx.h"
#include "inproc/outbox.h"
#include "inproc/spawn.h"
#include "inproc/threads.h"
#include "inproc/window.h"
#include "safe/sys.h"

#include <linux/futex.h>
#include <pthread.h>
#include <unistd.h>

#define TICK_NS (250 * EP_NS_PER_MS) /* an eighth of a ring at 100 Hz and 35 frames */
#define MIN_LOOK_NS (10 * EP_NS_PER_MS)
#define FLUSH_NS (10 * EP_NS_PER_S)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct ep_config config;
static uint64_t next_flush_ns; /* of CLOCK_MONOTONIC */
static bool on_duty;
static uint64_t next_kind_ns[EP_REGISTRY_MAX];

/* CPU of the whole run, for EVERPROF_OUT; the drain thread's own. */
static struct ep_tally *whole;
static uint64_t whole_from_ns;
static struct ep_ledger whole_ledger;

static _Atomic uint32_t done;	/* futex: 1 the thread has stopped */
static _Atomic int stop_result;
static _Atomic int started;

static void futex_wait(_Atomic uint32_t *word, uint32_t while_value, uint64_t ns)
{
	struct timespec t = {(time_t)(ns / EP_NS_PER_S), (long)(ns % EP_NS_PER_S)};
	(void)ep_sys6(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, while_value, (long)&t, 0, 0);
}

static void futex_wake(_Atomic uint32_t *word)
{
	(void)ep_sys6(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, INT32_MAX, 0, 0, 0);
}

static void tick_locked(void)
{
	bool is_gone = ep_hooks_gave_sigprof(); /* or behind our back, by a system call */
	if (ep_threads_running() && !ep_hooks_own_sigprof()) {
		ep_threads_give_up();
		is_gone = true;
	}
	if (is_gone)
		ep_config_say("the program took SIGPROF; CPU profiling ends here, CPU time from now "
			      "on is lost in the ledger");
	ep_threads_look(false);
	(void)ep_code_refresh(false); /* out of memory: the old map does */
	ep_code_mark_old_maps();
	ep_window_fill();
	ep_kind_heap_tick();
	ep_kind_scopes_tick();
	ep_otelctx_tick();
	ep_code_drop_marked_maps();
}

static int tick(void *unused)
{
	(void)unused;
	ep_drain_lock();
	tick_locked();
	ep_drain_unlock();
	return 0;
}

/* ---- profiles that are due ---------------------------------------------------------------- */

static void add_to_whole(const struct ep_batch *b)
{
	ep_tally_merge(whole, b->tally);
	ep_ledger_add(&whole_ledger, &b->ledger);
}

static void flush_cpu(void)
{
	struct ep_batch b;
	ep_drain_lock();
	(void)ep_code_refresh(true);
	bool ok = ep_window_take(&b);
	ep_drain_unlock();
	if (!ok)
		return;
	if (config.duty.every_ns) /* 0 would be: all the time */
		b.ledger.covered_ns = b.until_ns > b.from_ns ? b.until_ns - b.from_ns : 1;
	if (b.ledger.taken || b.ledger.lost)
		ep_outbox_push(&b);
	if (whole)
		add_to_whole(&b);
	ep_batch_fini(&b);
}

static void flush_kind(const struct ep_kind *k)
{
	struct ep_batch b;
	ep_drain_lock();
	bool ok = k->take(k, EP_KIND_PUSH, &b);
	ep_drain_unlock();
	if (!ok)
		return;
	if (b.tally->n_rows)
		ep_outbox_push(&b);
	ep_batch_fini(&b);
}

static void flush_kinds(uint64_t now)
{
	const struct ep_kind *k;
	for (uint32_t i = 0; (k = ep_registry_at(i)) != NULL; i++) {
		if (!k->push_every_ns || now < next_kind_ns[i])
			continue;
		if (next_kind_ns[i]) /* else it is new, and this its beginning */
			flush_kind(k);
		next_kind_ns[i] = now + k->push_every_ns;
	}
}

/* Timers stop before the last look at their samples, and start after it. */
static void change_duty(void)
{
	on_duty = !on_duty;
	if (!on_duty) {
		ep_capture_duty(false);
		tick(NULL);
		if (config.cpu)
			flush_cpu();
	} else {
		next_flush_ns = ep_clock_mono_ns() + FLUSH_NS;
	}
	ep_drain_lock();
	ep_window_fill();
	ep_window_hold(!on_duty);
	ep_kind_wall_hold(!on_duty);
	ep_drain_unlock();
	if (on_duty)
		ep_capture_duty(true);
}

static void flush_what_is_due(void)
{
	uint64_t now = ep_clock_mono_ns();
	if (ep_duty_is_on(&config.duty, now) != on_duty &&
	    (ep_threads_running() || ep_threads_counting()) &&
	    (config.cpu || config.wall))
		change_duty();
	if (config.cpu && on_duty && now >= next_flush_ns) {
		next_flush_ns += FLUSH_NS;
		flush_cpu();
	}
	flush_kinds(now);
}

/* ---- the end ------------------------------------------------------------------------------ */

/* A later process of the tree that used no CPU worth a sample writes nothing. */
static int write_whole_cpu(void)
{
	struct ep_batch b;
	if (!whole || (config.is_later_process && !whole->weight))
		return 0;
	ep_drain_lock();
	bool ok = ep_batch_init(&b, &ep_write_cpu_shape, whole);
	ep_drain_unlock();
	if (!ok)
		return -EIO;
	b.period = ep_config_period_ns(&config);
	b.from_ns = whole_from_ns;
	b.ledger = whole_ledger;
	if (config.duty.every_ns && !b.ledger.covered_ns)
		b.ledger.covered_ns = 1;
	b.covered_ns = b.ledger.covered_ns;
	int rc = ep_outbox_write_file(&b);
	ep_batch_fini(&b);
	whole = NULL;
	return rc;
}

static int write_kind(const struct ep_kind *k)
{
	struct ep_batch b;
	ep_drain_lock();
	bool ok = k->take(k, EP_KIND_TOTAL, &b);
	ep_drain_unlock();
	if (!ok)
		return -EIO;
	int rc = ep_outbox_write_file(&b);
	ep_batch_fini(&b);
	return rc;
}

/* A folder gets a file of each type, a single file is that of the first. */
static int write_kinds(void)
{
	const struct ep_kind *k;
	bool all = ep_config_out_is_folder(&config);
	int rc = 0;
	if (!*config.out || (config.cpu && !all))
		return 0;
	for (uint32_t i = 0; (k = ep_registry_at(i)) != NULL; i++) {
		if (!k->push_every_ns)
			continue;
		int one = write_kind(k);
		rc = one < 0 ? one : rc;
		if (!all)
			break;
	}
	return rc;
}

static void finish(void)
{
	const struct ep_kind *k;
	ep_threads_stop();
	tick(NULL);
	if (config.cpu && on_duty)
		flush_cpu();
	for (uint32_t i = 0; (k = ep_registry_at(i)) != NULL; i++)
		if (k->push_every_ns)
			flush_kind(k);
	int rc = write_whole_cpu(), rc_kinds = write_kinds();
	ep_kind_heap_stop();
	ep_kind_lock_stop();
	ep_outbox_close();
	atomic_store(&stop_result, rc < 0 ? rc : rc_kinds);
}

static bool stopping(void)
{
	return atomic_load(&ep_sig_wake) == EP_SIG_STOP;
}

/* A handler met code that no map knows.  Not more often than a look is cheap. */
static void look_if_asked(void)
{
	static uint64_t last_ns;
	uint32_t look = EP_SIG_LOOK;
	if (atomic_load(&ep_sig_wake) != EP_SIG_LOOK)
		return;
	uint64_t now = ep_clock_mono_ns();
	if (now - last_ns < MIN_LOOK_NS) {
		struct timespec t = {0, (long)MIN_LOOK_NS};
		nanosleep(&t, NULL);
	}
	last_ns = now;
	ep_drain_lock();
	(void)ep_code_refresh(true); /* out of memory: the old map does */
	ep_drain_unlock();
	(void)atomic_compare_exchange_strong(&ep_sig_wake, &look, EP_SIG_SLEEP);
}

/* One unwind table at a time, the rings emptied in between. */
static void compile_tables(void)
{
	bool any = false;
	while (!stopping() && ep_code_compile_next()) {
		any = true;
		tick(NULL);
	}
	if (!any)
		return;
	ep_drain_lock();
	ep_code_attach();
	ep_drain_unlock();
}

/* In between, looks of the wall clock. */
static void wait_for_tick(void)
{
	uint64_t now = ep_clock_mono_ns(), duty = ep_duty_left_ns(&config.duty, now);
	uint64_t end = now + (duty < TICK_NS ? duty : TICK_NS);
	for (; now < end && atomic_load(&ep_sig_wake) == EP_SIG_SLEEP; now = ep_clock_mono_ns()) {
		uint64_t step = ep_kind_wall_step_ns(), left = end - now;
		futex_wait(&ep_sig_wake, EP_SIG_SLEEP, step && step < left ? step : left);
		if (!step)
			continue;
		ep_drain_lock();
		ep_kind_wall_look();
		ep_drain_unlock();
	}
}

static void *drain_main(void *unused)
{
	(void)unused;
	bool alone = false;
	ep_threads_exclude_me();
	while (!stopping() && !(alone = ep_alone())) {
		look_if_asked();
		tick(NULL);
		compile_tables();
		flush_what_is_due();
		ep_outbox_send_if_due();
		wait_for_tick();
	}
	finish();
	atomic_store(&done, 1);
	futex_wake(&done);
	if (alone)
		ep_alone_end();
	return NULL;
}

uint64_t ep_drain_period_ns(void)
{
	return ep_config_period_ns(&config);
}

bool ep_drain_wants_cpu(void)
{
	return (config.cpu || config.wall) && atomic_load(&started);
}

void ep_drain_know_code(void)
{
	ep_drain_lock();
	(void)ep_code_refresh(true); /* out of memory: stacks will be short, and counted */
	ep_drain_unlock();
	while (ep_code_compile_next())
		;
	ep_drain_lock();
	ep_code_attach();
	ep_drain_unlock();
}

static void start_duty(void)
{
	uint64_t now = ep_clock_mono_ns();
	ep_duty_start(&config.duty, now, ep_hash_mix(now + (uint64_t)getpid(), ep_clock_wall_ns()));
	on_duty = ep_duty_is_on(&config.duty, now);
	ep_capture_duty(on_duty); /* before the first timer */
}

int ep_drain_start(const struct ep_config *c)
{
	config = *c;
	ep_threads_choose_clock(c->clock);
	whole = c->cpu && *c->out ? ep_tally_new() : NULL;
	if (c->cpu && *c->out && !whole)
		return -ENOMEM;
	EP_TRY(ep_outbox_open(c, tick));
	whole_from_ns = ep_clock_wall_ns();
	whole_ledger = (struct ep_ledger){0};
	next_flush_ns = ep_clock_mono_ns() + FLUSH_NS;
	start_duty();
	/* A stack of CPU time that misses its tables is one of many; a heap has objects
	 * that stay for ever, and many of them are made first. */
	if (c->heap || c->mutex || c->block || c->threads || c->wall)
		ep_drain_know_code();
	ep_drain_lock();
	int rc = ep_code_refresh(true);
	if (rc >= 0 && c->cpu)
		rc = ep_window_start(ep_config_period_ns(c));
	ep_window_hold(!on_duty);
	if (rc >= 0 && c->heap)
		rc = ep_kind_heap_start(c->heap_bytes);
	if (rc >= 0 && (c->mutex || c->block))
		rc = ep_kind_lock_start(c->mutex, c->block, c->block_ns);
	if (rc >= 0)
		rc = ep_kind_threads_start(c->threads);
	if (rc >= 0)
		rc = ep_kind_wall_start(c->wall, config.wall_names);
	ep_kind_wall_hold(!on_duty);
	if (rc >= 0)
		rc = ep_kind_create_start();
	if (rc >= 0) /* last: EVERPROF_OUT as a file is of the first */
		rc = ep_kind_scopes_start();
	if (rc >= 0)
		ep_livetasks_start();
	if (rc >= 0 && c->otel)
		ep_otelctx_start(config.name, config.version);
	ep_drain_unlock();
	EP_TRY(rc);
	atomic_store(&ep_sig_wake, EP_SIG_SLEEP);
	atomic_store(&done, 0);
	EP_TRY(ep_spawn("everprof", drain_main, NULL));
	atomic_store(&started, 1);
	return 0;
}

int ep_drain_stop(uint64_t timeout_ns)
{
	if (!atomic_load(&started))
		return 0;
	atomic_store(&ep_sig_wake, EP_SIG_STOP);
	futex_wake(&ep_sig_wake);
	uint64_t end = ep_clock_mono_ns() + timeout_ns, now;
	while (!atomic_load(&done)) {
		if ((now = ep_clock_mono_ns()) >= end)
			return -ETIMEDOUT;
		futex_wait(&done, 0, end - now);
	}
	return atomic_load(&stop_result);
}

void ep_drain_lock(void)
{
	pthread_mutex_lock(&lock);
}

void ep_drain_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void ep_drain_child(void)
{
	/* The parent's rows and queue may be cut in the middle: left, not freed. */
	ep_otelctx_child();
	ep_kind_wall_child();
	ep_window_child();
	ep_outbox_child();
	whole = NULL;
	atomic_store(&started, 0);
	pthread_mutex_unlock(&lock);
}
