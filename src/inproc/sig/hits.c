/* hits.c - see hits.h. */
#include "inproc/sig/hits.h"

#include "safe/sys.h"
#include "unwind/regs.h"

#include <linux/perf_event.h>
#include <time.h>

enum {
	POLL_INPUT = 1, /* si_code of a strike; <signal.h> has POLL_IN with other things */
	ANYWHERE = 16, /* periods in the kernel that are charged to the timer's place */
	AT_ONCE = 32, /* and to any */
};

uint64_t ep_sig_period_ns;

static uint64_t cpu_ns(void)
{
	struct timespec t = {0};
	(void)ep_sys6(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, (long)&t, 0, 0, 0, 0);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct ep_sig_thread *ep_hits_thread(const siginfo_t *info)
{
	static __thread struct ep_sig_thread *mine __attribute__((tls_model("initial-exec")));
	int fd = info->si_fd;
	if (info->si_code != POLL_INPUT || fd <= 0)
		return NULL;
	uint32_t tid = (uint32_t)ep_sys6(SYS_gettid, 0, 0, 0, 0, 0, 0);
	struct ep_sig_thread *t = mine;
	for (uint32_t i = 0; i <= EP_SIG_MAX_THREADS; i++) {
		/* A late signal's descriptor may be another thread's by now. */
		if (t && atomic_load_explicit(&t->hit_fd, memory_order_acquire) == fd &&
		    atomic_load_explicit(&t->tid, memory_order_relaxed) == tid)
			return mine = t;
		if (i == EP_SIG_MAX_THREADS)
			break;
		t = atomic_load_explicit(&ep_sig_threads[i], memory_order_acquire);
		if (!t)
			break;
	}
	return NULL;
}

/* A half to one and a half periods, so that no loop is in step with it. */
uint64_t ep_hits_next(struct ep_sig_thread *t)
{
	t->hit_dice = t->hit_dice * 6364136223846793005u + 1442695040888963407u;
	return ep_sig_period_ns / 2 + (t->hit_dice >> 33) % (ep_sig_period_ns + 1);
}

/* Whole periods of an account. */
static uint32_t take_from(uint64_t *account)
{
	uint64_t n = *account / ep_sig_period_ns;
	*account -= n * ep_sig_period_ns;
	return (uint32_t)n;
}

/* The next step begins; false: the program has closed the event. */
static bool step_on(struct ep_sig_thread *t, uint64_t now)
{
	t->hit_since_ns = now;
	t->hit_step_ns = ep_hits_next(t);
	return ep_sys6(SYS_ioctl, atomic_load_explicit(&t->hit_fd, memory_order_relaxed),
		       PERF_EVENT_IOC_PERIOD, (long)&t->hit_step_ns, 0, 0, 0) == 0;
}

uint32_t ep_hits_of_event(struct ep_sig_thread *t)
{
	uint64_t now = cpu_ns(), used = now - t->hit_since_ns, step = t->hit_step_ns;
	uint64_t kernel = 0;
	if (used > step + step / 2) { /* strikes before this one were in the kernel */
		kernel = ((used + step / 2) / step - 1) * step;
		used -= kernel;
	}
	*(kernel ? &kernel : &used) += t->hit_rest_ns;
	t->hit_rest_ns = 0;
	t->hit_kernel_ns += kernel;
	t->hit_user_ns += used;
	(void)step_on(t, now); /* it has struck, so it is there */
	uint32_t n = take_from(&t->hit_user_ns);
	if (t->hit_kernel_ns >= AT_ONCE * ep_sig_period_ns)
		n += take_from(&t->hit_kernel_ns);
	return n;
}

/* Does the program come out of a system call?  Its code may not be readable. */
static bool is_after_call(struct ep_sig_thread *t, uint64_t ip)
{
	uint64_t word;
	ep_guarded_forget(&t->guarded);
	return ep_guarded_read(&t->guarded, ip - EP_REGS_CALL_BYTES, &word) &&
	       (word & EP_REGS_CALL_MASK) == EP_REGS_CALL;
}

static void set_timer(struct ep_sig_thread *t, uint64_t ns)
{
	struct itimerspec when = {.it_value = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)}};
	when.it_interval = when.it_value;
	(void)ep_sys6(SYS_timer_settime, atomic_load_explicit(&t->timer, memory_order_relaxed), 0,
		      (long)&when, 0, 0, 0); /* else it goes on as it was */
}

/* The event is gone: the timer is alone again, and has all that is in no sample yet. */
static uint32_t give_up(struct ep_sig_thread *t)
{
	atomic_store_explicit(&t->hit_fd, -1, memory_order_relaxed);
	set_timer(t, ep_sig_period_ns);
	t->hit_kernel_ns += t->hit_user_ns + t->hit_rest_ns;
	return take_from(&t->hit_kernel_ns);
}

uint32_t ep_hits_of_timer(struct ep_sig_thread *t, uint64_t ip)
{
	uint64_t now = cpu_ns(), used = now - t->hit_since_ns, step = t->hit_step_ns;
	/* It struck in the kernel.  A new step, as this one may be in step with the program;
	 * what is left of it goes where the next strike is. */
	if (used >= step) {
		t->hit_kernel_ns += used / step * step + t->hit_rest_ns;
		t->hit_rest_ns = used % step;
		if (!step_on(t, now))
			return give_up(t);
	}
	set_timer(t, ep_hits_next(t)); /* it need not add up, and not be in step either */
	if (t->hit_kernel_ns < ep_sig_period_ns)
		return 0;
	if (t->hit_kernel_ns < ANYWHERE * ep_sig_period_ns &&
	    !is_after_call(t, ip))
		return 0;
	return take_from(&t->hit_kernel_ns);
}
