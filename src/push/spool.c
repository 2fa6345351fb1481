/* spool.c - see spool.h. */
#include "push/spool.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/sort.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The layout of docs/formats/spool.md; little-endian, as all machines we run on. */
struct head {
	char magic[4];
	uint16_t version, head_bytes;
	uint32_t name_bytes, sample_rate_hz;
	uint64_t from_ns, until_ns, body_bytes;
	uint64_t checksum; /* XXH3-64 of the file with this field 0 */
};

enum {
	VERSION = 1,
	MAX_NAME_BYTES = 64 << 10,
	MAX_FILES = 20000,
	MIN_FD = 10,
};
#define MAX_FILE_BYTES ((size_t)256 << 20)

_Static_assert(sizeof(struct head) == 48, "the layout is a contract");

static uint64_t checksum_of(struct head h, const void *rest, size_t n)
{
	h.checksum = 0;
	return ep_hash_mix(ep_hash64(&h, sizeof(h)), ep_hash64(rest, n));
}

void ep_spool_encode(const struct ep_push_item *item, struct ep_buf *out)
{
	struct head h = {
		.magic = "EPSP",
		.version = VERSION,
		.head_bytes = sizeof(h),
		.name_bytes = (uint32_t)strlen(item->name) + 1,
		.sample_rate_hz = item->sample_rate_hz,
		.from_ns = item->from_ns,
		.until_ns = item->until_ns,
		.body_bytes = item->n_bytes,
	};
	size_t at = out->len;
	ep_buf_add(out, &h, sizeof(h));
	ep_buf_add(out, item->name, h.name_bytes);
	ep_buf_add(out, item->pprof_gz, item->n_bytes);
	if (ep_buf_failed(out))
		return;
	uint8_t *rest = out->data + at + sizeof(h);
	h.checksum = checksum_of(h, rest, out->len - at - sizeof(h));
	memcpy(out->data + at, &h, sizeof(h));
}

int ep_spool_decode(const void *data, size_t n, struct ep_push_item *ret, struct ep_err *err)
{
	struct head h;
	const char *rest = (const char *)data + sizeof(h);
	if (n < sizeof(h))
		return ep_fail(err, -ENODATA, n, "a spool file of %zu bytes", n);
	memcpy(&h, data, sizeof(h));
	if (memcmp(h.magic, "EPSP", 4) != 0)
		return ep_fail(err, -EBADMSG, 0, "not a spool file");
	if (h.version != VERSION || h.head_bytes != sizeof(h))
		return ep_fail(err, -ENOTSUP, 4, "spool format %u", h.version);
	n -= sizeof(h);
	if (h.name_bytes == 0 || h.name_bytes > MAX_NAME_BYTES || h.name_bytes > n ||
	    h.body_bytes != n - h.name_bytes)
		return ep_fail(err, -ENODATA, sizeof(h), "a spool file that was cut");
	if (h.checksum != checksum_of(h, rest, n))
		return ep_fail(err, -EBADMSG, 40, "a spool file's checksum is wrong");
	if (memchr(rest, '\0', h.name_bytes) != rest + h.name_bytes - 1)
		return ep_fail(err, -EBADMSG, sizeof(h), "a spool file's name does not end where it says");
	*ret = (struct ep_push_item){
		.name = rest,
		.from_ns = h.from_ns,
		.until_ns = h.until_ns,
		.sample_rate_hz = h.sample_rate_hz,
		.pprof_gz = rest + h.name_bytes,
		.n_bytes = h.body_bytes,
	};
	return 0;
}

int ep_spool_init(struct ep_spool *s, const char *dir, size_t max_bytes)
{
	*s = (struct ep_spool){.max_bytes = max_bytes, .dir = ep_strdup(dir)};
	return s->dir ? 0 : -ENOMEM;
}

void ep_spool_fini(struct ep_spool *s)
{
	ep_free(s->dir);
	*s = (struct ep_spool){0};
}

/* ---- the folder ------------------------------------------------------------ */

