/*
 * store.c - the folder: its heads, which of them is written to, open and close.
 * Appending is in append.c, writing in writer.c, sealing in sealer.c, reading in read.c.
 */
#include "store/store.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/inside.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SUFFIX ".head"
enum { NAME_LEN = 13 + 5, MAX_HEADS = 9999 }; /* YYYYMMDD-NNNN.head */

/* --- names ------------------------------------------------------------------------- */

static bool is_head_name(const char *s)
{
	if (strlen(s) != NAME_LEN || strcmp(s + 13, SUFFIX) != 0 || s[8] != '-')
		return false;
	for (int i = 0; i < 13; i++)
		if (i != 8 && (s[i] < '0' || s[i] > '9'))
			return false;
	return true;
}

static uint64_t day_of(const char *name)
{
	struct tm tm = {0};
	int y, m, d;
	if (sscanf(name, "%4d%2d%2d", &y, &m, &d) != 3)
		return 0;
	tm.tm_year = y - 1900;
	tm.tm_mon = m - 1;
	tm.tm_mday = d;
	time_t t = timegm(&tm);
	return t < 0 ? 0 : (uint64_t)t * EP_NS_PER_S;
}

static void today(char day[9])
{
	time_t now = (time_t)(ep_clock_wall_ns() / EP_NS_PER_S);
	struct tm tm;
	gmtime_r(&now, &tm);
	strftime(day, 9, "%Y%m%d", &tm);
}

static char *join(const char *dir, const char *name)
{
	size_t n = strlen(dir) + strlen(name) + 2;
	char *s = ep_alloc(n);
	if (s)
		snprintf(s, n, "%s/%s", dir, name);
	return s;
}

/* --- the list of heads ---------------------------------------------------------------- */

