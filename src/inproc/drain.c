/* drain.c - see drain.h. */
#include "inproc/drain.h"

#include "base/clock.h"
#include "inproc/code.h"
#include "inproc/fd.h"
#include "inproc/tally.h"
#include "inproc/hooks.h"
#include "inproc/labels.h"
#include "inproc/mem_own.h"
#include "inproc/threads.h"
#include "inproc/write.h"
#include "push/push.h"
#include "safe/raw.h"
#include "safe/sys.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define TICK_NS (250 * EP_NS_PER_MS) /* an eighth of a ring at 100 Hz and 35 frames */
#define MIN_LOOK_NS (10 * EP_NS_PER_MS)
#define FLUSH_NS (10 * EP_NS_PER_S)
#define PUSH_NS (3 * EP_NS_PER_S)
#define LAST_PUSH_NS (2 * EP_NS_PER_S)
#define STACK_BYTES (256 << 10)
#define MAX_FILE_BYTES ((size_t)256 << 20)
#define MAX_WINDOW_TIDS 64 /* more threads than that are one, in a window */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct ep_config config;
static struct ep_push *push;
static uint64_t period_ns;

/* Of the running window; under the lock. */
static struct ep_tally *window;
static uint64_t window_from_ns; /* since 1970 */
static uint64_t next_flush_ns;	/* of CLOCK_MONOTONIC */
static uint64_t window_truncated;
static uint64_t lost_before;
static uint32_t tids[MAX_WINDOW_TIDS];
static uint32_t n_tids;

/* Of the whole run, for EVERPROF_OUT; the drain thread's own. */
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

/* ---- from rings to the window -------------------------------------------------------- */

/* Thread ids are a label, so their number in a window is bounded. */
static uint32_t window_tid(uint32_t tid)
{
	for (uint32_t i = 0; i < n_tids; i++)
		if (tids[i] == tid)
			return tid;
	if (n_tids == MAX_WINDOW_TIDS)
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
	struct ep_tally_row row = {.tid = window_tid(s->tid),
				  .labels = (const struct everprof_labels *)(uintptr_t)s->labels,
				  .weight = s->weight};
	if (s->flags & EP_RAW_TRUNCATED)
		window_truncated += s->weight;
	ep_tally_add(window, frames, n, &row);
}

static void empty_rings(void)
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