static void path_of(const struct ep_spool *s, const char *file, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", s->dir, file);
}

/* mkdir -p, for our eyes only. */
static int make_dirs(const char *dir)
{
	char path[PATH_MAX];
	size_t n = strlen(dir);
	if (n >= sizeof(path))
		return -EINVAL;
	memcpy(path, dir, n + 1);
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		char c = path[i];
		path[i] = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return errno == EACCES || errno == EROFS ? -EACCES : -EIO;
		path[i] = c;
	}
	return 0;
}

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);
	return n > k && n < 64 && strcmp(s + n - k, suffix) == 0;
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fd >= MIN_FD)
		return fd;
	int high = fcntl(fd, F_DUPFD_CLOEXEC, MIN_FD);
	close(fd);
	return high;
}

struct listing {
	char (*files)[64];
	size_t n;
	uint64_t bytes;
};

static bool by_name(const void *a, const void *b, void *arg)
{
	(void)arg;
	return strcmp(a, b) < 0;
}

/* Names start with the time in 20 digits, so that order by name is order by age. */
static int list(const struct ep_spool *s, struct listing *l)
{
	*l = (struct listing){0};
	DIR *d = opendir(s->dir);
	if (!d)
		return -ENOENT;
	size_t cap = 0;
	for (struct dirent *e; l->n < MAX_FILES && (e = readdir(d)) != NULL;) {
		struct stat st;
		if (!has_suffix(e->d_name, ".spool") && !has_suffix(e->d_name, ".bad") &&
		    !has_suffix(e->d_name, ".part"))
			continue;
		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (l->n == cap) {
			cap = cap ? cap * 2 : 64;
			void *more = ep_realloc(l->files, cap * sizeof(*l->files));
			if (!more)
				break;
			l->files = more;
		}
		strcpy(l->files[l->n++], e->d_name);
		l->bytes += (uint64_t)st.st_size;
	}
	closedir(d);
	ep_sort(l->files, l->n, sizeof(*l->files), by_name, NULL);
	return 0;
}

void ep_spool_look(struct ep_spool *s)
{
	struct listing l;
	s->n_files = s->n_bytes = 0;
	if (list(s, &l) < 0)
		return;
	for (size_t i = 0; i < l.n; i++)
		s->n_files += has_suffix(l.files[i], ".spool");
	s->n_bytes = l.bytes;
	ep_free(l.files);
}

/* A locked descriptor, or negative when somebody else has the file or it is gone. */
static int lock_file(const char *path)
{
	struct stat a, b;
	int fd = open_file(path, O_RDONLY);
	if (fd < 0)
		return -ENOENT;
	/* Its owner may have removed it between our open and our lock. */
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &a) < 0 || stat(path, &b) < 0 ||
	    a.st_ino != b.st_ino) {
		close(fd);
		return -EAGAIN;
	}
	return fd;
}

