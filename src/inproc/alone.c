/*
 * alone.c - see alone.h.
 *
 * libc ends a process when the last thread that it knows has ended, with exit(0); it
 * knows ours too.  A thread that is the leader (main's, or in a child the one that
 * forked) stays in the list as a zombie until all have ended.
 */
#include "inproc/alone.h"

#include "inproc/fd.h"
#include "inproc/hooks.h"
#include "inproc/spawn.h"
#include "inproc/start.h"
#include "safe/sys.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libc gives each thread a list of robust locks, and the kernel takes it back when the
 * thread ends: one call, where looking into /proc would be four. */
static bool leader_may_have_ended(long pid)
{
	void *list = &list;
	size_t n;
	return ep_sys6(SYS_get_robust_list, pid, (long)&list, (long)&n, 0, 0, 0) == 0 && !list;
}

static bool is_zombie(long pid, int *ret_status)
{
	char path[64], text[512];
	snprintf(path, sizeof(path), "/proc/self/task/%ld/stat", pid);
	int fd = ep_fd_open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
	const char *name_end = strrchr(text, ')');
	const char *last = strrchr(text, ' '); /* as wait() says it; 0 where it is secret */
	*ret_status = last ? (int)(strtol(last, NULL, 10) >> 8 & 0xff) : 0;
	return name_end && name_end[1] == ' ' && name_end[2] == 'Z';
}

static bool others_are_ours(long pid)
{
	bool all = true;
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;
	if (!d)
		return false;
	while (all && (e = readdir(d)) != NULL) {
		long tid = strtol(e->d_name, NULL, 10);
		all = tid == 0 || tid == pid || ep_spawn_is_ours((uint32_t)tid);
	}
	closedir(d);
	return all;
}

static int leader_status; /* for the drain, which asks, and the thread it makes */

bool ep_alone(void)
{
	long pid = ep_sys6(SYS_getpid, 0, 0, 0, 0, 0, 0);
	return leader_may_have_ended(pid) && is_zombie(pid, &leader_status) && others_are_ours(pid);
}

static void *end_main(void *unused)
{
	sigset_t none;
	(void)unused;
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, NULL);
	/* It ended by a system call of its own, as in seccomp's strict mode: libc's last
	 * thread would not be there to call exit(). */
	if (leader_status) {
		ep_start_finish();
		ep_sys6(SYS_exit_group, leader_status, 0, 0, 0, 0, 0);
	}
	exit(0);
}

void ep_alone_end(void)
{
	pthread_t t;
	if (ep_hooks_real_pthread_create(&t, NULL, end_main, NULL))
		exit(0);
}
