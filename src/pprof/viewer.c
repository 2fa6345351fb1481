/* viewer.c - see viewer.h. */
#include "pprof/viewer.h"

#include "pprof/ui.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_WORDS = 16, MAX_COMMAND = 1024 };

extern char **environ;

static const char *const browsers[] = {"chrome", "google-chrome", "chromium", "firefox",
				       "sensible-browser"};

/* The nth command to try; NULL: no more. */
static const char *command(enum ep_format_viewer kind, size_t n)
{
	static const char *const others[] = {
		[EP_VIEWER_EOG] = "eog",
		[EP_VIEWER_EVINCE] = "evince",
		[EP_VIEWER_GV] = "gv --noantialias",
		[EP_VIEWER_KCACHEGRIND] = "kcachegrind",
	};
	if (kind != EP_VIEWER_BROWSER)
		return n == 0 ? others[kind] : NULL;
	const char *own = getenv("BROWSER"), *display = getenv("DISPLAY");
	if (own && *own && n-- == 0)
		return own;
	if (n < sizeof(browsers) / sizeof(browsers[0]))
		return browsers[n];
	return n == sizeof(browsers) / sizeof(browsers[0]) && display && *display
		       ? "xdg-open"
		       : NULL;
}

static int start(const char *line, const char *path, pid_t *ret_pid, struct ep_err *err)
{
	char copy[MAX_COMMAND], *words[MAX_WORDS + 2], *save = NULL;
	snprintf(copy, sizeof(copy), "%s", line);
	size_t n = 0;
	for (char *w = strtok_r(copy, " ", &save); w && n < MAX_WORDS;
	     w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	if (n == 0)
		return -ENOENT;
	words[n] = (char *)path;
	words[n + 1] = NULL;
	int rc = posix_spawnp(ret_pid, words[0], NULL, NULL, words, environ);
	char why[80];
	if (rc == ENOENT)
		return ep_fail(err, -ENOENT, 0,
			       "exec: \"%s\": executable file not found in $PATH",
			       words[0]);
	if (rc)
		return ep_fail(err, -EIO, 0, "exec: \"%s\": %s", words[0],
			       ep_ui_errno(rc, why));
	return 0;
}

static int wait_for(pid_t pid, struct ep_err *err)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return ep_fail(err, -EIO, 0, "wait: %s", strerror(errno));
	if (WIFSIGNALED(status))
		return ep_fail(err, -EIO, 0, "signal: %s", strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status))
		return ep_fail(err, -EIO, 0, "exit status %d", WEXITSTATUS(status));
	return 0;
}

int ep_viewer_show(enum ep_format_viewer kind, const char *path, bool wait,
		   struct ep_err *err)
{
	pid_t pid = 0;
	int rc = -ENOENT;
	const char *line;
	for (size_t i = 0; rc < 0 && (line = command(kind, i)); i++) {
		*err = (struct ep_err){0}; /* the last one's is told */
		rc = start(line, path, &pid, err);
	}
	EP_TRY(rc);
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	if (wait)
		rc = wait_for(pid, err);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
	return rc;
}
