/* child.c - see child.h. */
#include "cli/child.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct leash {
	int fd;
	void (*on_end)(void);
};

static void *hold_leash(void *arg)
{
	struct leash *l = arg;
	char byte;
	while (read(l->fd, &byte, 1) < 0 && errno == EINTR)
		continue;
	l->on_end();
	return NULL;
}

static void ignore(int sig)
{
	struct sigaction a = {.sa_handler = SIG_IGN};
	sigaction(sig, &a, NULL);
}

/* In the child; does not return. */
static void run_child(int leash, int (*fn)(void *arg), void *arg, void (*on_leash)(void))
{
	static struct leash l; /* outlives this frame: the thread uses it */
	pthread_t thread;
	sigset_t all, none;
	ignore(SIGINT);
	ignore(SIGTERM);
	ignore(SIGHUP);
	ignore(SIGPIPE);
	sigfillset(&all);
	sigemptyset(&none);
	l = (struct leash){leash, on_leash};
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	if (pthread_create(&thread, NULL, hold_leash, &l) != 0)
		_exit(1);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	int rc = fn(arg);
	fflush(NULL);
	_exit(rc);
}

int ep_child_start(struct ep_child *c, int (*fn)(void *arg), void *arg, void (*on_leash)(void))
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -EIO;
	fflush(NULL);
	pid_t pid = fork();
	if (pid < 0) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return errno == ENOMEM ? -ENOMEM : -EAGAIN;
	}
	if (pid == 0) {
		(void)close(fds[1]); /* or it would hold itself */
		run_child(fds[0], fn, arg, on_leash);
	}
	(void)close(fds[0]);
	c->pid = pid;
	c->leash = fds[1];
	return 0;
}

void ep_child_release(struct ep_child *c)
{
	if (c->leash > 0)
		(void)close(c->leash); /* the close is the message */
	c->leash = 0;
}

static int status_of(int raw)
{
	return WIFEXITED(raw) ? WEXITSTATUS(raw) : -1;
}

bool ep_child_has_ended(struct ep_child *c, int *ret_status)
{
	int raw;
	if (!c->pid || waitpid(c->pid, &raw, WNOHANG) != c->pid)
		return false;
	c->pid = 0;
	ep_child_release(c);
	*ret_status = status_of(raw);
	return true;
}

int ep_child_wait(struct ep_child *c, uint64_t deadline_ns)
{
	int status = 0;
	if (!c->pid)
		return 0;
	while (!ep_child_has_ended(c, &status)) {
		if (ep_clock_mono_ns() > deadline_ns) {
			(void)kill(c->pid, SIGKILL); /* it has had its time */
			deadline_ns = UINT64_MAX;
		}
		usleep(10000);
	}
	return status;
}

int ep_child_become(uid_t uid, gid_t gid, const char **ret_step)
{
	*ret_step = "the bounding set";
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap) < 0)
			return -EIO;
	*ret_step = "setgroups";
	if (setgroups(0, NULL) < 0)
		return -EIO;
	*ret_step = "setgid";
	if (setresgid(gid, gid, gid) < 0)
		return -EIO;
	*ret_step = "setuid";
	if (setresuid(uid, uid, uid) < 0)
		return -EIO;
	*ret_step = "no_new_privs";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -EIO;
	*ret_step = "capabilities";
	cap_t none = cap_init();
	int rc = none ? cap_set_proc(none) : -1;
	cap_free(none);
	return rc < 0 ? -EIO : 0;
}
