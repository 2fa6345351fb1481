/* hooks.c - see hooks.h. */
#include "inproc/hooks.h"

#include "base/mem.h"
#include "everprof.h"
#include "inproc/kind_create.h"
#include "inproc/labels.h"
#include "inproc/registry.h"
#include "inproc/real.h"
#include "inproc/sig/cpu.h"
#include "inproc/sig/state.h"
#include "inproc/start.h"
#include "inproc/threads.h"
#include "safe/sys.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>

#define EXPORTED __attribute__((visibility("default")))

typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
typedef int sigaction_fn(int, const struct sigaction *, struct sigaction *);

/* ---- threads ------------------------------------------------------------------------- */

struct birth {
	void *(*start)(void *);
	void *arg;
	const everprof_labels *labels;
	size_t stack_bytes;
	const void *by; /* who made it returns there */
};

static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static bool have_key;

static _Atomic bool inherits;

void ep_hooks_inherit_labels(bool yes)
{
	atomic_store(&inherits, yes);
}

static void on_thread_exit(void *t)
{
	ep_threads_leave(t);
}

static void make_key(void)
{
	have_key = pthread_key_create(&key, on_thread_exit) == 0;
}

void ep_hooks_release_at_exit(struct ep_sig_thread *t)
{
	pthread_once(&key_once, make_key);
	if (have_key)
		(void)pthread_setspecific(key, t); /* else a look finds it gone */
}

struct ep_sig_thread *ep_hooks_my_thread(void)
{
	pthread_once(&key_once, make_key);
	return have_key ? pthread_getspecific(key) : NULL;
}

int ep_hooks_real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
				 void *(*start)(void *), void *arg)
{
	static void *_Atomic cache;
	create_fn *f = (create_fn *)ep_real("pthread_create", &cache);
	return f ? f(thread, attr, start, arg) : EAGAIN;
}

/*
 * The stack lies below the thread's control block, which pthread_self() points
 * to, in one piece: true of glibc and musl, and checked by the distance.
 */
static void know_stack(size_t stack_bytes)
{
	uint64_t hi = (uint64_t)pthread_self(), here = (uint64_t)__builtin_frame_address(0);
	if (hi <= here || hi - here >= (64 << 10) || stack_bytes <= (32 << 10))
		return;
	ep_sig_stack_lo = hi - stack_bytes + stack_bytes / 4;
	ep_sig_stack_hi = hi;
}

static void *thread_main(void *arg)
{
	struct birth b = *(struct birth *)arg;
	ep_free(arg);
	if (b.labels)
		ep_labels_bring(b.labels);
	know_stack(b.stack_bytes);
	struct ep_sig_thread *t =
		ep_threads_join(ep_sig_stack_lo, ep_sig_stack_hi, (uint64_t)b.start);
	if (t)
		ep_hooks_release_at_exit(t);
	return b.start(b.arg);
}

static int create(pthread_t *thread, const pthread_attr_t *attr, struct birth birth)
{
	pthread_attr_t standard;
	struct birth *b = ep_alloc(sizeof(*b));
	if (!b)
		return ep_hooks_real_pthread_create(thread, attr, birth.start, birth.arg);
	if (attr) {
		(void)pthread_attr_getstacksize(attr, &birth.stack_bytes);
	} else if (pthread_attr_init(&standard) == 0) {
		(void)pthread_attr_getstacksize(&standard, &birth.stack_bytes);
		pthread_attr_destroy(&standard);
	}
	*b = birth;
	int rc = ep_hooks_real_pthread_create(thread, attr, thread_main, b);
	if (rc)
		ep_free(b);
	else
		ep_kind_create_note(birth.by);
	return rc;
}

EXPORTED int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attr,
			    void *(*start)(void *), void *restrict arg)
{
	if (!ep_threads_running() && !ep_registry_at(0) && !atomic_load(&inherits)) /* nobody takes stacks */
		return ep_hooks_real_pthread_create(thread, attr, start, arg);
	return create(thread, attr,
		      (struct birth){.start = start,
				     .arg = arg,
				     .by = __builtin_return_address(0),
				     .labels = atomic_load(&inherits) ? everprof_labels_current()
								      : NULL});
}

EXPORTED int everprof_thread_create(pthread_t *thread, const pthread_attr_t *attr,
				    void *(*start)(void *), void *arg)
{
	return create(thread, attr,
		      (struct birth){.start = start,
				     .arg = arg,
				     .by = __builtin_return_address(0),
				     .labels = everprof_labels_current()});
}

/* ---- SIGPROF ---------------------------------------------------------------------------- */

static _Atomic bool taken;  /* our handler is in place */
static _Atomic bool was_given; /* the program has set its own; to be said */
static _Atomic bool taking; /* the call below is our own */
static struct sigaction shown; /* what the program believes */

