/* tablefile.c - see tablefile.h. */
#include "unwind/build/tablefile.h"

#include "base/clock.h"
#include "base/highfd.h"
#include "base/mem.h"
#include "unwind/build/check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Not in linux/magic.h. */
#define ZFS_MAGIC 0x2fc12fc1
#define BCACHEFS_MAGIC 0xca451a4e

/* A larger table is checked and then let go of: it comes back 64 KB at a time where it
 * is looked at. */
#define KEEP_RESIDENT ((size_t)512 << 10)

void ep_tablefile_name(const struct ep_compile_key *key, char ret_name[EP_TABLEFILE_NAME_MAX])
{
	snprintf(ret_name, EP_TABLEFILE_NAME_MAX, "%s-%016llx-%u.unwind",
		 *key->build_id ? key->build_id : "none", (unsigned long long)key->image,
		 EP_TABLE_MAKER);
}

bool ep_tablefile_trusts(const struct stat *st)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & 022);
}

bool ep_tablefile_is_local(int fd)
{
	static const uint32_t local[] = {
		EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, TMPFS_MAGIC,
		RAMFS_MAGIC,	  F2FS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC, ZFS_MAGIC,
		BCACHEFS_MAGIC,
	};
	struct statfs fs;
	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		if ((uint32_t)fs.f_type == local[i])
			return true;
	return false;
}

/* ---- reading ------------------------------------------------------------------------------ */

static int check(const void *data, size_t n, const struct ep_compile_key *key)
{
	const struct ep_table *t;
	EP_TRY(ep_check_table(data, n, &t, NULL));
	if (t->n_bytes != n || t->image != key->image || strcmp(t->build_id, key->build_id))
		return -EBADMSG;
	return 0;
}

static int map(int fd, const struct ep_compile_key *key, struct ep_tablefile *ret)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -EIO;
	/* Writable by nobody: its owner too has to say so before he can cut it short. */
	if (!S_ISREG(st.st_mode) || !ep_tablefile_trusts(&st) || (st.st_mode & 0222))
		return -EACCES;
	if (st.st_size < (off_t)sizeof(struct ep_table) ||
	    (uint64_t)st.st_size > EP_TABLEFILE_MAX_BYTES)
		return -EBADMSG;
	size_t n = (size_t)st.st_size;
	void *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		return -ENOMEM;
	int rc = check(p, n, key);
	if (rc < 0) {
		(void)munmap(p, n); /* ours, just mapped */
		return rc;
	}
	if (n > KEEP_RESIDENT)
		(void)madvise(p, n, MADV_DONTNEED); /* a hint */
	*ret = (struct ep_tablefile){p, n};
	return 0;
}

/* The age of a file is the time since it was last of use, to a day. */
static void touch(int fd)
{
	struct stat st;
	if (fstat(fd, &st) == 0 &&
	    ep_clock_wall_ns() / EP_NS_PER_S > (uint64_t)st.st_mtim.tv_sec + 86400)
		(void)futimens(fd, NULL); /* not ours: its owner will */
}

int ep_tablefile_map(int dir, const struct ep_compile_key *key, struct ep_tablefile *ret)
{
	char name[EP_TABLEFILE_NAME_MAX];
	ep_tablefile_name(key, name);
	int fd = ep_highfd(openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
	if (fd < 0)
		return errno == ENOENT ? -ENOENT : -EACCES;
	int rc = map(fd, key, ret);
	if (rc == 0)
		touch(fd);
	close(fd);
	return rc;
}

void ep_tablefile_release(struct ep_tablefile *f)
{
	if (f->n_mapped)
		(void)munmap((void *)f->table, f->n_mapped); /* as it was mapped */
	else
		ep_free((void *)f->table);
	*f = (struct ep_tablefile){.table = NULL};
}

/* ---- writing ------------------------------------------------------------------------------ */

static int write_all(int fd, const void *data, size_t n)
{
	const char *p = data;
	while (n) {
		ssize_t k = write(fd, p, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return -EIO;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static int fill(int fd, const struct ep_table *t)
{
	/* Its blocks first: a file system that finds no room only when it writes back would
	 * leave holes under a mapping. */
	int rc = posix_fallocate(fd, 0, (off_t)t->n_bytes);
	if (rc)
		return rc == ENOSPC || rc == EDQUOT ? -ENOSPC : -EIO;
	EP_TRY(write_all(fd, t, t->n_bytes));
	return fchmod(fd, 0444) < 0 ? -EIO : 0;
}

int ep_tablefile_write(int dir, const struct ep_compile_key *key, const struct ep_table *t)
{
	static _Atomic unsigned serial;
	char name[EP_TABLEFILE_NAME_MAX], temporary[64];
	ep_tablefile_name(key, name);
	snprintf(temporary, sizeof(temporary), EP_TABLEFILE_TEMPORARY "%ld-%llx-%u",
		 (long)getpid(), (unsigned long long)ep_clock_wall_ns(),
		 atomic_fetch_add(&serial, 1));
	int fd = ep_highfd(openat(dir, temporary,
				  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
	if (fd < 0)
		return errno == ENOSPC ? -ENOSPC : -EACCES;
	int rc = fill(fd, t);
	/* Linked, not renamed: what is there already stays, for those who share it. */
	if (rc == 0 && linkat(dir, temporary, dir, name, 0) < 0)
		rc = errno == EEXIST ? -EEXIST : -EIO;
	close(fd);
	(void)unlinkat(dir, temporary, 0); /* what can't be removed is swept later */
	return rc;
}
