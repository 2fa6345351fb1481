/* start.c - see start.h. */
#include "inproc/start.h"

#include "base/clock.h"
#include "everprof.h"
#include "inproc/code.h"
#include "inproc/capture.h"
#include "inproc/config.h"
#include "inproc/custom.h"
#include "inproc/debughttp.h"
#include "inproc/drain.h"
#include "inproc/hooks.h"
#include "inproc/kind_scopes.h"
#include "inproc/labels.h"
#include "inproc/mem_own.h"
#include "inproc/sig/ask.h"
#include "inproc/sig/contend.h"
#include "inproc/sig/desk.h"
#include "inproc/spawn.h"
#include "inproc/threads.h"
#include "inproc/tokens.h"
#include "push/https.h"
#include "safe/sys.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

/* The wait for a last push; with EVERPROF_OUT naming may take longer. */
#define STOP_NS (5 * EP_NS_PER_S)
#define STOP_WITH_OUT_NS (30 * EP_NS_PER_S)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct ep_config config;
static _Atomic bool running;
static _Atomic pid_t owner; /* the process that runs it: not a child of vfork */
static _Atomic bool ended;
static bool forks_watched;
static bool only_engine; /* started by a request, not by everprof_start() */
static bool refused; /* SIGPROF is the program's */
static sigset_t mask_before_fork; /* under the locks of a fork */

