/* threads.c - see threads.h. */
#include "inproc/threads.h"

#include "base/clock.h"
#include "base/hash.h"
#include "inproc/mem_own.h"
#include "inproc/ringpool.h"
#include "inproc/sig/cpu.h"
#include "inproc/sig/hits.h"
#include "inproc/taskclock.h"
#include "inproc/tasks.h"
#include "safe/sys.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_MAIN_STACK ((uint64_t)128 << 20)

#define MIN_BURST_NS 80000 /* of work, between two waits: an event costs 2 % at most */

enum {
	MISSED = 4, /* periods */
	MANY = 64,  /* threads: looked at less often */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t n_slots; /* ever used */
static uint32_t n_joined;
static uint64_t period_ns;
static _Atomic bool running;
static bool counting; /* CPU time only: nobody can be sampled */
static bool gave_up;
static bool paused;
static uint32_t own_tid;
static uint64_t main_stack_lo, main_stack_hi;
static uint64_t n_refused;
static uint64_t dice;
static uint64_t last_look_ns;
static int64_t unsettled_ns;
static uint64_t cpu_from_ns, cpu_used_ns; /* of the process, while it is sampled */
static uint64_t n_unsampled, n_unsampled_settled;
static enum ep_threads_clock which_clock;
static int clock_refused; /* a negative errno */
static uint64_t last_watch_ns;
static int64_t watched; /* what was missing when threads were last looked at */

void ep_threads_choose_clock(enum ep_threads_clock c)
{
	which_clock = c;
}

bool ep_threads_running(void)
{
	return atomic_load_explicit(&running, memory_order_acquire);
}

/*
 * Arm with a random first expiry within one period, so that the expected number
 * of expiries is CPU time / period for threads of any length of life.
 */
static int arm(struct ep_sig_thread *t, uint32_t slot, uint32_t tid)
{
	struct sigevent ev = {0};
	int id;
	ev.sigev_notify = SIGEV_THREAD_ID;
	ev.sigev_signo = SIGPROF;
	ev.sigev_value.sival_int = (int)(EP_SIG_VALUE_MARK | slot);
	ev._sigev_un._tid = (pid_t)tid;
	long rc = ep_sys6(SYS_timer_create, EP_TASKS_CLOCK(tid), (long)&ev, (long)&id, 0, 0, 0);
	if (rc < 0)
		return (int)rc;
	atomic_store(&t->timer, id); /* before the first signal */
	dice = ep_hash_mix(dice + tid, ep_clock_mono_ns());
	uint64_t first = 1 + dice % period_ns;
	/* A timer on another thread's clock counts from now, like on our own. */
	struct itimerspec its = {
		.it_value = {(time_t)(first / EP_NS_PER_S), (long)(first % EP_NS_PER_S)},
		.it_interval = {(time_t)(period_ns / EP_NS_PER_S),
				(long)(period_ns % EP_NS_PER_S)},
	};
	rc = ep_sys6(SYS_timer_settime, id, 0, (long)&its, 0, 0, 0);
	return (int)rc;
}

/* A perf event beside the timer.  Where there can be none, the timer is alone. */
static void add_event(struct ep_sig_thread *t, uint32_t tid)
{
	int fd = clock_refused ? clock_refused : ep_taskclock_open(tid);
	if (fd < 0) {
		/* Without descriptors, or a thread that just ended, the next may have one. */
		if (fd == -EACCES || fd == -EPERM || fd == -ENOSYS || fd == -ENOENT)
			clock_refused = fd;
		return;
	}
	dice = ep_hash_mix(dice + tid, ep_clock_mono_ns());
	t->hit_dice = dice;
	t->hit_user_ns = dice % period_ns; /* so that short lives have their due on average */
	t->hit_kernel_ns = t->hit_rest_ns = 0;
	t->hit_since_ns = ep_tasks_cpu_ns(tid);
	uint64_t step = t->hit_step_ns = ep_hits_next(t);
	atomic_store_explicit(&t->hit_fd, fd, memory_order_release);
	ep_taskclock_go(fd, step);
}

static void remove_event(struct ep_sig_thread *t)
{
	int fd = atomic_exchange(&t->hit_fd, -1);
	if (fd >= 0)
		ep_taskclock_close(fd, atomic_load(&t->tid));
}

static void disarm(struct ep_sig_thread *t)
{
	int id = atomic_exchange(&t->timer, -1);
	if (id >= 0)
		(void)ep_sys6(SYS_timer_delete, id, 0, 0, 0, 0, 0); /* gone or ours */
}

static void leave_locked(struct ep_sig_thread *t)
{
	disarm(t);
	remove_event(t);
	if (atomic_exchange(&t->tid, 0))
		n_joined--;
}

static struct ep_sig_thread *slot_of(uint32_t tid, uint32_t *ret_slot)
{
	for (uint32_t i = 0; i < n_slots; i++) {
		struct ep_sig_thread *t = ep_sig_threads[i];
		if (atomic_load_explicit(&t->tid, memory_order_relaxed) == tid) {
			*ret_slot = i;
			return t;
		}
	}
	return NULL;
}

static struct ep_sig_thread *new_slot(uint32_t *ret_slot)
{
	if (n_slots == EP_SIG_MAX_THREADS)
		return NULL;
	struct ep_sig_thread *t = ep_ringpool_make() ? ep_mem_own_pages(sizeof(*t)) : NULL;
	if (!t)
		return NULL;
	ep_mem_own_populate(t, sizeof(*t));
	t->slot = n_slots;
	atomic_store(&t->timer, -1);
	atomic_store(&t->hit_fd, -1);
	*ret_slot = n_slots;
	atomic_store_explicit(&ep_sig_threads[n_slots], t, memory_order_release);
	n_slots++;
	return t;
}

static struct ep_sig_thread *join_locked(uint32_t tid, uint64_t lo, uint64_t hi)
{
	uint32_t slot;
	struct ep_sig_thread *t = slot_of(tid, &slot);
	if (t) /* of a thread that had this id before and did not say good-bye */
		leave_locked(t);
	else
		t = slot_of(0, &slot);
	if (!t)
		t = new_slot(&slot);
	if (!t) {
		n_refused++;
		return NULL;
	}
	atomic_store_explicit(&t->stack_lo, lo, memory_order_relaxed);
	atomic_store_explicit(&t->stack_hi, hi, memory_order_relaxed);
	t->seen_sp = t->seen_control = 0;
	t->start_routine = 0;
	t->taken_before = t->n_taken + t->n_lost;
	t->cpu_before_ns = 0;
	t->cpu_joined_ns = ep_tasks_cpu_ns(tid);
	atomic_store(&t->tid, tid);
	n_joined++;
	if (!paused && arm(t, slot, tid) < 0) {
		leave_locked(t);
		n_refused++;
		return NULL;
	}
	if (which_clock == EP_THREADS_PERF && !paused)
		add_event(t, tid);
	return t;
}

struct ep_sig_thread *ep_threads_join(uint64_t stack_lo, uint64_t stack_hi,
				      uint64_t start_routine)
{
	struct ep_sig_thread *t = NULL;
	uint32_t tid = (uint32_t)ep_sys6(SYS_gettid, 0, 0, 0, 0, 0, 0);
	pthread_mutex_lock(&lock);
	if (ep_threads_running())
		t = join_locked(tid, stack_lo, stack_hi);
	if (t)
		t->start_routine = start_routine;
	pthread_mutex_unlock(&lock);
	return t;
}

/* ---- the account of the process ---------------------------------------------------- */

/* CPU time of the process without our own thread's. */
static uint64_t cpu_of_others(void)
{
	uint64_t all = ep_clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
	struct timespec own = {0};
	if (own_tid) /* of an earlier start it is gone, and stays 0 */
		(void)clock_gettime((clockid_t)EP_TASKS_CLOCK(own_tid), &own);
	return all - (uint64_t)own.tv_sec * EP_NS_PER_S - (uint64_t)own.tv_nsec;
}

static bool clock_runs(void)
{
	return (ep_threads_running() || counting) && !paused;
}

static void stop_clock_locked(void)
{
	if (clock_runs())
		cpu_used_ns = cpu_of_others() - cpu_from_ns;
}

/*
 * Threads that block SIGPROF, have no slot or no timer, or were not found yet, have
 * CPU time and no samples.  Whoever they are, the process's clock knows.  What is
 * less than its sampling error is none: a period a thread, and 2 %.
 */
static void account(uint64_t seen)
{
	uint64_t cpu = clock_runs() ? cpu_of_others() - cpu_from_ns : cpu_used_ns;
	uint64_t asked = period_ns ? cpu / period_ns : 0;
	uint64_t known = seen + n_unsampled;
	if (asked > known && asked - known > 2 + n_slots + asked / 50)
		n_unsampled = asked - seen;
}

/*
 * A timer is seen at the kernel's tick only, so threads that live for less are
 * seen too rarely.  What a thread used beyond its samples is put on one account;
 * it may be negative; whole periods of it become samples of whoever ends then.
 */
static void settle(struct ep_sig_thread *t)
{
	uint64_t cpu = ep_clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
	uint64_t seen = t->n_taken + t->n_lost - t->taken_before;
	unsettled_ns += (int64_t)(cpu - t->cpu_before_ns) - (int64_t)(seen * period_ns);
	if (unsettled_ns < (int64_t)period_ns)
		return;
	uint64_t weight = (uint64_t)unsettled_ns / period_ns;
	unsettled_ns -= (int64_t)(weight * period_ns);
	/* What was told to be lost stays lost. */
	uint64_t told = n_unsampled - n_unsampled_settled;
	told = told < weight ? told : weight;
	n_unsampled_settled += told;
	if (weight > told)
		ep_cpu_settle(t, (uint32_t)(weight - told));
}

void ep_threads_leave(struct ep_sig_thread *t)
{
	uint32_t tid = (uint32_t)ep_sys6(SYS_gettid, 0, 0, 0, 0, 0, 0);
	pthread_mutex_lock(&lock);
	if (atomic_load(&t->tid) == tid) { /* not given to another one meanwhile */
		disarm(t); /* the handler is silent from here on */
		remove_event(t);
		if (t->start_routine && ep_threads_running() && !paused)
			settle(t);
		leave_locked(t);
	}
	pthread_mutex_unlock(&lock);
}

void ep_threads_exclude_me(void)
{
	uint32_t slot;
	pthread_mutex_lock(&lock);
	own_tid = (uint32_t)ep_sys6(SYS_gettid, 0, 0, 0, 0, 0, 0);
	struct ep_sig_thread *t = slot_of(own_tid, &slot); /* a look may have found us */
	if (t)
		leave_locked(t);
	pthread_mutex_unlock(&lock);
}

void ep_threads_set_main_stack(uint64_t hi)
{
	struct rlimit r;
	uint64_t size = MAX_MAIN_STACK;
	if (getrlimit(RLIMIT_STACK, &r) == 0 && r.rlim_cur < size)
		size = r.rlim_cur;
	pthread_mutex_lock(&lock);
	main_stack_hi = hi;
	main_stack_lo = hi > size ? hi - size : 0;
	pthread_mutex_unlock(&lock);
}

void ep_threads_my_stack(uint64_t *ret_lo, uint64_t *ret_hi)
{
	*ret_lo = ep_sig_stack_lo;
	*ret_hi = ep_sig_stack_hi;
}

void ep_threads_know_main_stack(void)
{
	if (ep_sys6(SYS_gettid, 0, 0, 0, 0, 0, 0) != ep_sys6(SYS_getpid, 0, 0, 0, 0, 0, 0))
		return;
	pthread_mutex_lock(&lock);
	ep_sig_stack_lo = main_stack_lo;
	ep_sig_stack_hi = main_stack_hi;
	pthread_mutex_unlock(&lock);
}

void ep_threads_set_stacks_in(uint64_t start, uint64_t limit)
{
	for (uint32_t i = 0; i < n_slots; i++) {
		struct ep_sig_thread *t = ep_sig_threads[i];
		uint64_t sp = t->seen_sp, control = t->seen_control;
		if (t->stack_hi || sp < start || sp >= limit || control < start ||
		    control >= limit)
			continue;
		t->stack_lo = start; /* first, so that no half is ever wrong */
		t->stack_hi = control;
	}
}

/* ---- finding threads ------------------------------------------------------------ */

static void meet(uint32_t tid, void *arg)
{
	uint64_t *seen = arg;
	uint32_t slot;
	bool is_main = tid == (uint32_t)getpid();
	if (tid == own_tid)
		return;
	if (!slot_of(tid, &slot) &&
	    !join_locked(tid, is_main ? main_stack_lo : 0, is_main ? main_stack_hi : 0))
		return;
	if (slot_of(tid, &slot))
		seen[slot / 64] |= 1ull << slot % 64;
}

static bool list_tasks(uint64_t *seen)
{
	return ep_tasks_each(meet, seen) == 0;
}

static void look_locked(void)
{
	uint64_t seen[EP_SIG_MAX_THREADS / 64] = {0};
	if (!list_tasks(seen))
		return;
	for (uint32_t i = 0; i < n_slots; i++) {
		struct ep_sig_thread *t = ep_sig_threads[i];
		if (atomic_load(&t->tid) && !(seen[i / 64] >> i % 64 & 1))
			leave_locked(t);
	}
}

/* ---- threads that work in step with the tick ---------------------------------------- */

static uint64_t n_seen(const struct ep_sig_thread *t)
{
	return atomic_load_explicit(&t->n_taken, memory_order_relaxed) +
	       atomic_load_explicit(&t->n_lost, memory_order_relaxed);
}

/* Its timer misses a quarter of its CPU time, and four periods, since the last look. */
static bool is_missed(struct ep_sig_thread *t, uint32_t tid)
{
	uint64_t cpu = ep_tasks_cpu_ns(tid) - t->cpu_joined_ns;
	uint64_t seen = (n_seen(t) - t->taken_before) * period_ns;
	return cpu > seen + MISSED * period_ns && cpu - seen > cpu / 4;
}

/* One that holds SIGPROF back would not be sampled by an event either; and an event costs
 * over a microsecond each time the thread goes to wait. */
static bool gains_by_event(uint32_t tid)
{
	uint64_t blocked, n_waits;
	return ep_tasks_status(tid, &blocked, &n_waits) && !(blocked >> (SIGPROF - 1) & 1) &&
	       ep_tasks_cpu_ns(tid) >= n_waits * MIN_BURST_NS;
}

static void find_missed(void)
{
	for (uint32_t i = 0; i < n_slots; i++) {
		struct ep_sig_thread *t = ep_sig_threads[i];
		uint32_t tid = atomic_load(&t->tid);
		if (tid && atomic_load(&t->hit_fd) < 0 && is_missed(t, tid) &&
		    gains_by_event(tid))
			add_event(t, tid);
	}
}

/* Is CPU time of the process missing in the samples?  Most of the time it is not, and the
 * threads need not be looked at one by one. */
static void watch_locked(uint64_t now)
{
	uint64_t every = n_joined > MANY ? 10 * EP_NS_PER_S : EP_NS_PER_S, seen = 0;
	if (which_clock != EP_THREADS_AUTO || paused || clock_refused || now - last_watch_ns < every)
		return;
	last_watch_ns = now;
	for (uint32_t i = 0; i < n_slots; i++)
		seen += n_seen(ep_sig_threads[i]);
	int64_t missing = (int64_t)((cpu_of_others() - cpu_from_ns) / period_ns - seen);
	if (missing - watched < MISSED) {
		watched = missing < watched ? missing : watched;
		return;
	}
	watched = missing;
	find_missed();
}

void ep_threads_look(bool thorough)
{
	struct stat st;
	if (!ep_threads_running())
		return;
	/* A process's task folder has two links and one for each thread. */
	if (stat("/proc/self/task", &st) < 0)
		return;
	pthread_mutex_lock(&lock);
	uint64_t now = ep_clock_mono_ns();
	bool differs = st.st_nlink != 2 + (nlink_t)n_joined + (own_tid != 0);
	/* Threads that can't join would make us look at every wake-up. */
	if (thorough || (differs && now - last_look_ns > EP_NS_PER_S)) {
		last_look_ns = now;
		look_locked();
	}
	watch_locked(now);
	pthread_mutex_unlock(&lock);
}

/* ---- on and off ------------------------------------------------------------------ */

int ep_threads_start(uint64_t period, uint64_t lo, uint64_t hi)
{
	uint32_t tid = (uint32_t)ep_sys6(SYS_gettid, 0, 0, 0, 0, 0, 0);
	pthread_mutex_lock(&lock);
	stop_clock_locked();
	counting = false;
	period_ns = ep_sig_period_ns = period;
	cpu_from_ns = cpu_of_others() - cpu_used_ns; /* goes on after a stop */
	atomic_store_explicit(&running, true, memory_order_release);
	if (!hi && tid == (uint32_t)getpid()) {
		lo = main_stack_lo;
		hi = main_stack_hi;
	}
	bool ok = join_locked(tid, lo, hi) != NULL;
	uint64_t seen[EP_SIG_MAX_THREADS / 64] = {0};
	if (ok)
		(void)list_tasks(seen); /* without /proc the calling thread has to do */
	else
		atomic_store(&running, false);
	pthread_mutex_unlock(&lock);
	return ok ? 0 : -EAGAIN;
}

static void silence_locked(void)
{
	atomic_store(&running, false);
	for (uint32_t i = 0; i < n_slots; i++)
		leave_locked(ep_sig_threads[i]);
}

void ep_threads_stop(void)
{
	pthread_mutex_lock(&lock);
	stop_clock_locked();
	counting = false;
	silence_locked();
	pthread_mutex_unlock(&lock);
}

void ep_threads_count(uint64_t period)
{
	pthread_mutex_lock(&lock);
	if (!clock_runs())
		cpu_from_ns = cpu_of_others() - cpu_used_ns;
	counting = gave_up = true;
	period_ns = ep_sig_period_ns = period;
	silence_locked();
	pthread_mutex_unlock(&lock);
}

bool ep_threads_counting(void)
{
	pthread_mutex_lock(&lock);
	bool yes = counting;
	pthread_mutex_unlock(&lock);
	return yes;
}

void ep_threads_give_up(void)
{
	if (ep_threads_running())
		ep_threads_count(ep_sig_period_ns);
}

static uint64_t had_event[EP_SIG_MAX_THREADS / 64]; /* by slot, while paused */

static void pause_one(struct ep_sig_thread *t, uint32_t slot)
{
	uint64_t bit = 1ull << slot % 64;
	disarm(t);
	if (atomic_load(&t->hit_fd) < 0)
		return;
	had_event[slot / 64] |= bit;
	remove_event(t);
}

void ep_threads_pause(void)
{
	pthread_mutex_lock(&lock);
	stop_clock_locked();
	paused = true;
	for (uint32_t i = 0; i < n_slots; i++)
		pause_one(ep_sig_threads[i], i);
	pthread_mutex_unlock(&lock);
}

/* What it used and gave so far is not of the time that begins now. */
static void resume_one(struct ep_sig_thread *t, uint32_t slot)
{
	uint32_t tid = atomic_load(&t->tid);
	uint64_t bit = 1ull << slot % 64;
	bool wants_event = which_clock == EP_THREADS_PERF || had_event[slot / 64] & bit;
	had_event[slot / 64] &= ~bit;
	if (!tid || atomic_load(&t->timer) >= 0)
		return;
	t->taken_before = t->n_taken + t->n_lost;
	t->cpu_joined_ns = t->cpu_before_ns = ep_tasks_cpu_ns(tid);
	if (arm(t, slot, tid) < 0)
		n_refused++;
	else if (wants_event)
		add_event(t, tid);
}

void ep_threads_resume(void)
{
	pthread_mutex_lock(&lock);
	if (paused)
		cpu_from_ns = cpu_of_others() - cpu_used_ns;
	paused = false;
	for (uint32_t i = 0; i < n_slots; i++)
		resume_one(ep_sig_threads[i], i);
	pthread_mutex_unlock(&lock);
}

void ep_threads_totals(struct ep_threads_totals *ret)
{
	struct ep_threads_totals sum = {0};
	pthread_mutex_lock(&lock);
	for (uint32_t i = 0; i < n_slots; i++) {
		struct ep_sig_thread *t = ep_sig_threads[i];
		sum.taken += atomic_load_explicit(&t->n_taken, memory_order_relaxed);
		sum.lost += atomic_load_explicit(&t->n_lost, memory_order_relaxed);
		sum.truncated += atomic_load_explicit(&t->n_truncated, memory_order_relaxed);
	}
	account(sum.taken + sum.lost);
	sum.refused = n_refused;
	sum.clock_refused = clock_refused;
	sum.unsampled = n_unsampled;
	sum.gave_up = gave_up;
	pthread_mutex_unlock(&lock);
	*ret = sum;
}

uint32_t ep_threads_n_slots(void)
{
	pthread_mutex_lock(&lock);
	uint32_t n = n_slots;
	pthread_mutex_unlock(&lock);
	return n;
}

void ep_threads_lock(void)
{
	pthread_mutex_lock(&lock);
}

void ep_threads_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void ep_threads_child(void)
{
	/* POSIX timers are not inherited, so there is nothing to delete. */
	for (uint32_t i = 0; i < n_slots; i++) {
		struct ep_sig_thread *t = ep_sig_threads[i];
		atomic_store(&t->timer, -1);
		remove_event(t); /* the parent has it still */
		atomic_store(&t->tid, 0);
		atomic_store(&t->hazard, NULL);
		atomic_store(&t->n_taken, 0);
		atomic_store(&t->n_lost, 0);
		atomic_store(&t->n_truncated, 0);
	}
	ep_ringpool_child();
	n_joined = 0;
	n_refused = 0;
	unsettled_ns = 0;
	watched = 0;
	ep_taskclock_child();
	cpu_used_ns = n_unsampled = n_unsampled_settled = 0;
	own_tid = 0;
	paused = counting = gave_up = false;
	atomic_store(&running, false);
	pthread_mutex_unlock(&lock);
}
