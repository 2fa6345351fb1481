/*
 * symcache.c - a folder of symbol tables by build ID.  See symbol.h.
 *
 * DIR/ab/cdef… holds the table of build ID abcdef….  A file appears whole, by
 * rename, and is never changed afterwards, so it is mapped, not read.  Look-ups
 * remember what is not there as well; only put() and add_file() of the same cache
 * end such a memory.
 */
#include "symbol/symbol.h"

#include "base/hash.h"
#include "base/index.h"
#include "base/mem.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIN_ID 8u /* hex digits: the folder's two, and enough to be an identity */
#define MAX_ID 64u
#define MAX_TABLE_BYTES ((size_t)2 << 30)

struct entry {
	char id[MAX_ID + 1];
	struct ep_symtab *table; /* NULL: not there */
	void *data;
	size_t n_bytes;
	struct entry *replaced; /* still in somebody's hands until the cache goes */
};

struct ep_symcache {
	char *dir;
	pthread_mutex_t lock;
	struct entry **entries;
	size_t n, cap;
	struct ep_index by_id;
	atomic_uint n_written; /* names temporary files apart */
	_Atomic uint64_t generation;
};

struct path {
	char dir[4096], file[4096];
};

static _Atomic uint64_t last_generation; /* of all caches */

static int check_id(struct ep_slice id, struct ep_err *err)
{
	bool ok = id.n >= MIN_ID && id.n <= MAX_ID;
	for (size_t i = 0; ok && i < id.n; i++)
		ok = (id.p[i] >= '0' && id.p[i] <= '9') ||
		     (id.p[i] >= 'a' && id.p[i] <= 'f');
	return ok ? 0
		  : ep_fail(err, -EINVAL, 0,
			    "a build ID is %u to %u digits of lower-case hex", MIN_ID,
			    MAX_ID);
}

static int make_path(const struct ep_symcache *c, struct ep_slice id, struct path *ret)
{
	int n = snprintf(ret->dir, sizeof(ret->dir), "%s/%.2s", c->dir, id.p);
	int m = snprintf(ret->file, sizeof(ret->file), "%s/%.2s/%.*s", c->dir, id.p,
			 (int)id.n - 2, id.p + 2);
	return n < (int)sizeof(ret->dir) && m < (int)sizeof(ret->file) ? 0 : -EINVAL;
}

static int make_dir(const char *dir, struct ep_err *err)
{
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return ep_fail(err, errno == EACCES ? -EACCES : -EIO, 0, "%s: %s", dir,
			       strerror(errno));
	return 0;
}

int ep_symcache_new(const char *dir, struct ep_symcache **ret_c, struct ep_err *err)
{
	EP_TRY(make_dir(dir, err));
	struct ep_symcache *c = ep_zalloc(sizeof(*c));
	if (!c || !(c->dir = ep_strdup(dir))) {
		ep_free(c);
		return ep_fail(err, -ENOMEM, 0, "no memory for the symbol cache");
	}
	pthread_mutex_init(&c->lock, NULL);
	c->generation = ++last_generation;
	*ret_c = c;
	return 0;
}

static void close_entry(struct entry *e)
{
	while (e) {
		struct entry *next = e->replaced;
		ep_symtab_free(e->table);
		if (e->data)
			munmap(e->data, e->n_bytes);
		ep_free(e);
		e = next;
	}
}

void ep_symcache_free(struct ep_symcache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++)
		close_entry(c->entries[i]);
	ep_free(c->entries);
	ep_index_fini(&c->by_id);
	pthread_mutex_destroy(&c->lock);
	ep_free(c->dir);
	ep_free(c);
}

/* Map and check the file of an entry; an unusable one counts as not there. */
static void open_entry(struct ep_symcache *c, struct entry *e)
{
	struct path path;
	struct stat st;
	if (make_path(c, ep_slice_of(e->id), &path) < 0)
		return;
	int fd = open(path.file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (!fstat(fd, &st) && st.st_size > 0 &&
	    (uint64_t)st.st_size <= MAX_TABLE_BYTES) {
		void *data =
			mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (data != MAP_FAILED) {
			e->data = data;
			e->n_bytes = (size_t)st.st_size;
			if (ep_symtab_open(data, e->n_bytes, &e->table, NULL) < 0)
				e->table = NULL;
		}
	}
	close(fd);
}

static struct entry **find(struct ep_symcache *c, struct ep_slice id)
{
	struct ep_index_iter it;
	uint64_t h = ep_hash64(id.p, id.n);
	for (uint32_t i = ep_index_first(&c->by_id, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&c->by_id, &it))
		if (ep_slice_is(id, c->entries[i]->id))
			return &c->entries[i];
	return NULL;
}

static struct entry *new_entry(struct ep_slice id)
{
	struct entry *e = ep_zalloc(sizeof(*e));
	if (e)
		memcpy(e->id, id.p, id.n);
	return e;
}

static struct entry *add(struct ep_symcache *c, struct ep_slice id)
{
	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 64;
		void *moved = ep_realloc(c->entries, cap * sizeof(*c->entries));
		if (!moved)
			return NULL;
		c->entries = moved;
		c->cap = cap;
	}
	struct entry *e = new_entry(id);
	if (!e || ep_index_add(&c->by_id, ep_hash64(id.p, id.n), (uint32_t)c->n) < 0) {
		ep_free(e);
		return NULL;
	}
	c->entries[c->n++] = e;
	open_entry(c, e);
	return e;
}

