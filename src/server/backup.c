/*
 * backup.c - see backup.h.
 *
 * The order keeps everything: SQLite's files first, then segments, then the rest.  What is
 * sealed meanwhile is there twice, as a head and as a segment, and the store drops the head
 * when it opens; what is sealed before the heads are copied is there as a segment.  A
 * segment has its minutes in place before it gets its name, so those come last.
 */
#include "server/backup.h"

#include "base/clock.h"
#include "base/mem.h"
#include "codec/crc32c.h"
#include "store/filecare.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST "MANIFEST"
#define HEAD "everprof-backup 1\n"

enum { MAX_DEPTH = 12, CHUNK = 256 << 10 };
enum pass { SQLITE, SEGMENTS, REST, N_PASSES };

struct backup {
	const char *from, *to;
	enum pass pass;
	FILE *manifest; /* into memory: written when all is there */
	struct ep_backup_sum sum;
	struct ep_err *err;
};

static int io_fail(struct ep_err *err, const char *path, int e)
{
	int code = e == ENOENT || e == EACCES || e == ENOSPC || e == EEXIST ? -e : -EIO;
	return ep_fail(err, code, 0, "%s: %s", path, strerror(e));
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);
	return n >= m && !strcmp(s + n - m, end);
}

/* Locks, SQLite's own files beside its files, and what is not finished. */
static bool is_passing(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "LOCK") ||
	       ends_with(name, "-wal") || ends_with(name, "-shm") || ends_with(name, "-journal") ||
	       ends_with(name, ".new") || strstr(name, ".new.");
}

static enum pass pass_of(const char *path)
{
	/* By name, too: a head that is being made has no first bytes yet. */
	bool is_sqlite = ends_with(path, ".head") || ep_filecare_is_sqlite(path);
	return ends_with(path, ".segment") ? SEGMENTS : is_sqlite ? SQLITE : REST;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static int sum_file(const char *path, uint64_t *ret_n, uint32_t *ret_crc, struct ep_err *err)
{
	static char chunk[CHUNK];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : 0;
	uint64_t all = 0;
	uint32_t crc = 0;
	while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0) {
		crc = ep_crc32c(crc, chunk, (size_t)n);
		all += (uint64_t)n;
	}
	int e = errno;
	if (fd >= 0)
		(void)close(fd); /* only read */
	if (n < 0)
		return io_fail(err, path, e);
	*ret_n = all;
	*ret_crc = crc;
	return 0;
}

static int copy_bytes(const char *from, const char *to, struct ep_err *err)
{
	static char chunk[CHUNK];
	int in = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (in < 0)
		return io_fail(err, from, errno);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	ssize_t n = out < 0 ? -1 : 1;
	while (n > 0 && (n = read(in, chunk, sizeof(chunk))) > 0)
		for (ssize_t at = 0, m; n > 0 && at < n; at += m)
			if ((m = write(out, chunk + at, (size_t)(n - at))) < 0) {
				n = -1;
				break;
			}
	if (n == 0 && fsync(out) < 0)
		n = -1;
	int e = errno;
	(void)close(in); /* only read */
	if (out >= 0)
		(void)close(out); /* synced, or failed anyway */
	return n < 0 ? io_fail(err, to, e) : 0;
}

static int sync_dir(const char *path, struct ep_err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd >= 0 && fsync(fd) == 0 ? 0 : io_fail(err, path, errno);
	if (fd >= 0)
		(void)close(fd); /* only read */
	return rc;
}

/* --- making ------------------------------------------------------------------------------------- */

