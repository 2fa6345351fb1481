/* guest.c - see guest.h. */
#include "proof/guest.h"

#include "base/buf.h"
#include "profile/decode.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_PROFILE ((size_t)256 << 20)

extern char **environ;

/* The defaults are what is proved, so nothing of ours is inherited. */
static void set_environment(const char *library, bool cost)
{
	for (bool again = true; again;) {
		again = false;
		for (char **e = environ; *e && !again; e++) {
			char name[128];
			size_t n = strcspn(*e, "=");
			if (strncmp(*e, "EVERPROF_", 9) != 0 || n >= sizeof(name))
				continue;
			snprintf(name, sizeof(name), "%.*s", (int)n, *e);
			again = unsetenv(name) == 0; /* it moves the others */
		}
	}
	setenv("LD_PRELOAD", library, 1);
	setenv("EVERPROF_NAME", "everprof-verify", 1);
	setenv("EVERPROF_HTTP", "mounted", 1); /* profiles are kept ready, nobody listens */
	setenv("EVERPROF_TYPES", cost ? "heap" : "cpu,heap,mutex,block", 1);
	if (cost)
		setenv("EVERPROF_HZ", "1000", 1);
}

static void be_child(const struct ep_guest *g, int go, int truth, const char *library,
		     const char *kind, const char *flag, double seconds)
{
	char what[512], c;
	bool cost = !strcmp(kind, "cost");
	int n = snprintf(what, sizeof(what), "%s:%.3f:%d", kind, seconds, truth);
	for (int i = 0; i < EP_WORK_PROFILES; i++)
		n += snprintf(what + n, sizeof(what) - (size_t)n, "%c%d", i ? ',' : ':',
			      g->profiles[i]);
	set_environment(library, cost);
	(void)!read(go, &c, 1); /* the end of it is what we wait for */
	execl("/proc/self/exe", "everprof", "verify", flag, what, (char *)NULL);
	_exit(127);
}

static int open_files(struct ep_guest *g, int go[2], int truth[2])
{
	for (int i = 0; i < EP_WORK_PROFILES; i++)
		if ((g->profiles[i] = memfd_create("everprof-verify", 0)) < 0)
			return -errno;
	if (pipe2(go, O_CLOEXEC) < 0)
		return -errno;
	g->go = go[1];
	if (pipe(truth) < 0) {
		int code = -errno;
		close(go[0]);
		return code;
	}
	g->truth = truth[0];
	fcntl(truth[0], F_SETFD, FD_CLOEXEC);
	return 0;
}

int ep_guest_open(struct ep_guest *g, const char *library, const char *kind, const char *flag,
		  double seconds, struct ep_err *err)
{
	int go[2], truth[2];
	*g = (struct ep_guest){.go = -1, .truth = -1};
	for (int i = 0; i < EP_WORK_PROFILES; i++)
		g->profiles[i] = -1;
	int rc = open_files(g, go, truth);
	if (rc < 0)
		return ep_fail(err, rc, 0, "no file in memory, or no pipe: %s", strerror(-rc));
	g->pid = fork();
	if (g->pid == 0) {
		close(go[1]);
		be_child(g, go[0], truth[1], library, kind, flag, seconds);
	}
	int code = errno;
	close(go[0]);
	close(truth[1]);
	return g->pid < 0 ? ep_fail(err, -code, 0, "no new process: %s", strerror(code)) : 0;
}

void ep_guest_release(struct ep_guest *g)
{
	close(g->go);
	g->go = -1;
}

bool ep_guest_listen(struct ep_guest *g, int timeout_ms)
{
	char bytes[4096];
	struct pollfd p = {.fd = g->truth, .events = POLLIN};
	if (poll(&p, 1, timeout_ms) <= 0)
		return true; /* nothing yet, or a signal */
	ssize_t n = read(g->truth, bytes, sizeof(bytes));
	if (n > 0)
		ep_truth_feed(&g->told, bytes, (size_t)n);
	return n > 0 || (n < 0 && errno == EINTR);
}

int ep_guest_finish(struct ep_guest *g, struct ep_err *err)
{
	int status = 0;
	int64_t result = 0;
	while (waitpid(g->pid, &status, 0) < 0 && errno == EINTR)
		;
	g->pid = 0;
	if (WIFSIGNALED(status))
		return ep_fail(err, -EIO, 0, "the workload died of signal %d (%s)",
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (!ep_truth_find(&g->told, "result", &result))
		return ep_fail(err, -EIO, 0, "the workload could not be run: status %d",
			       WEXITSTATUS(status));
	if (result == -ENOENT)
		return ep_fail(err, -EIO, 0,
			       "the library was not loaded, or is not of this version");
	return result < 0 ? ep_fail(err, -EIO, 0, "the workload failed: %s",
				    strerror((int)-result))
			  : 0;
}

int ep_guest_profile(const struct ep_guest *g, enum ep_work_profile which,
		     struct ep_profile **ret_p, struct ep_err *err)
{
	ep_auto_buf bytes;
	ep_buf_init(&bytes, MAX_PROFILE);
	off_t size = lseek(g->profiles[which], 0, SEEK_END);
	uint8_t *to = size > 0 ? ep_buf_reserve(&bytes, (size_t)size) : NULL;
	if (!to || pread(g->profiles[which], to, (size_t)size, 0) != size)
		return ep_fail(err, -EIO, 0, "the workload wrote no profile");
	return ep_decode(to, (size_t)size, MAX_PROFILE, ret_p, err);
}

void ep_guest_close(struct ep_guest *g)
{
	if (g->pid > 0) {
		kill(g->pid, SIGKILL);
		(void)waitpid(g->pid, NULL, 0); /* it is gone either way */
	}
	if (g->go >= 0)
		close(g->go);
	if (g->truth >= 0)
		close(g->truth);
	for (int i = 0; i < EP_WORK_PROFILES; i++)
		if (g->profiles[i] >= 0)
			close(g->profiles[i]);
}