static void tick_locked(void)
{
	if (ep_threads_running() && !ep_hooks_own_sigprof()) {
		ep_threads_stop();
		ep_config_say("the program took SIGPROF; CPU profiling ends here");
	}
	ep_threads_look(false);
	(void)ep_code_refresh(false); /* out of memory: the old map does */
	ep_code_mark_old_maps();
	empty_rings();
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

/* ---- from the window to the server ------------------------------------------------------ */

/* A finished window: everything to write it without the lock. */
struct batch {
	struct ep_tally *tally;
	uint64_t from_ns, until_ns;
	struct ep_ledger ledger;
	const struct ep_code_mapping *mappings; /* a copy */
	uint32_t n_mappings;
	char build_id[EP_ELF_HEX_MAX];
};

static void batch_fini(struct batch *b)
{
	ep_tally_free(b->tally);
	ep_free((void *)b->mappings);
}

static bool copy_mappings(struct batch *b)
{
	b->n_mappings = ep_code_n_mappings();
	struct ep_code_mapping *m = ep_alloc((b->n_mappings + 1) * sizeof(*m));
	if (!m)
		return false;
	for (uint32_t i = 0; i < b->n_mappings; i++)
		m[i] = *ep_code_mapping(i);
	b->mappings = m;
	return true;
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

static bool take_window(struct batch *b)
{
	struct ep_threads_totals t;
	struct ep_tally *fresh = ep_tally_new();
	*b = (struct batch){.until_ns = ep_clock_wall_ns(), .from_ns = window_from_ns};
	if (!fresh || !copy_mappings(b)) {
		ep_tally_free(fresh);
		return false; /* the window goes on; its tally is bounded */
	}
	if (ep_code_main())
		strcpy(b->build_id, ep_code_main()->build_id);
	ep_threads_totals(&t);
	b->tally = window;
	b->ledger = (struct ep_ledger){.taken = window->weight,
				       .lost = t.lost + t.unsampled - lost_before +
					       window->dropped,
				       .truncated = window_truncated};
	b->ledger.asked = b->ledger.taken + b->ledger.lost;
	lost_before = t.lost + t.unsampled;
	say_unsampled(&t);
	window = fresh;
	window_truncated = 0;
	window_from_ns = b->until_ns;
	n_tids = 0;
	return true;
}

static int write_batch(const struct batch *b, bool named, struct ep_buf *out)
{
	struct ep_write w = {
		.tally = b->tally,
		.mappings = b->mappings,
		.n_mappings = b->n_mappings,
		.period_ns = period_ns,
		.from_ns = b->from_ns,
		.until_ns = b->until_ns,
		.ledger = b->ledger,
		.named = named,
	};
	return ep_write_cpu(&w, out, NULL);
}

/* SERVICE{version=…,host=…,profiler=library,k=v} */
static void series_name(const struct batch *b, char *to, size_t size)
{
	char host[65] = "";
	if (gethostname(host, sizeof(host) - 1) < 0)
		strcpy(host, "unknown");
	ep_config_clean_value(host);
	snprintf(to, size, "%s{version=%s,host=%s,profiler=library%s%s}", config.name,
		 *config.version ? config.version : b->build_id, host,
		 *config.labels ? "," : "", config.labels);
}

static void push_batch(const struct batch *b)
{
	char name[2048];
	ep_auto_buf bytes;
	ep_buf_init(&bytes, MAX_FILE_BYTES);
	if (write_batch(b, false, &bytes) < 0)
		return;
	series_name(b, name, sizeof(name));
	struct ep_push_item item = {.name = name,
				    .from_ns = b->from_ns,
				    .until_ns = b->until_ns,
				    .sample_rate_hz = config.hz,
				    .pprof_gz = bytes.data,
				    .n_bytes = bytes.len};
	(void)ep_push_add(push, &item); /* no room: counted there */
}

static void add_to_whole(const struct batch *b)
{
	ep_tally_merge(whole, b->tally);
	whole_ledger.taken += b->ledger.taken;
	whole_ledger.lost += b->ledger.lost;
	whole_ledger.asked += b->ledger.asked;
	whole_ledger.truncated += b->ledger.truncated;
}

static void flush(void)
{
	struct batch b;
	ep_drain_lock();
	(void)ep_code_refresh(true);
	bool ok = take_window(&b);
	ep_drain_unlock();
	if (!ok)
		return;
	if (push && (b.ledger.taken || b.ledger.lost))
		push_batch(&b);
	if (whole)
		add_to_whole(&b);
	batch_fini(&b);
}

/* ---- the end ------------------------------------------------------------------------------ */

static int write_file(const char *path, const struct ep_buf *b)
{
	char temp[PATH_MAX];
	int n = snprintf(temp, sizeof(temp), "%s.tmp%d", path, (int)getpid());
	if (n < 0 || (size_t)n >= sizeof(temp))
		return -EINVAL;
	int fd = ep_fd_open(temp, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd < 0)
		return -EIO;
	size_t at = 0;
	while (at < b->len) {
		ssize_t k = write(fd, b->data + at, b->len - at);
		if (k <= 0)
			break;
		at += (size_t)k;
	}
	if (close(fd) < 0 || at < b->len || rename(temp, path) < 0) {
		(void)unlink(temp); /* half a file is no use */
		return -EIO;
	}
	return 0;
}

/* A later process of the tree that used no CPU worth a sample writes nothing. */
static int write_whole(void)
{
	char path[PATH_MAX];
	struct batch b = {.tally = whole, .from_ns = whole_from_ns, .ledger = whole_ledger};
	if (!whole || (config.is_later_process && !whole->weight))
		return 0;
	b.until_ns = ep_clock_wall_ns();
	ep_auto_buf bytes;
	ep_buf_init(&bytes, MAX_FILE_BYTES);
	ep_drain_lock();
	bool ok = copy_mappings(&b);
	ep_drain_unlock();
	int rc = ok ? write_batch(&b, true, &bytes) : -ENOMEM;
	ep_free((void *)b.mappings);
	if (rc == 0)
		rc = ep_config_out_path(&config, path);
	if (rc == 0)
		rc = write_file(path, &bytes);
	if (rc < 0)
		ep_config_say("EVERPROF_OUT %s could not be written: %s", config.out,
			      strerror(-rc));
	return rc < 0 ? -EIO : 0;
}

static void say_push_failures(void)
{
	static uint64_t told;
	struct ep_push_stats st;
	ep_push_stats(push, &st);
	if (st.rejected + st.dropped == told)
		return;
	told = st.rejected + st.dropped;
	ep_config_say("%llu profiles refused, %llu dropped; last: %s",
		      (unsigned long long)st.rejected, (unsigned long long)st.dropped,
		      st.last_error);
}

static void finish(void)
{
	ep_threads_stop();
	tick(NULL);
	flush();
	int rc = write_whole();
	if (push) {
		(void)ep_push_drain(push, ep_clock_mono_ns() + LAST_PUSH_NS);
		say_push_failures();
		ep_push_free(push); /* what is left goes to the spool */
		push = NULL;
	}
	atomic_store(&stop_result, rc);
}

static void push_if_due(void)
{
	if (!push || ep_push_next_try_ns(push) > ep_clock_mono_ns())
		return;
	(void)ep_push_drain(push, ep_clock_mono_ns() + PUSH_NS);
	say_push_failures();
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

static void *drain_main(void *unused)
{
	(void)unused;
	(void)prctl(PR_SET_NAME, "everprof");
	ep_threads_exclude_me();
	while (!stopping()) {
		look_if_asked();
		tick(NULL);
		compile_tables();
		if (ep_clock_mono_ns() >= next_flush_ns) {
			next_flush_ns += FLUSH_NS;
			flush();
		}
		push_if_due();
		futex_wait(&ep_sig_wake, EP_SIG_SLEEP, TICK_NS);
	}
	finish();
	atomic_store(&done, 1);
	futex_wake(&done);
	return NULL;
}

static int spawn(void)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* the new thread inherits it */
	int rc = ep_hooks_real_pthread_create(&thread, &attr, drain_main, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return rc ? -EAGAIN : 0;
}

static int open_push(void)
{
	struct ep_err err = {0};
	struct ep_push_config c = {
		.sz = sizeof(c),
		.server = config.server,
		.token = *config.token ? config.token : NULL,
		.tenant = *config.tenant ? config.tenant : NULL,
		.spool_dir = *config.spool_dir ? config.spool_dir : NULL,
		.spy_name = "everprof-lib",
		.idle = tick,
	};
	if (!*config.server)
		return 0;
	int rc = ep_push_new(&c, &push, &err);
	if (rc < 0)
		ep_config_say("EVERPROF_SERVER: %s", err.text);
	return rc;
}

int ep_drain_start(const struct ep_config *c)
{
	struct ep_threads_totals t;
	config = *c;
	period_ns = ep_config_period_ns(c);
	window = ep_tally_new();
	whole = *c->out ? ep_tally_new() : NULL;
	if (!window || (*c->out && !whole))
		return -ENOMEM;
	EP_TRY(open_push());
	window_from_ns = whole_from_ns = ep_clock_wall_ns();
	next_flush_ns = ep_clock_mono_ns() + FLUSH_NS;
	whole_ledger = (struct ep_ledger){0};
	ep_threads_totals(&t);
	lost_before = t.lost + t.unsampled;
	ep_drain_lock();
	int rc = ep_code_refresh(true);
	ep_drain_unlock();
	EP_TRY(rc);
	atomic_store(&ep_sig_wake, EP_SIG_SLEEP);
	atomic_store(&done, 0);
	EP_TRY(spawn());
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
	/* The parent's folds and queue may be cut in the middle: left, not freed. */
	window = NULL;
	whole = NULL;
	push = NULL;
	window_truncated = 0;
	n_tids = 0;
	atomic_store(&started, 0);
	pthread_mutex_unlock(&lock);
}