static pid_t pid_now(void)
{
	return (pid_t)ep_sys6(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static bool runs_here(void)
{
	return atomic_load(&running) && atomic_load(&owner) == pid_now();
}

static void tell_limit(const char *key)
{
	ep_config_say("label \"%s\" has more than %d values, or there are more than %d sets: "
		      "those that are rare are __other__ from now on; ids of requests don't belong "
		      "into labels",
		      key, EP_LABELS_MAX_VALUES, EP_LABELS_MAX_SETS);
}

/* ---- fork ------------------------------------------------------------------------------- */

/*
 * SIGPROF is held back during a fork: copying a big address space takes longer
 * than a timer's period, and a pending signal makes the kernel start over.
 */
static void before_fork(void)
{
	sigset_t prof, before;
	sigemptyset(&prof);
	sigaddset(&prof, SIGPROF);
	pthread_sigmask(SIG_BLOCK, &prof, &before);
	pthread_mutex_lock(&lock);
	ep_https_before_fork(); /* before the drain's, which its waits take */
	ep_drain_lock();
	ep_threads_lock();
	ep_labels_lock();
	ep_custom_lock();
	ep_mem_own_lock();
	mask_before_fork = before;
}

static void after_fork_in_parent(void)
{
	sigset_t before = mask_before_fork;
	ep_mem_own_unlock();
	ep_custom_unlock();
	ep_labels_unlock();
	ep_threads_unlock();
	ep_drain_unlock();
	ep_https_after_fork(false);
	pthread_mutex_unlock(&lock);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Without SIGPROF all but samples of CPU time: it is counted, and lost. */
static int go(uint64_t stack_lo, uint64_t stack_hi)
{
	refused = (config.cpu || config.wall) && ep_hooks_take_sigprof() < 0;
	config.wall &= !refused; /* who runs is known by samples */
	EP_TRY(ep_drain_start(&config));
	ep_threads_know_main_stack();
	if (refused && config.cpu)
		ep_threads_count(ep_config_period_ns(&config));
	if (refused || (!config.cpu && !config.wall))
		return 0;
	int rc = ep_threads_start(ep_config_period_ns(&config), stack_lo, stack_hi);
	if (rc < 0)
		(void)ep_drain_stop(STOP_NS);
	return rc;
}

static void after_fork_in_child(void)
{
	sigset_t before = mask_before_fork;
	struct ep_sig_thread *me = ep_hooks_my_thread();
	uint64_t lo = me ? me->stack_lo : 0, hi = me ? me->stack_hi : 0;
	bool was_running = atomic_load(&running);
	ep_mem_own_unlock();
	ep_custom_unlock();
	ep_labels_unlock();
	ep_https_after_fork(true);
	ep_threads_child();
	ep_code_child();
	ep_ask_child();
	ep_spawn_child();
	ep_desk_child();
	ep_contend_child();
	ep_kind_scopes_child();
	ep_drain_child();
	atomic_store(&running, false);
	ep_capture_child();
	ep_debughttp_child();
	if (was_running && !atomic_load(&ended)) {
		config.is_later_process = true;
		atomic_store(&owner, pid_now());
		atomic_store(&running, go(lo, hi) == 0);
	}
	pthread_mutex_unlock(&lock);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- start and stop ----------------------------------------------------------------------- */

static void watch_forks(void)
{
	if (!forks_watched)
		forks_watched =
			pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0;
}

static int run(void)
{
	ep_labels_on_limit(tell_limit);
	watch_forks();
	atomic_store(&owner, pid_now());
	atomic_store(&ended, false);
	int rc = go(ep_sig_stack_lo, ep_sig_stack_hi);
	atomic_store(&running, rc == 0);
	if (rc == 0 && refused)
		ep_config_say("the program has a SIGPROF handler of its own; no CPU profile");
	if (rc < 0)
		ep_config_say("profiling could not start: %s", strerror(-rc));
	return rc;
}

/* Started with nobody to tell.  What is asked for later is done as was said then. */
static bool sleeps;

static int start(const everprof_config *user, size_t size, bool on_demand)
{
	if (!on_demand || !sleeps)
		EP_TRY(ep_config_read(user, size, &config));
	sleeps = false;
	bool tells = *config.server || *config.out;
	if (config.heap && ep_hooks_see_malloc && !ep_hooks_see_malloc()) {
		config.heap = false;
		ep_config_say("malloc is not the one we stand in front of (a static program, "
			      "or one with its own); no heap profile");
	}
	ep_hooks_inherit_labels(config.inherit);
	config.cpu &= tells; /* on demand it is sampled then */
	config.wall &= tells;
	if (*config.http_token_file)
		EP_TRY(ep_tokens_open(config.http_token_file));
	sleeps = !on_demand && !tells && !*config.http && !everprof_http_address();
	if (sleeps)
		return 0;
	EP_TRY(run());
	bool listens = *config.http && strcmp(config.http, "mounted") != 0;
	if (*config.http && !listens)
		ep_debughttp_limit_mounted(&config);
	if (listens)
		EP_TRY(ep_debughttp_start_configured(&config));
	return refused && !on_demand ? -EBUSY : 0; /* a capture says so itself */
}

static int start_once(const everprof_config *user, size_t size, bool on_demand)
{
	int saved = errno, rc = 0;
	pthread_mutex_lock(&lock);
	if (runs_here() && only_engine && !on_demand) {
		(void)ep_drain_stop(STOP_NS); /* what was started for one request */
		atomic_store(&running, false);
	}
	if (!runs_here()) {
		rc = start(user, size, on_demand);
		only_engine = on_demand;
	}
	pthread_mutex_unlock(&lock);
	errno = saved;
	return rc;
}

EXPORTED int everprof_start_sized(const everprof_config *user, size_t size)
{
	return start_once(user, size, false);
}

int ep_start_engine(void)
{
	return start_once(NULL, 0, true);
}

static int stop(void)
{
	if (!runs_here() || atomic_exchange(&ended, true))
		return 0;
	int rc = ep_drain_stop(*config.out ? STOP_WITH_OUT_NS : STOP_NS);
	atomic_store(&running, false);
	return rc == -EIO ? -EIO : 0;
}

EXPORTED int everprof_stop(void)
{
	int saved = errno, rc = stop();
	errno = saved;
	return rc;
}

EXPORTED const char *everprof_version(void)
{
	return EP_VERSION;
}

void ep_start_finish(void)
{
	(void)stop();
}

void ep_start_look_at_code(void)
{
	if (!runs_here())
		return;
	int saved = errno;
	ep_drain_lock();
	(void)ep_code_refresh(false);
	ep_drain_unlock();
	errno = saved;
}

void ep_start_know_code(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int saved = errno;
	pthread_once(&once, ep_drain_know_code);
	if (!ep_sig_stack_hi)
		ep_threads_know_main_stack();
	errno = saved;
}

/* Preloaded by `everprof run` or by hand: nobody will call everprof_start(). */
__attribute__((constructor)) static void start_if_preloaded(void)
{
	const char *preload = secure_getenv("LD_PRELOAD");
	(void)at_quick_exit(ep_start_finish);
	if (preload && strstr(preload, "libeverprof"))
		(void)everprof_start(NULL); /* it said why not */
}

__attribute__((destructor)) static void stop_at_exit(void)
{
	(void)stop();
}
