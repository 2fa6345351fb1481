/* taskclock.c - see taskclock.h. */
#include "inproc/taskclock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIRST_FD 1024 /* select() can't have these anyway */
#define NEVER_NS (1ull << 60)

static _Atomic unsigned n_open;

static int move_far_up(int low)
{
	struct rlimit r = {.rlim_cur = FIRST_FD};
	(void)getrlimit(RLIMIT_NOFILE, &r); /* it has no reason to fail */
	unsigned long first = r.rlim_cur > 2 * FIRST_FD ? FIRST_FD : r.rlim_cur / 2;
	int fd = -EMFILE;
	if (atomic_load(&n_open) < r.rlim_cur / 4)
		fd = fcntl(low, F_DUPFD_CLOEXEC, (int)first);
	if (fd == -1)
		fd = -errno;
	close(low);
	return fd;
}

/* Each strike is a signal to that thread, with the descriptor's number in it. */
static int send_to(int fd, uint32_t tid)
{
	struct f_owner_ex owner = {F_OWNER_TID, (pid_t)tid};
	if (fcntl(fd, F_SETSIG, SIGPROF) < 0 || fcntl(fd, F_SETOWN_EX, &owner) < 0 ||
	    fcntl(fd, F_SETFL, O_ASYNC) < 0)
		return -errno;
	return 0;
}

int ep_taskclock_open(uint32_t tid)
{
	struct perf_event_attr a = {.type = PERF_TYPE_SOFTWARE,
				    .size = sizeof(a),
				    .config = PERF_COUNT_SW_TASK_CLOCK,
				    .sample_period = NEVER_NS,
				    .disabled = 1,
				    .exclude_kernel = 1,
				    .exclude_hv = 1,
				    .wakeup_events = 1};
	int fd = (int)syscall(SYS_perf_event_open, &a, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	fd = move_far_up(fd);
	int rc = fd < 0 ? fd : send_to(fd, tid);
	if (rc < 0 && fd >= 0)
		close(fd);
	if (rc < 0)
		return rc;
	atomic_fetch_add(&n_open, 1);
	return fd;
}

void ep_taskclock_go(int fd, uint64_t step_ns)
{
	(void)ioctl(fd, PERF_EVENT_IOC_PERIOD, &step_ns); /* the timer is there still */
	(void)ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
}

void ep_taskclock_close(int fd, uint32_t tid)
{
	struct f_owner_ex owner = {0};
	atomic_fetch_sub(&n_open, 1);
	if (fcntl(fd, F_GETSIG) == SIGPROF && fcntl(fd, F_GETOWN_EX, &owner) == 0 &&
	    owner.type == F_OWNER_TID && (uint32_t)owner.pid == tid)
		close(fd);
}

void ep_taskclock_child(void)
{
	atomic_store(&n_open, 0);
}
