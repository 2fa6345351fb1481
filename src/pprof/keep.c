/* keep.c - see keep.h. */
#include "pprof/keep.h"

#include "pprof/tempfile.h"
#include "pprof/ui.h"
#include "profile/encode.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* With all folders above it. */
static int make_folder(const char *path)
{
	char at[PATH_MAX];
	struct stat st;
	if (strlen(path) >= sizeof(at))
		return -ENAMETOOLONG;
	memcpy(at, path, strlen(path) + 1);
	for (char *p = at + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			(void)mkdir(at, 0755); /* the last one tells */
			*p = '/';
		}
	if (mkdir(at, 0755) == 0)
		return 0;
	int no = errno;
	return no == EEXIST && stat(at, &st) == 0 && S_ISDIR(st.st_mode) ? 0 :
	       no == EEXIST						  ? -ENOTDIR :
									    -no;
}

static int choose_folder(char *ret, size_t size, const struct ep_notes *notes,
			 struct ep_err *err)
{
	const char *own = getenv("PPROF_TMPDIR"), *home = getenv("HOME");
	char why[80];
	for (int i = 0; i < 3; i++) {
		if ((i == 0 && !(own && *own)) || (i == 1 && !(home && *home)))
			continue;
		(void)snprintf(ret, size, "%s%s", i == 0 ? own : i == 1 ? home : ep_tempfile_dir(),
			       i == 1 ? "/pprof" : "");
		int rc = make_folder(ret);
		if (rc == 0)
			return 0;
		ep_note(notes, "Could not use temp dir %s: mkdir %s: %s", ret, ret,
			ep_ui_errno(-rc, why));
	}
	return ep_fail(err, -EIO, 0, "failed to identify temp dir");
}

/* One part of a file's name: no way out of the folder. */
static void add_part(char *to, size_t size, struct ep_slice part)
{
	size_t n = strlen(to);
	for (size_t i = 0; i < part.n && n + 2 < size; i++)
		to[n++] = part.p[i] == '/' || !part.p[i] ? '_' : part.p[i];
	to[n++] = '.';
	to[n] = '\0';
}

static void make_prefix(const struct ep_profile *p, char *ret, size_t size)
{
	(void)snprintf(ret, size, "pprof.");
	struct ep_slice file = {0};
	if (p->n_mappings)
		file = ep_profile_str(p, p->mappings[0].filename);
	while (file.n > 1 && file.p[file.n - 1] == '/')
		file.n--;
	const char *slash = file.n ? memrchr(file.p, '/', file.n) : NULL;
	if (slash && file.n > 1)
		file = (struct ep_slice){slash + 1, file.n - (size_t)(slash + 1 - file.p)};
	if (file.n)
		add_part(ret, size, file);
	for (uint32_t i = 0; i < p->n_sample_types; i++)
		add_part(ret, size, ep_profile_str(p, p->sample_types[i].type));
}

static int write_all(int fd, const struct ep_buf *b, struct ep_err *err)
{
	char why[80];
	for (size_t at = 0; at < b->len;) {
		ssize_t n = write(fd, b->data + at, b->len - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ep_fail(err, -EIO, at, "%s", ep_ui_errno(errno, why));
		at += (size_t)n;
	}
	return 0;
}

int ep_keep_profile(const struct ep_profile *p, const struct ep_notes *notes,
		    struct ep_err *err)
{
	char folder[PATH_MAX], prefix[200], path[PATH_MAX];
	struct ep_err why = {0};
	ep_auto_buf bytes;
	ep_buf_init(&bytes, EP_ENCODE_MAX);
	EP_TRY(choose_folder(folder, sizeof(folder), notes, err));
	make_prefix(p, prefix, sizeof(prefix));
	int fd = ep_tempfile_open(folder, prefix, ".pb.gz", path, sizeof(path), &why);
	int rc = fd < 0 ? fd : ep_encode_gzip(p, &bytes, &why);
	if (rc >= 0)
		rc = write_all(fd, &bytes, &why);
	if (fd >= 0 && close(fd) < 0 && rc >= 0)
		rc = ep_fail(&why, -EIO, 0, "close %s: %s", path, strerror(errno));
	if (rc < 0)
		ep_note(notes, "Could not save profile: %s", why.text);
	else
		ep_note(notes, "Saved profile in %s", path);
	return 0;
}
