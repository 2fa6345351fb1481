/* capture.c - see capture.h. */
#include "inproc/capture.h"

#include "everprof.h"
#include "inproc/drain.h"
#include "inproc/hooks.h"
#include "inproc/snapshot.h"
#include "inproc/start.h"
#include "inproc/threads.h"
#include "inproc/window.h"

#include <errno.h>
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of begin and end */
static uint32_t n_running;
static bool running[EP_CAPTURES];
static bool off_duty; /* the continuous profiler has a break */
static int api_fd = -1;

/* Sampling is on already, or is turned on for us. */
static int sample(void)
{
	uint64_t lo, hi;
	if (ep_threads_running() && off_duty && !n_running)
		ep_threads_resume();
	if (n_running || ep_threads_running())
		return 0;
	ep_drain_lock(); /* the profile of threads takes it under this lock */
	int rc = ep_hooks_take_sigprof();
	ep_drain_unlock();
	EP_TRY(rc);
	ep_threads_my_stack(&lo, &hi);
	return ep_threads_start(ep_drain_period_ns(), lo, hi);
}

/* Nobody captures any more. */
static void rest(void)
{
	if (!ep_drain_wants_cpu())
		ep_threads_stop();
	else if (off_duty)
		ep_threads_pause();
}

void ep_capture_duty(bool on)
{
	pthread_mutex_lock(&lock);
	off_duty = !on;
	if (on)
		ep_threads_resume();
	else if (!n_running)
		ep_threads_pause();
	pthread_mutex_unlock(&lock);
}

static int begin(enum ep_capture c)
{
	if (running[c])
		return -EBUSY;
	ep_start_know_code();
	EP_TRY(sample());
	ep_drain_lock();
	ep_window_fill(); /* what was before is not ours */
	int rc = ep_window_copy_begin(c, ep_drain_period_ns());
	ep_drain_unlock();
	if (rc < 0) {
		if (!n_running)
			rest();
		return rc;
	}
	running[c] = true;
	n_running++;
	return 0;
}

int ep_capture_begin(enum ep_capture c)
{
	pthread_mutex_lock(&lock);
	int rc = begin(c);
	pthread_mutex_unlock(&lock);
	return rc;
}

int ep_capture_end(enum ep_capture c, struct ep_batch *ret_b)
{
	pthread_mutex_lock(&lock);
	if (!running[c]) {
		pthread_mutex_unlock(&lock);
		return -EINVAL;
	}
	running[c] = false;
	if (--n_running == 0)
		rest(); /* first, so that its last samples are in the rings */
	ep_drain_lock();
	(void)ep_code_refresh(true); /* out of memory: the old map does */
	ep_window_fill();
	int rc = ep_window_copy_end(c, ret_b);
	ep_drain_unlock();
	pthread_mutex_unlock(&lock);
	return rc;
}

void ep_capture_child(void)
{
	pthread_mutex_init(&lock, NULL);
	n_running = 0;
	off_duty = false;
	for (int i = 0; i < EP_CAPTURES; i++)
		running[i] = false;
}

/* ---- the API --------------------------------------------------------------------------- */

__attribute__((visibility("default"))) int everprof_cpu_start(int fd)
{
	int saved = errno, rc = ep_start_engine();
	if (rc == 0)
		rc = ep_capture_begin(EP_CAPTURE_API);
	if (rc == 0)
		api_fd = fd;
	errno = saved;
	return rc;
}

__attribute__((visibility("default"))) int everprof_cpu_stop(void)
{
	struct ep_batch b;
	int saved = errno, fd = api_fd;
	int rc = ep_capture_end(EP_CAPTURE_API, &b);
	if (rc == 0) {
		rc = ep_snapshot_to_fd(&b, fd);
		ep_batch_fini(&b);
	}
	errno = saved;
	return rc;
}