static int take_file(struct backup *b, const char *from, const char *to, const char *name)
{
	uint64_t n;
	uint32_t crc;
	struct ep_err gone = {0};
	int rc;
	/* The log is appended to and must not be the same file. */
	bool may_link = b->pass != SQLITE && !ends_with(name, "audit.log");
	if (b->pass == SQLITE)
		rc = ep_filecare_copy_sqlite(from, to, &gone);
	else if (may_link && link(from, to) == 0)
		rc = 0, b->sum.linked++;
	else
		rc = copy_bytes(from, to, &gone);
	if (rc == -ENOENT)
		return 0; /* sealed or dropped meanwhile: what took its place comes later */
	if (rc < 0)
		return ep_fail(b->err, rc, 0, "%s", gone.text);
	EP_TRY(sum_file(to, &n, &crc, b->err));
	fprintf(b->manifest, "%llu %08x %s\n", (unsigned long long)n, crc, name);
	b->sum.files++;
	b->sum.bytes += n;
	return 0;
}

/* Of names both in `from` and `to`; name is relative to both. */
static int walk(struct backup *b, const char *name, int depth)
{
	char from[PATH_MAX], to[PATH_MAX];
	(void)snprintf(from, sizeof(from), "%s/%s", b->from, name);
	(void)snprintf(to, sizeof(to), "%s/%s", b->to, name);
	if (depth && mkdir(to, 0700) < 0 && errno != EEXIST)
		return io_fail(b->err, to, errno);
	DIR *d = opendir(from);
	if (!d)
		return errno == ENOENT && depth ? 0 : io_fail(b->err, from, errno);
	int rc = 0;
	for (struct dirent *e; rc == 0 && (e = readdir(d));) {
		char sub[PATH_MAX], sub_from[PATH_MAX], sub_to[PATH_MAX];
		struct stat st, old;
		if (is_passing(e->d_name) || strchr(e->d_name, '\n'))
			continue;
		int n = snprintf(sub, sizeof(sub), "%s%s%s", name, *name ? "/" : "", e->d_name);
		int m = snprintf(sub_from, sizeof(sub_from), "%s/%s", b->from, sub);
		int k = snprintf(sub_to, sizeof(sub_to), "%s/%s", b->to, sub);
		if (n >= PATH_MAX || m >= PATH_MAX || k >= PATH_MAX || depth == MAX_DEPTH)
			rc = ep_fail(b->err, -EIO, 0, "%s/%s: too deep", b->from, name);
		else if (lstat(sub_from, &st) < 0)
			continue; /* gone */
		else if (S_ISDIR(st.st_mode))
			rc = walk(b, sub, depth + 1);
		else if (!st.st_size && ends_with(sub, ".head"))
			continue; /* being made: nothing was acknowledged for it yet */
		else if (S_ISREG(st.st_mode) && pass_of(sub_from) == b->pass &&
			 lstat(sub_to, &old) < 0)
			rc = take_file(b, sub_from, sub_to, sub);
	}
	closedir(d);
	return rc == 0 && b->pass == REST ? sync_dir(to, b->err) : rc;
}

static int check_empty(const char *dir, struct ep_err *err)
{
	if (mkdir(dir, 0700) == 0)
		return 0;
	DIR *d = errno == EEXIST ? opendir(dir) : NULL;
	if (!d)
		return io_fail(err, dir, errno);
	bool is_empty = true;
	for (struct dirent *e; (e = readdir(d));)
		is_empty &= !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
	closedir(d);
	return is_empty ? 0 : ep_fail(err, -EEXIST, 0, "%s is not empty", dir);
}

