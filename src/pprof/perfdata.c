/* perfdata.c - see perfdata.h. */
#include "pprof/perfdata.h"

#include "fetch/fetch.h"

#include <fcntl.h>
#include <paths.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_recording(const struct ep_buf *bytes)
{
	static const char magic[] = "PERFILE2";
	return bytes->len >= sizeof(magic) - 1 &&
	       !memcmp(bytes->data, magic, sizeof(magic) - 1);
}

/* Its exit status; 127 when the tool is not there.  It may say what it does on our
 * standard error. */
static int run(const char *from, const char *to, struct ep_err *err)
{
	char *argv[] = {"perf_to_profile",
			"-i",
			(char *)(uintptr_t)from,
			"-o",
			(char *)(uintptr_t)to,
			"-f",
			NULL};
	posix_spawn_file_actions_t files;
	int status, rc = posix_spawn_file_actions_init(&files);
	pid_t pid;
	if (rc)
		return ep_fail(err, -ENOMEM, 0, "no memory to run perf_to_profile");
	rc = posix_spawn_file_actions_adddup2(&files, 2, 1);
	rc = rc ? rc : posix_spawnp(&pid, argv[0], &files, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&files); /* can't fail */
	if (rc)
		return rc == ENOENT ? 127
				    : ep_fail(err, -EIO, 0, "perf_to_profile: %s",
					      strerror(rc));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return ep_fail(err, -EIO, 0, "perf_to_profile: %s",
				       strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int convert_to(const char *to, const char *path, const struct ep_notes *notes,
		      struct ep_buf *bytes, struct ep_err *err)
{
	int status = run(path, to, err);
	if (status < 0 || status == 127)
		return status < 0 ? status : 0;
	ep_note(notes, "Converting %s to a profile.proto... (May take a few minutes)",
		path);
	if (status)
		return ep_fail(err, -EBADMSG, 0,
			       "failed to convert perf.data file. Try "
			       "github.com/google/perf_data_converter: exit status %d",
			       status);
	ep_buf_clear(bytes);
	return ep_fetch_file(to, 0, bytes, err);
}

int ep_perfdata_convert(const char *path, const struct ep_notes *notes,
			struct ep_buf *bytes, struct ep_err *err)
{
	char to[4096];
	const char *dir = getenv("TMPDIR");
	if (!is_recording(bytes))
		return 0;
	if (snprintf(to, sizeof(to), "%s/pprof_XXXXXX",
		     dir && *dir ? dir : _PATH_TMP) >= (int)sizeof(to))
		return ep_fail(err, -EIO, 0, "TMPDIR is too long");
	int fd = mkostemp(to, O_CLOEXEC);
	if (fd < 0)
		return ep_fail(err, -EIO, 0, "%s: %s", to, strerror(errno));
	(void)close(fd); /* it is the tool's now */
	int rc = convert_to(to, path, notes, bytes, err);
	(void)unlink(to); /* nothing else to do about it */
	return rc;
}
