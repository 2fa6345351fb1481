/* tempfile.c - see tempfile.h. */
#include "pprof/tempfile.h"

#include "base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct doomed {
	struct doomed *next;
	char path[];
};

static struct doomed *doomed_files;

static int open_new(const char *path)
{
	return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
}

int ep_tempfile_open(const char *dir, const char *prefix, const char *suffix,
		     char *ret_path, size_t size, struct ep_err *err)
{
	const char *slash = *dir && dir[strlen(dir) - 1] != '/' ? "/" : "";
	for (int i = 1; i < 10000; i++) {
		int n = snprintf(ret_path, size, "%s%s%s%03d%s", dir, slash, prefix, i,
				 suffix);
		if (n < 0 || (size_t)n >= size)
			return ep_fail(err, -E2BIG, 0, "the path %s… is too long",
				       ret_path);
		int fd = open_new(ret_path);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			return ep_fail(err, -errno, 0, "open %s: %s", ret_path,
				       strerror(errno));
	}
	return ep_fail(err, -EEXIST, 0, "could not create file of the form %s001%s",
		       prefix, suffix);
}

const char *ep_tempfile_dir(void)
{
	const char *dir = getenv("TMPDIR");
	return dir && *dir ? dir : "/tmp";
}

void ep_tempfile_remove_later(const char *path)
{
	size_t n = strlen(path) + 1;
	struct doomed *d = ep_alloc(sizeof(*d) + n);
	if (!d)
		return; /* the file stays: no reason to stop */
	memcpy(d->path, path, n);
	d->next = doomed_files;
	doomed_files = d;
}

void ep_tempfile_cleanup(void)
{
	while (doomed_files) {
		struct doomed *d = doomed_files;
		doomed_files = d->next;
		(void)unlink(d->path); /* gone already is as good */
		ep_free(d);
	}
}