static int real_sigaction(int signo, const struct sigaction *act, struct sigaction *old)
{
	static void *_Atomic cache;
	sigaction_fn *f = (sigaction_fn *)ep_real("sigaction", &cache);
	if (f)
		return f(signo, act, old);
	errno = ENOSYS;
	return -1;
}

static bool is_handler(const struct sigaction *a)
{
	return (a->sa_flags & SA_SIGINFO) ||
	       (a->sa_handler != SIG_DFL && a->sa_handler != SIG_IGN);
}

static bool is_ours(const struct sigaction *a)
{
	return (a->sa_flags & SA_SIGINFO) && a->sa_sigaction == ep_cpu_handler;
}

/*
 * A handler on an alternate stack is not interrupted by SIGPROF: the kernel's frame is
 * 3.5 KB with AVX-512, and where a second one does not fit it kills the program.  The
 * program is shown the mask it set.
 */
static int set_other(int signo, const struct sigaction *act, struct sigaction *old)
{
	static _Atomic bool added[_NSIG];
	struct sigaction a;
	bool adds = false, added_before;
	if (act) {
		a = *act;
		adds = is_handler(act) && (act->sa_flags & SA_ONSTACK) &&
		       !sigismember(&act->sa_mask, SIGPROF);
		if (adds)
			sigaddset(&a.sa_mask, SIGPROF);
	}
	int rc = real_sigaction(signo, act ? &a : NULL, old);
	if (rc < 0)
		return rc;
	added_before = act ? atomic_exchange(&added[signo], adds) : atomic_load(&added[signo]);
	if (old && added_before)
		sigdelset(&old->sa_mask, SIGPROF);
	return 0;
}

/*
 * While we have SIGPROF, a program that sets it to default or ignored is told that
 * it did; one that sets a handler gets it, and our timers go.
 */
EXPORTED int sigaction(int signo, const struct sigaction *restrict act,
		       struct sigaction *restrict old)
{
	if (signo != SIGPROF)
		return set_other(signo, act, old);
	if (!atomic_load(&taken) || atomic_load(&taking))
		return real_sigaction(signo, act, old);
	struct sigaction before = shown;
	if (act && is_handler(act)) {
		ep_threads_give_up();
		atomic_store(&taken, false);
		atomic_store(&was_given, true);
		int rc = real_sigaction(signo, act, NULL);
		if (rc < 0)
			return rc;
	} else if (act) {
		shown = *act;
	}
	if (old)
		*old = before;
	return 0;
}

EXPORTED sighandler_t signal(int signo, sighandler_t handler)
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;
	if (handler == SIG_ERR) {
		errno = EINVAL;
		return SIG_ERR;
	}
	sigemptyset(&act.sa_mask);
	sigaddset(&act.sa_mask, signo); /* as glibc's signal() does */
	return sigaction(signo, &act, &old) < 0 ? SIG_ERR : old.sa_handler;
}

int ep_hooks_take_sigprof(void)
{
	struct sigaction act = {.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK}, old;
	if (real_sigaction(SIGPROF, NULL, &old) < 0)
		return -EBUSY;
	if (is_ours(&old)) /* a child of fork, or a second start */
		return 0;
	if (is_handler(&old))
		return -EBUSY;
	shown = old;
	act.sa_sigaction = ep_cpu_handler;
	sigfillset(&act.sa_mask); /* it is short, and nothing should nest in it */
	atomic_store(&taking, true);
	/* By name, not by pointer: an interposer before us shall see it. */
	int rc = sigaction(SIGPROF, &act, NULL);
	atomic_store(&taking, false);
	if (rc < 0)
		return -EBUSY;
	atomic_store(&taken, true);
	return 0;
}

bool ep_hooks_gave_sigprof(void)
{
	return atomic_exchange(&was_given, false);
}

bool ep_hooks_own_sigprof(void)
{
	struct sigaction now;
	if (!atomic_load(&taken))
		return false;
	/* Anything that takes siginfo may be a wrapper around ours. */
	return real_sigaction(SIGPROF, NULL, &now) < 0 || (now.sa_flags & SA_SIGINFO);
}

/* ---- libraries and the end ------------------------------------------------------------------ */

EXPORTED int dlclose(void *handle)
{
	static void *_Atomic cache;
	int (*f)(void *) = (int (*)(void *))ep_real("dlclose", &cache);
	if (!f)
		return -1;
	ep_start_look_at_code();
	int rc = f(handle);
	ep_start_look_at_code();
	return rc;
}

static _Noreturn void leave(int code)
{
	ep_start_finish();
	for (;;)
		(void)ep_sys6(SYS_exit_group, code, 0, 0, 0, 0, 0);
}

EXPORTED void _exit(int code)
{
	leave(code);
}

EXPORTED void _Exit(int code)
{
	leave(code);
}