/* Last and at once: a folder without it is no backup. */
static int write_manifest(const char *dest, const char *text, size_t n, struct ep_err *err)
{
	char path[PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/" MANIFEST, dest);
	FILE *f = fopen(path, "wxe");
	if (!f)
		return io_fail(err, path, errno);
	bool good = fwrite(text, 1, n, f) == n &&
		    fprintf(f, "crc32c %08x\n", ep_crc32c(0, text, n)) > 0 && fflush(f) == 0 &&
		    fsync(fileno(f)) == 0;
	if (fclose(f) != 0 || !good)
		return ep_fail(err, -EIO, 0, "%s can't be written", path);
	return sync_dir(dest, err);
}

int ep_backup_make(const char *data, const char *dest, struct ep_backup_sum *ret_sum,
		   struct ep_err *err)
{
	char *text = NULL;
	size_t n = 0;
	struct backup b = {.from = data, .to = dest, .err = err};
	if (access(data, R_OK) < 0)
		return io_fail(err, data, errno);
	EP_TRY(check_empty(dest, err));
	b.manifest = open_memstream(&text, &n);
	if (!b.manifest)
		return ep_fail(err, -ENOMEM, 0, "no memory for a backup");
	fputs(HEAD, b.manifest);
	int rc = 0;
	for (b.pass = SQLITE; rc == 0 && b.pass < N_PASSES; b.pass++)
		rc = walk(&b, "", 0);
	if (fclose(b.manifest) != 0 && rc == 0)
		rc = ep_fail(err, -ENOMEM, 0, "no memory for a backup");
	if (rc == 0)
		rc = write_manifest(dest, text, n, err);
	free(text);
	*ret_sum = b.sum;
	return rc;
}

/* --- reading it back --------------------------------------------------------------------------- */

static int read_manifest(const char *dir, char **ret_text, struct ep_err *err)
{
	char path[PATH_MAX];
	struct stat st = {0};
	unsigned crc = 0;
	(void)snprintf(path, sizeof(path), "%s/" MANIFEST, dir);
	FILE *f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? ep_fail(err, -EBADMSG, 0,
						 "%s is not a backup, or one that was not finished",
						 dir)
				       : io_fail(err, path, errno);
	(void)fstat(fileno(f), &st); /* 0: refused as empty */
	char *text = st.st_size < INT_MAX ? ep_zalloc((size_t)st.st_size + 1) : NULL;
	size_t n = text ? fread(text, 1, (size_t)st.st_size, f) : 0;
	fclose(f);
	if (!text)
		return ep_fail(err, -ENOMEM, 0, "no memory for %s", path);
	char *end = n > 16 && text[n - 1] == '\n' ? memrchr(text, '\n', n - 1) : NULL;
	bool ours = !strncmp(text, HEAD, strlen(HEAD));
	if (!ours || !end || sscanf(end + 1, "crc32c %8x", &crc) != 1 ||
	    crc != ep_crc32c(0, text, (size_t)(end + 1 - text))) {
		bool newer = !ours && !strncmp(text, "everprof-backup ", 16);
		ep_free(text);
		return newer ? ep_fail(err, -ENOTSUP, 0, "%s is of a newer everprof", path)
			     : ep_fail(err, -EBADMSG, 0, "%s is damaged", path);
	}
	end[1] = '\0';
	memmove(text, text + strlen(HEAD), strlen(text + strlen(HEAD)) + 1);
	*ret_text = text;
	return 0;
}

/* It was written by us, but a restore must stay in its folder whatever it says. */
static bool is_inside(const char *name)
{
	return *name && *name != '/' && strcmp(name, "..") != 0 && strncmp(name, "../", 3) != 0 &&
	       !strstr(name, "/../") && !ends_with(name, "/..");
}

static int check_file(const char *dir, const char *line, char ret_name[PATH_MAX],
		      struct ep_backup_sum *sum, struct ep_err *err)
{
	unsigned long long n_said;
	unsigned crc_said;
	int at = 0;
	uint64_t n;
	uint32_t crc;
	char path[2 * PATH_MAX];
	if (sscanf(line, "%llu %8x %n", &n_said, &crc_said, &at) != 2 || !at ||
	    strlen(line + at) >= PATH_MAX || !is_inside(line + at))
		return ep_fail(err, -EBADMSG, 0, "%s/" MANIFEST ": a damaged row", dir);
	memcpy(ret_name, line + at, strlen(line + at) + 1);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, ret_name);
	EP_TRY(sum_file(path, &n, &crc, err));
	if (n != n_said || crc != crc_said)
		return ep_fail(err, -EBADMSG, 0, "%s: its bytes are not those of the backup", path);
	sum->files++;
	sum->bytes += n;
	return 0;
}

