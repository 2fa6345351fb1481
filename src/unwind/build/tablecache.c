/* tablecache.c - see tablecache.h. */
#include "unwind/build/tablecache.h"

#include "base/highfd.h"
#include "unwind/build/check.h"
#include "unwind/build/tablesweep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where a path does not fit there is none. */
static void set(char to[PATH_MAX], const char *folder, const char *below)
{
	int n = snprintf(to, PATH_MAX, "%s%s", folder, below);
	if (n < 0 || n >= PATH_MAX || *folder != '/')
		to[0] = '\0';
}

void ep_tablecache_init(struct ep_tablecache *c, const struct ep_tablecache_config *config)
{
	c->own[0] = c->system[0] = '\0';
	if (config->setting && *config->setting) {
		set(c->own, config->setting, ""); /* "off" is no path */
		return;
	}
	set(c->system, EP_TABLECACHE_SYSTEM, "");
	if (config->read_only)
		return;
	if (geteuid() == 0)
		set(c->own, EP_TABLECACHE_SYSTEM, "");
	else if (config->cache_home && *config->cache_home == '/')
		set(c->own, config->cache_home, "/everprof/unwind");
	else if (config->home)
		set(c->own, config->home, "/.cache/everprof/unwind");
	if (!strcmp(c->own, c->system))
		c->system[0] = '\0';
}

/* ---- folders ------------------------------------------------------------------------------ */

/* A descriptor of a folder that only root and we can write to, or an error. */
static int open_folder(const char *path)
{
	struct stat st;
	if (!*path)
		return -ENOENT;
	int fd = ep_highfd(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	if (fd < 0)
		return errno == ENOENT ? -ENOENT : -EACCES;
	if (fstat(fd, &st) == 0 && ep_tablefile_trusts(&st) && ep_tablefile_is_local(fd))
		return fd;
	close(fd);
	return -EACCES;
}

/* What is missing of the last three parts of a path: a home is none of ours to make.
 * Root's is for all to read, whatever our umask is. */
static void make_folders(const char *path)
{
	enum { PARTS = 3 };
	char part[PATH_MAX];
	size_t ends[PARTS], n = strlen(path), n_ends = 0;
	mode_t mode = geteuid() == 0 ? 0755 : 0700;
	memcpy(part, path, n + 1);
	for (size_t i = n; i > 0 && n_ends < PARTS; i--)
		if ((!path[i] || path[i] == '/') && path[i - 1] != '/')
			ends[n_ends++] = i;
	while (n_ends--) {
		memcpy(part, path, n + 1);
		part[ends[n_ends]] = '\0';
		if (mkdir(part, mode) == 0)
			(void)chmod(part, mode); /* it is ours; without it fewer share */
	}
}

static int open_own_folder(const struct ep_tablecache *c)
{
	int dir = open_folder(c->own);
	if (dir == -ENOENT && *c->own) {
		make_folders(c->own);
		dir = open_folder(c->own);
	}
	return dir;
}

/* ---- tables ------------------------------------------------------------------------------- */

static void remove_broken(int dir, const struct ep_compile_key *key)
{
	char name[EP_TABLEFILE_NAME_MAX];
	ep_tablefile_name(key, name);
	(void)unlinkat(dir, name, 0); /* or it is found broken again */
}

static int find_in(const char *folder, bool is_own, const struct ep_compile_key *key,
		   struct ep_tablefile *ret)
{
	int dir = open_folder(folder);
	if (dir < 0)
		return -ENOENT;
	int rc = ep_tablefile_map(dir, key, ret);
	if (rc < 0 && rc != -ENOENT && rc != -ENOMEM && is_own)
		remove_broken(dir, key);
	close(dir);
	return rc < 0 ? -ENOENT : 0;
}

int ep_tablecache_find(const struct ep_tablecache *c, const struct ep_compile_key *key,
		       struct ep_tablefile *ret)
{
	if (find_in(c->system, false, key, ret) == 0)
		return 0;
	return find_in(c->own, true, key, ret);
}

/* Is a table of this file for all who read our folder?  A user's file in root's folder
 * could bear the build ID of another. */
static bool may_keep(const struct ep_tablecache *c, int fd)
{
	struct stat st;
	if (!*c->own || fstat(fd, &st) < 0)
		return false;
	if (geteuid() == 0)
		return st.st_uid == 0 && !(st.st_mode & 022);
	return st.st_uid == 0 || st.st_uid == geteuid();
}

/* For others, and for us: what is in the file need not be in memory of our own. */
static void share(const struct ep_tablecache *c, const struct ep_compile_key *key,
		  struct ep_tablefile *f)
{
	struct ep_tablefile shared;
	int dir = open_own_folder(c);
	if (dir < 0)
		return;
	int rc = ep_tablefile_write(dir, key, f->table);
	if (rc == 0)
		ep_tablesweep(dir);
	if ((rc == 0 || rc == -EEXIST) && ep_tablefile_map(dir, key, &shared) == 0) {
		ep_tablefile_release(f);
		*f = shared;
	}
	close(dir);
}

static int compile(const struct ep_elf *e, struct ep_tablefile *ret, struct ep_err *err)
{
	ep_auto_buf b;
	ep_buf_init(&b, EP_TABLEFILE_MAX_BYTES);
	EP_TRY(ep_compile_elf(e, &b, err));
	*ret = (struct ep_tablefile){(const struct ep_table *)b.data, 0};
	b.data = NULL;
	return 0;
}

int ep_tablecache_make(const struct ep_tablecache *c, int fd, bool keep,
		       struct ep_tablefile *ret, struct ep_err *err)
{
	ep_auto(ep_elf) e = NULL;
	struct ep_compile_key key;
	EP_TRY(ep_elf_open(fd, &e, err));
	EP_TRY(ep_compile_key(e, &key, err));
	if (ep_tablecache_find(c, &key, ret) == 0)
		return 0;
	EP_TRY(compile(e, ret, err));
	if (keep && may_keep(c, fd))
		share(c, &key, ret);
	return 0;
}