static void drop_oldest(struct ep_spool *s)
{
	struct listing l;
	if (list(s, &l) < 0)
		return;
	for (size_t i = 0; i < l.n && l.bytes > s->max_bytes; i++) {
		char path[PATH_MAX];
		struct stat st;
		path_of(s, l.files[i], path);
		int fd = lock_file(path);
		if (fd < 0)
			continue;
		if (fstat(fd, &st) == 0 && unlink(path) == 0) {
			l.bytes -= (uint64_t)st.st_size;
			s->n_dropped += has_suffix(l.files[i], ".spool");
		}
		close(fd);
	}
	ep_free(l.files);
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t k = write(fd, p, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return errno == ENOSPC || errno == EDQUOT ? -ENOSPC : -EIO;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

int ep_spool_put(struct ep_spool *s, const struct ep_push_item *item)
{
	if (strlen(item->name) >= MAX_NAME_BYTES)
		return -E2BIG;
	ep_auto_buf b;
	ep_buf_init(&b, MAX_FILE_BYTES);
	ep_spool_encode(item, &b);
	if (ep_buf_failed(&b))
		return ep_buf_failed(&b);
	if (b.len > s->max_bytes)
		return -E2BIG;
	EP_TRY(make_dirs(s->dir));
	char file[64], path[PATH_MAX], temp[PATH_MAX];
	snprintf(file, sizeof(file), "%020" PRIu64 "-%d-%" PRIu64 ".spool", item->from_ns,
		 (int)getpid(), s->seq++);
	path_of(s, file, path);
	memcpy(strstr(file, ".spool"), ".part", 6);
	path_of(s, file, temp);
	int fd = open_file(temp, O_WRONLY | O_CREAT | O_EXCL);
	if (fd < 0)
		return errno == EACCES ? -EACCES : errno == ENOSPC ? -ENOSPC : -EIO;
	int rc = write_all(fd, b.data, b.len);
	if (close(fd) < 0 && rc == 0)
		rc = -EIO;
	if (rc == 0 && rename(temp, path) < 0)
		rc = -EIO;
	if (rc < 0) {
		(void)unlink(temp); /* nothing to do about a leftover */
		return rc;
	}
	s->n_files++;
	s->n_bytes += b.len;
	if (s->n_bytes > s->max_bytes) {
		drop_oldest(s);
		ep_spool_look(s);
	}
	return 0;
}

static int read_all(int fd, struct ep_buf *b)
{
	for (;;) {
		uint8_t *to = ep_buf_reserve(b, 1 << 16);
		if (!to)
			return ep_buf_failed(b);
		ssize_t k = read(fd, to, 1 << 16);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -EIO;
		if (k == 0)
			return 0;
		b->len += (size_t)k;
	}
}

/* Put a broken file aside: it keeps its place in the byte limit, no more. */
static void set_aside(struct ep_spool *s, const char *file)
{
	char path[PATH_MAX], bad[PATH_MAX + 8];
	path_of(s, file, path);
	snprintf(bad, sizeof(bad), "%.*s.bad", (int)(strlen(path) - strlen(".spool")), path);
	if (rename(path, bad) == 0)
		s->n_dropped++;
}

static int take_file(struct ep_spool *s, const char *file, struct ep_spool_item *ret)
{
	char path[PATH_MAX];
	path_of(s, file, path);
	struct ep_spool_item i = {.fd = lock_file(path)};
	if (i.fd < 0)
		return i.fd;
	ep_buf_init(&i.bytes, MAX_FILE_BYTES + (1 << 16));
	int rc = read_all(i.fd, &i.bytes);
	if (rc == 0)
		rc = ep_spool_decode(i.bytes.data, i.bytes.len, &i.item, NULL);
	if (rc == 0) {
		strcpy(i.file, file);
		*ret = i;
		return 0;
	}
	if (rc == -EBADMSG || rc == -ENODATA)
		set_aside(s, file);
	ep_buf_fini(&i.bytes);
	close(i.fd);
	return rc;
}

int ep_spool_take(struct ep_spool *s, const char *after, struct ep_spool_item *ret)
{
	struct listing l;
	int rc = list(s, &l);
	if (rc < 0)
		return rc;
	rc = -ENOENT;
	for (size_t i = 0; i < l.n && rc < 0; i++)
		if (has_suffix(l.files[i], ".spool") && strcmp(l.files[i], after) > 0)
			rc = take_file(s, l.files[i], ret);
	ep_free(l.files);
	return rc < 0 ? -ENOENT : 0;
}

void ep_spool_put_back(struct ep_spool *s, struct ep_spool_item *i)
{
	(void)s;
	(void)flock(i->fd, LOCK_UN); /* a child forked meanwhile may hold the file open */
	close(i->fd);
	ep_buf_fini(&i->bytes);
}

void ep_spool_remove(struct ep_spool *s, struct ep_spool_item *i)
{
	char path[PATH_MAX];
	path_of(s, i->file, path);
	if (unlink(path) == 0 && s->n_files) {
		s->n_files--;
		s->n_bytes -= i->bytes.len < s->n_bytes ? i->bytes.len : s->n_bytes;
	}
	close(i->fd);
	ep_buf_fini(&i->bytes);
}