static int make_folders(const char *base, const char *name, struct ep_err *err)
{
	char path[2 * PATH_MAX];
	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		(void)snprintf(path, sizeof(path), "%s/%.*s", base, (int)(slash - name), name);
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return io_fail(err, path, errno);
	}
	return 0;
}

int ep_backup_restore(const char *backup, const char *data, struct ep_backup_sum *ret_sum,
		      struct ep_err *err)
{
	char *text = NULL, name[PATH_MAX], from[2 * PATH_MAX], to[2 * PATH_MAX];
	struct ep_backup_sum sum = {0};
	EP_TRY(read_manifest(backup, &text, err));
	int rc = check_empty(data, err);
	for (char *line = text, *end; rc == 0 && (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		rc = check_file(backup, line, name, &sum, err);
		if (rc == 0)
			rc = make_folders(data, name, err);
		(void)snprintf(from, sizeof(from), "%s/%s", backup, name);
		(void)snprintf(to, sizeof(to), "%s/%s", data, name);
		if (rc == 0)
			rc = copy_bytes(from, to, err);
	}
	ep_free(text);
	*ret_sum = sum;
	return rc == 0 ? sync_dir(data, err) : rc;
}

/* --- verifying ------------------------------------------------------------------------------------ */

static void tell(struct ep_backup_sum *sum, void (*say)(const char *sentence),
		 const struct ep_err *err)
{
	sum->bad++;
	if (say)
		say(err->text);
}

static int verify_tree(const char *dir, int depth, void (*say)(const char *sentence),
		       struct ep_backup_sum *sum, struct ep_err *err)
{
	DIR *d = opendir(dir);
	if (!d)
		return errno == ENOENT && depth ? 0 : io_fail(err, dir, errno);
	int rc = 0;
	for (struct dirent *e; rc == 0 && (e = readdir(d));) {
		char path[PATH_MAX];
		struct stat st;
		struct ep_err why = {0};
		if (is_passing(e->d_name) || !strcmp(e->d_name, "quarantine") ||
		    snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) >= PATH_MAX ||
		    lstat(path, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < MAX_DEPTH) {
			rc = verify_tree(path, depth + 1, say, sum, err);
		} else if (S_ISREG(st.st_mode)) {
			int bad = ep_filecare_check(path, path, &why);
			if (bad < 0 && lstat(path, &st) == 0) /* else it went meanwhile */
				tell(sum, say, &why);
			sum->files++;
			sum->bytes += (uint64_t)st.st_size;
		}
	}
	closedir(d);
	return rc;
}

static int verify_manifest(const char *dir, void (*say)(const char *sentence),
			   struct ep_backup_sum *sum, struct ep_err *err)
{
	char *text = NULL, name[PATH_MAX];
	struct ep_backup_sum read = {0};
	EP_TRY(read_manifest(dir, &text, err));
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		struct ep_err why = {0};
		*end = '\0';
		if (check_file(dir, line, name, &read, &why) < 0)
			tell(sum, say, &why);
	}
	ep_free(text);
	return 0;
}

int ep_backup_verify(const char *dir, void (*say)(const char *sentence),
		     struct ep_backup_sum *ret_sum, struct ep_err *err)
{
	char path[PATH_MAX];
	struct ep_backup_sum sum = {0};
	(void)snprintf(path, sizeof(path), "%s/" MANIFEST, dir);
	int rc = access(path, F_OK) == 0 ? verify_manifest(dir, say, &sum, err) : 0;
	if (rc == 0)
		rc = verify_tree(dir, 0, say, &sum, err);
	*ret_sum = sum;
	if (rc == 0 && sum.bad)
		return ep_fail(err, -EBADMSG, 0, "%llu of %llu files are damaged",
			       (unsigned long long)sum.bad, (unsigned long long)sum.files);
	return rc;
}
