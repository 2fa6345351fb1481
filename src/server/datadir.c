/* datadir.c - see datadir.h. */
#include "server/datadir.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DEPTH = 8 };

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* Only what the server, and an agent here, make there. */
static bool is_ours(const char *name)
{
	return !strcmp(name, "store") || !strcmp(name, "symbols") ||
	       !strcmp(name, "spool") || !strcmp(name, "tenants") ||
	       !strcmp(name, "tokens") || !strcmp(name, "audit.log");
}

static bool holds_others(int fd)
{
	DIR *d = fdopendir(dup(fd));
	bool others = !d;
	for (struct dirent *e; d && (e = readdir(d));)
		others |= !is_dots(e->d_name) && !is_ours(e->d_name);
	if (d)
		closedir(d);
	return others;
}

/* Through descriptors and without following links: the tree may be hostile. */
static int give_tree(int fd, uid_t uid, gid_t gid, int depth)
{
	DIR *d = fdopendir(dup(fd));
	int rc = d && fchown(fd, uid, gid) == 0 ? 0 : -EIO;
	if (d)
		rewinddir(d);
	for (struct dirent *e; rc == 0 && (e = readdir(d));) {
		if (is_dots(e->d_name))
			continue;
		int sub = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0 && depth < MAX_DEPTH)
			rc = give_tree(sub, uid, gid, depth + 1);
		else if (fchownat(fd, e->d_name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
			rc = -EIO;
		if (sub >= 0)
			(void)close(sub);
	}
	if (d)
		closedir(d);
	return rc;
}

void ep_datadir_default(char *ret_path, size_t n)
{
	const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	if (geteuid() == 0)
		(void)snprintf(ret_path, n, "/var/lib/everprof");
	else if (xdg && xdg[0] == '/')
		(void)snprintf(ret_path, n, "%s/everprof", xdg);
	else
		(void)snprintf(ret_path, n, "%s/.local/share/everprof", home ? home : "");
}

int ep_datadir_make(const char *path, struct ep_err *err)
{
	char at[PATH_MAX];
	size_t n = strlen(path);
	if (!n || n >= sizeof(at))
		return ep_fail(err, -EINVAL, 0, "--data: the path is empty or too long");
	memcpy(at, path, n + 1);
	for (char *p = at + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			(void)mkdir(at, 0755); /* the last one tells */
			*p = '/';
		}
	if (mkdir(at, 0700) == 0 || errno == EEXIST)
		return 0;
	return ep_fail(err, errno == EACCES ? -EACCES : -EIO, 0,
		       "can't make the data folder %s: %s; choose another with --data DIR", path,
		       strerror(errno));
}

int ep_datadir_give(const char *path, uid_t uid, gid_t gid, struct ep_err *err)
{
	struct stat st;
	EP_TRY(ep_datadir_make(path, err));
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		rc = ep_fail(err, -EIO, 0, "can't open the data folder %s: %s", path,
			     strerror(errno));
	else if (st.st_uid != uid && holds_others(fd))
		rc = ep_fail(err, -EINVAL, 0,
			     "the data folder %s holds other things and belongs to another user; "
			     "choose an empty one with --data DIR",
			     path);
	else if (st.st_uid != uid && (give_tree(fd, uid, gid, 0) < 0 || fchmod(fd, 0700) < 0))
		rc = ep_fail(err, -EIO, 0, "can't give the data folder %s to user %u: %s", path,
			     (unsigned)uid, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return rc;
}