const struct ep_symtab *ep_symcache_get(struct ep_symcache *c, struct ep_slice build_id)
{
	if (check_id(build_id, NULL) < 0)
		return NULL;
	pthread_mutex_lock(&c->lock);
	struct entry **at = find(c, build_id);
	struct entry *e = at ? *at : add(c, build_id);
	pthread_mutex_unlock(&c->lock);
	return e ? e->table : NULL;
}

uint64_t ep_symcache_generation(struct ep_symcache *c)
{
	return c->generation;
}

bool ep_symcache_has(struct ep_symcache *c, struct ep_slice build_id)
{
	const struct ep_symtab *t = ep_symcache_get(c, build_id);
	return t && ep_symtab_is_current(t);
}

/* A new file was put in place: look again, keep the old one for its readers. */
static int refresh(struct ep_symcache *c, struct ep_slice id)
{
	pthread_mutex_lock(&c->lock);
	struct entry **at = find(c, id);
	struct entry *e = at ? new_entry(id) : add(c, id);
	if (at && e) {
		open_entry(c, e);
		e->replaced = *at;
		*at = e;
	}
	c->generation = ++last_generation; /* after it can be found */
	pthread_mutex_unlock(&c->lock);
	return e ? 0 : -ENOMEM;
}

static int write_all(int fd, const void *data, size_t n)
{
	const char *p = data;
	while (n) {
		ssize_t done = write(fd, p, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 && errno == ENOSPC ? -ENOSPC : -EIO;
		p += done;
		n -= (size_t)done;
	}
	return fsync(fd) < 0 ? -EIO : 0;
}

static void sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(
		fd); /* the file is there; only its survival of a crash is at stake */
	close(fd);
}

static int write_file(struct ep_symcache *c, const struct path *path, const void *data,
		      size_t n, struct ep_err *err)
{
	char temp[4096 + 64];
	snprintf(temp, sizeof(temp), "%s.%d.%u.new", path->file, (int)getpid(),
		 atomic_fetch_add(&c->n_written, 1));
	int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return ep_fail(err, errno == EACCES ? -EACCES : -EIO, 0, "%s: %s", temp,
			       strerror(errno));
	int rc = write_all(fd, data, n);
	close(fd);
	if (rc == 0 && rename(temp, path->file) < 0)
		rc = -EIO;
	if (rc < 0) {
		(void)unlink(temp); /* nothing refers to it */
		return ep_fail(err, rc, 0, "%s: can't be written", path->file);
	}
	sync_dir(path->dir);
	return 0;
}

static int put_aligned(struct ep_symcache *c, struct ep_slice build_id,
		       const void *data, size_t n, struct ep_err *err)
{
	struct path path;
	ep_auto(ep_symtab) t = NULL;
	EP_TRY(ep_symtab_open(data, n, &t, err));
	const char *own = ep_symtab_build_id(t);
	if (own[0] && !ep_slice_is(build_id, own))
		return ep_fail(err, -EBADMSG, 0,
			       "a symbol table of build ID %s for %.*s", own,
			       EP_SLICE_ARG(build_id));
	const struct ep_symtab *old = ep_symcache_get(c, build_id);
	if (old && !ep_symtab_is_better(t, old))
		return 0;
	if (make_path(c, build_id, &path) < 0)
		return ep_fail(err, -EINVAL, 0, "the folder's name is too long");
	EP_TRY(make_dir(path.dir, err));
	EP_TRY(write_file(c, &path, data, n, err));
	return refresh(c, build_id);
}

int ep_symcache_put(struct ep_symcache *c, struct ep_slice build_id, const void *data,
		    size_t n, struct ep_err *err)
{
	EP_TRY(check_id(build_id, err));
	if (n > MAX_TABLE_BYTES)
		return ep_fail(err, -E2BIG, n, "a symbol table of %zu bytes, limit %zu",
			       n, MAX_TABLE_BYTES);
	if ((uintptr_t)data % 8 == 0)
		return put_aligned(c, build_id, data, n, err);
	/* From inside of a request, say. */
	void *copy = ep_alloc(n);
	if (!copy)
		return ep_fail(err, -ENOMEM, 0, "no memory for a symbol table");
	memcpy(copy, data, n);
	int rc = put_aligned(c, build_id, copy, n, err);
	ep_free(copy);
	return rc;
}

int ep_symcache_add_file(struct ep_symcache *c, struct ep_slice build_id,
			 const char *path, struct ep_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return ep_fail(err, errno == ENOENT ? -ENOENT : -EACCES, 0, "%s: %s",
			       path, strerror(errno));
	ep_auto_buf b;
	ep_buf_init(&b, MAX_TABLE_BYTES);
	int rc = ep_symtab_build(fd, &b, err);
	close(fd);
	if (rc == 0)
		rc = ep_symcache_put(c, build_id, b.data, b.len, err);
	if (rc < 0)
		ep_err_context(err, "%s", path);
	return rc;
}
