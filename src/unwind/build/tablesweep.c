/*
 * tablesweep.c - see tablesweep.h.
 *
 * Reads the folder by the kernel's own call: opendir() would allocate from the program we
 * may be a guest in.
 */
#include "unwind/build/tablesweep.h"

#include "base/clock.h"
#include "base/highfd.h"
#include "base/mem.h"
#include "unwind/build/tablefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	MAX_FILES = 1 << 16, /* more are seen to by later sweeps */
	HOUR_S = 3600,
	DAY_S = 86400,
	READ_BYTES = 32768,
};

#define STAMP ".swept" /* its time is that of the last sweep */

/* The kernel's struct linux_dirent64. */
struct entry {
	uint64_t inode;
	int64_t off;
	uint16_t n_bytes;
	uint8_t type;
	char name[];
};

struct old_file {
	char name[EP_TABLEFILE_NAME_MAX];
	uint64_t used_s, n_bytes;
};

struct sweep {
	int dir;
	const struct ep_tablesweep_limits *limits;
	uint64_t now_s, n_bytes;
	int n_removed;
	struct old_file *files; /* a heap: the oldest first */
	uint32_t n, cap;
};

static bool remove_file(struct sweep *s, const char *name)
{
	bool ok = unlinkat(s->dir, name, 0) == 0;
	s->n_removed += ok;
	return ok;
}

static void swap(struct old_file *a, struct old_file *b)
{
	struct old_file t = *a;
	*a = *b;
	*b = t;
}

static void push(struct sweep *s, const struct old_file *f)
{
	if (s->n == s->cap) {
		uint32_t cap = s->cap ? s->cap * 2 : 64;
		void *more = cap > MAX_FILES ? NULL : ep_realloc(s->files, cap * sizeof(*f));
		if (!more)
			return;
		s->files = more;
		s->cap = cap;
	}
	uint32_t i = s->n++;
	s->files[i] = *f;
	for (; i && s->files[i].used_s < s->files[(i - 1) / 2].used_s; i = (i - 1) / 2)
		swap(&s->files[i], &s->files[(i - 1) / 2]);
}

static void pop(struct sweep *s)
{
	s->files[0] = s->files[--s->n];
	for (uint32_t i = 0, c; (c = 2 * i + 1) < s->n; i = c) {
		if (c + 1 < s->n && s->files[c + 1].used_s < s->files[c].used_s)
			c++;
		if (s->files[i].used_s <= s->files[c].used_s)
			return;
		swap(&s->files[i], &s->files[c]);
	}
}

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);
	return n >= k && !strcmp(name + n - k, end);
}

static void look_at(struct sweep *s, const char *name)
{
	struct stat st;
	struct old_file f;
	bool is_new = !strncmp(name, EP_TABLEFILE_TEMPORARY, strlen(EP_TABLEFILE_TEMPORARY));
	if ((!is_new && !ends_with(name, ".unwind")) || strlen(name) >= sizeof(f.name) ||
	    fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return;
	uint64_t used = (uint64_t)st.st_mtim.tv_sec;
	uint64_t age = s->now_s > used ? s->now_s - used : 0;
	if (age > (is_new ? s->limits->max_new_age_s : s->limits->max_age_s)) {
		remove_file(s, name);
		return;
	}
	if (is_new)
		return;
	strcpy(f.name, name);
	f.used_s = used;
	f.n_bytes = (uint64_t)st.st_blocks * 512;
	s->n_bytes += f.n_bytes;
	push(s, &f);
}

static void read_folder(struct sweep *s)
{
	ep_auto_mem char *buf = ep_alloc(READ_BYTES);
	/* One of our own: the position in a folder belongs to the descriptor. */
	int fd = ep_highfd(openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (fd < 0)
		return;
	for (long n; buf && (n = syscall(SYS_getdents64, fd, buf, READ_BYTES)) > 0;)
		for (long at = 0; at < n;) {
			const struct entry *e = (const void *)(buf + at);
			look_at(s, e->name);
			at += e->n_bytes;
		}
	close(fd);
}

int ep_tablesweep_now(int dir, const struct ep_tablesweep_limits *l, uint64_t now_s)
{
	struct sweep s = {.dir = dir, .limits = l, .now_s = now_s};
	read_folder(&s);
	bool too_many = s.n_bytes > l->max_bytes;
	while (too_many && s.n && s.n_bytes > l->keep_bytes) {
		remove_file(&s, s.files[0].name);
		s.n_bytes -= s.files[0].n_bytes;
		pop(&s);
	}
	ep_free(s.files);
	return s.n_removed;
}

/* True once an hour, for one process. */
static bool is_due(int dir, uint64_t now_s)
{
	struct stat st;
	if (fstatat(dir, STAMP, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    now_s < (uint64_t)st.st_mtim.tv_sec + HOUR_S)
		return false;
	int fd = ep_highfd(openat(dir, STAMP, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
	if (fd < 0)
		return false;
	(void)futimens(fd, NULL); /* it is new, then, or another sweeps too */
	close(fd);
	return true;
}

void ep_tablesweep(int dir)
{
	static const struct ep_tablesweep_limits limits = {
		.max_bytes = (uint64_t)256 << 20,
		.keep_bytes = (uint64_t)192 << 20,
		.max_age_s = 90 * DAY_S,
		.max_new_age_s = HOUR_S,
	};
	uint64_t now_s = ep_clock_wall_ns() / EP_NS_PER_S;
	if (is_due(dir, now_s))
		(void)ep_tablesweep_now(dir, &limits, now_s);
}