static int add_head(struct ep_store *s, const char *name, struct ep_head **ret_h)
{
	struct ep_head **v = ep_realloc(s->heads, (s->n_heads + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	s->heads = v;
	struct ep_head *h = NULL;
	EP_TRY(ep_head_new(s->heads_dir, name, s->quarantine, &h));
	h->day_ns = day_of(name);
	s->heads[s->n_heads++] = h;
	s->stats.heads = s->n_heads;
	*ret_h = h;
	return 0;
}

/* By a segment, or a head that is about to go. */
static bool is_taken(const struct ep_store *s, const char *name)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", s->heads_dir, name);
	if (access(path, F_OK) == 0)
		return true;
	snprintf(path, sizeof(path), "%s/%.*s" EP_SEGMENT_SUFFIX, s->segments_dir, EP_STORE_STEM, name);
	return access(path, F_OK) == 0;
}

/* The name after the last of this day. */
static int next_name(const struct ep_store *s, char *name, size_t n, struct ep_err *err)
{
	char day[9];
	unsigned number = 0;
	today(day);
	for (uint32_t i = 0; i < s->n_heads; i++)
		if (!strncmp(s->heads[i]->name, day, 8)) {
			unsigned k = (unsigned)atoi(s->heads[i]->name + 9);
			number = k > number ? k : number;
		}
	for (number++; number <= MAX_HEADS; number++) {
		snprintf(name, n, "%s-%04u" SUFFIX, day, number);
		if (!is_taken(s, name))
			return 0;
	}
	return ep_fail(err, -E2BIG, 0, "%d heads on one day", MAX_HEADS);
}

static bool is_usable(const struct ep_head *h)
{
	char day[9];
	today(day);
	return !strncmp(h->name, day, 8) && !atomic_load(&((struct ep_head *)h)->full) &&
	       !atomic_load(&((struct ep_head *)h)->damaged) && !h->failed;
}

bool ep_store_may_resume(const struct ep_head *h)
{
	return is_usable(h);
}

static int open_for_writing(struct ep_store *s, struct ep_head *h, struct ep_err *err)
{
	pthread_mutex_lock(&s->load_lock);
	int rc = ep_head_begin(h, err);
	pthread_mutex_unlock(&s->load_lock);
	return rc;
}

/* After a start: go on with today's last head, if it is whole. */
static bool resume(struct ep_store *s)
{
	struct ep_head *h = s->n_heads ? s->heads[s->n_heads - 1] : NULL;
	struct ep_err err = {0};
	if (!h || h->w.db || !is_usable(h))
		return false;
	if (open_for_writing(s, h, &err) < 0) {
		ep_log_warn("store: %s is only read from now on: %s", h->name, err.text);
		return false;
	}
	s->active = h;
	return true;
}

static int begin_head(struct ep_store *s, struct ep_err *err)
{
	char name[64];
	struct ep_head *h = NULL;
	EP_TRY(next_name(s, name, sizeof(name), err));
	if (add_head(s, name, &h) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for a head");
	int rc = open_for_writing(s, h, err);
	if (rc < 0) {
		/* Nobody saw it yet. */
		s->stats.heads = --s->n_heads;
		(void)unlink(h->path); /* empty; the next try takes the same name */
		ep_head_free(h);
		return rc;
	}
	s->active = h;
	return 0;
}

int ep_store_take_head(struct ep_store *s, struct ep_head **ret_h, struct ep_err *err)
{
	pthread_mutex_lock(&s->lock);
	int rc = 0;
	if (!s->active || !is_usable(s->active)) {
		s->active = NULL;
		pthread_cond_signal(&s->work); /* the writer closes the old one */
		rc = resume(s) ? 0 : begin_head(s, err);
	}
	if (!rc) {
		s->active->refs++;
		s->active->pending++;
		*ret_h = s->active;
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

void ep_store_drop_head(struct ep_store *s, struct ep_head *h)
{
	pthread_mutex_lock(&s->lock);
	h->refs--;
	if (!--h->pending && h != s->active)
		pthread_cond_signal(&s->work); /* the writer closes it */
	pthread_mutex_unlock(&s->lock);
}

/* --- open and close --------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* SQLite keeps user_version at byte 60 of the file, big-endian; 0: not in the file itself. */
static int check_version(const char *path, const char *name, uint32_t *ret_version,
			 struct ep_err *err)
{
	uint8_t b[64] = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ep_fail(err, errno == EACCES ? -EACCES : -EIO, 0, "%s can't be opened", path);
	ssize_t n = pread(fd, b, sizeof(b), 0);
	(void)close(fd); /* only read */
	uint32_t version = (uint32_t)b[60] << 24 | (uint32_t)b[61] << 16 | (uint32_t)b[62] << 8 | b[63];
	*ret_version = version;
	if (n == (ssize_t)sizeof(b) && !memcmp(b, "SQLite format 3", 16) &&
	    version > EP_HEAD_VERSION && version < 1000)
		return ep_fail(err, -ENOTSUP, 0, "%s has version %u, this everprof knows %d", name,
			       version, EP_HEAD_VERSION);
	return 0;
}

static int list_names(const char *dir, char ***ret_names, uint32_t *ret_n, struct ep_err *err)
{
	DIR *d = opendir(dir);
	if (!d)
		return ep_fail(err, errno == EACCES ? -EACCES : -EIO, 0, "%s can't be read", dir);
	int rc = 0;
	for (struct dirent *e; !rc && (e = readdir(d));) {
		if (!is_head_name(e->d_name))
			continue;
		char **v = ep_realloc(*ret_names, (*ret_n + 1) * sizeof(*v));
		char *name = v ? ep_strdup(e->d_name) : NULL;
		if (v)
			*ret_names = v;
		if (name)
			v[(*ret_n)++] = name;
		else
			rc = ep_fail(err, -ENOMEM, 0, "no memory to list %s", dir);
	}
	(void)closedir(d); /* only read */
	return rc;
}

/* 1: the making of this head was cut short, and it is gone; 0: it is one. */
static int clear_unmade(const char *path, const char *name, struct ep_err *err)
{
	uint32_t version = 0;
	EP_TRY(check_version(path, name, &version, err));
	if (version || ep_head_has_tables(path))
		return 0;
	ep_log_info("store: %s was being made when everprof ended; it holds nothing and is removed",
		    name);
	ep_store_remove_head(path);
	return 1;
}

static int add_named(struct ep_store *s, char **names, uint32_t n, struct ep_err *err)
{
	for (uint32_t i = 0; i < n; i++) {
		struct ep_head *h = NULL;
		char *path ep_auto_mem = join(s->heads_dir, names[i]);
		int gone = path ? clear_unmade(path, names[i], err) : 0;
		EP_TRY(gone);
		if (gone)
			continue;
		if (!path || add_head(s, names[i], &h) < 0)
			return ep_fail(err, -ENOMEM, 0, "no memory for the heads");
	}
	return 0;
}

static int add_all(struct ep_store *s, struct ep_err *err)
{
	char **names = NULL;
	uint32_t n = 0;
	int rc = list_names(s->heads_dir, &names, &n, err);
	if (n > 1)
		qsort(names, n, sizeof(*names), by_name);
	if (!rc)
		rc = add_named(s, names, n, err);
	for (uint32_t i = 0; i < n; i++)
		ep_free(names[i]);
	ep_free(names);
	return rc;
}

/* What earlier runs set aside: files named HEAD.BLOB. */
static void recall_bad(struct ep_store *s)
{
	DIR *d = opendir(s->quarantine);
	if (!d)
		return; /* nothing was ever set aside */
	for (struct dirent *e; (e = readdir(d));) {
		if (strlen(e->d_name) <= NAME_LEN + 1)
			continue;
		for (uint32_t i = 0; i < s->n_heads; i++)
			if (!strncmp(e->d_name, s->heads[i]->name, NAME_LEN))
				ep_head_recall_bad(s->heads[i],
						   strtoull(e->d_name + NAME_LEN + 1, NULL, 10));
	}
	(void)closedir(d); /* only read */
}

static int make_dir(const char *path, struct ep_err *err)
{
	if (mkdir(path, 0750) == 0)
		return ep_head_sync_entry(path, err);
	if (errno == EEXIST)
		return 0;
	int code = errno == EACCES || errno == EPERM || errno == EROFS ? -EACCES
		   : errno == ENOSPC				       ? -ENOSPC
								       : -EIO;
	return ep_fail(err, code, 0, "%s can't be made: %s", path, strerror(errno));
}

static int take_lock(struct ep_store *s, struct ep_err *err)
{
	char *path ep_auto_mem = join(s->dir, "LOCK");
	if (!path)
		return ep_fail(err, -ENOMEM, 0, "no memory to open the store");
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (s->lock_fd < 0)
		return ep_fail(err, errno == ENOSPC ? -ENOSPC : -EACCES, 0, "%s can't be opened: %s",
			       path, strerror(errno));
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return ep_fail(err, -EAGAIN, 0, "%s is in use by another everprof", s->dir);
	return 0;
}

static int set_up(struct ep_store *s, const char *dir, struct ep_err *err)
{
	s->dir = ep_strdup(dir);
	s->heads_dir = join(dir, "heads");
	s->segments_dir = join(dir, "segments");
	s->quarantine = join(dir, "quarantine");
	if (!s->dir || !s->heads_dir || !s->segments_dir || !s->quarantine)
		return ep_fail(err, -ENOMEM, 0, "no memory to open the store");
	EP_TRY(make_dir(dir, err));
	EP_TRY(take_lock(s, err));
	EP_TRY(make_dir(s->heads_dir, err));
	EP_TRY(make_dir(s->segments_dir, err));
	EP_TRY(ep_store_open_segments(s, err));
	EP_TRY(add_all(s, err));
	recall_bad(s);
	EP_TRY(ep_store_start_writer(s, err));
	return ep_store_start_sealer(s, err);
}

int ep_store_open(const char *dir, struct ep_store **ret_s, struct ep_err *err)
{
	struct ep_store *s = ep_zalloc(sizeof(*s));
	if (!s)
		return ep_fail(err, -ENOMEM, 0, "no memory to open the store");
	s->lock_fd = -1;
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->load_lock, NULL);
	pthread_cond_init(&s->work, NULL);
	pthread_cond_init(&s->done, NULL);
	pthread_cond_init(&s->seal_work, NULL);
	int rc = set_up(s, dir, err);
	if (rc < 0) {
		ep_store_close(s);
		return rc;
	}
	*ret_s = s;
	return 0;
}

void ep_store_close(struct ep_store *s)
{
	if (!s)
		return;
	ep_store_stop_writer(s);
	ep_store_stop_sealer(s);
	ep_store_close_segments(s);
	for (uint32_t i = 0; i < s->n_heads; i++)
		ep_head_free(s->heads[i]);
	if (s->lock_fd >= 0)
		(void)close(s->lock_fd); /* gives the lock back */
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->load_lock);
	pthread_cond_destroy(&s->work);
	pthread_cond_destroy(&s->done);
	pthread_cond_destroy(&s->seal_work);
	ep_free(s->segments_dir);
	ep_free(s->heads);
	ep_free(s->dir);
	ep_free(s->heads_dir);
	ep_free(s->quarantine);
	ep_free(s);
}

void ep_store_stats(struct ep_store *s, struct ep_store_stats *ret_stats)
{
	pthread_mutex_lock(&s->lock);
	*ret_stats = s->stats;
	pthread_mutex_unlock(&s->lock);
}
