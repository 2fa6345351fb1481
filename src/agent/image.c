/*
 * image.c - see image.h.
 */
#include "agent/image.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/index.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
	MAX_IMAGES = 65536,
	STAND_IN_BYTES = 16384,
};

/* How long a path and inode are trusted to be the same file. */
#define CHECK_NS (60 * EP_NS_PER_S)

struct ep_images {
	struct ep_image *images;
	uint32_t n, cap;
	struct ep_index index;	 /* by device, inode and path */
	struct ep_index offered; /* by build ID: the image that offered it */
	ep_image_offer_fn *offer;
	void *arg;
};

int ep_images_new(struct ep_images **ret_t)
{
	struct ep_images *t = ep_zalloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	*ret_t = t;
	return 0;
}

void ep_images_offer(struct ep_images *t, ep_image_offer_fn *offer, void *arg)
{
	t->offer = offer;
	t->arg = arg;
}

void ep_images_free(struct ep_images *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->n; i++)
		ep_free((char *)t->images[i].path);
	ep_index_fini(&t->index);
	ep_index_fini(&t->offered);
	ep_free(t->images);
	ep_free(t);
}

const struct ep_image *ep_images_at(const struct ep_images *t, uint32_t image)
{
	return &t->images[image];
}

int ep_image_stand_in(int fd, uint64_t size, char *ret_hex)
{
	uint8_t buf[sizeof(size) + STAND_IN_BYTES];
	memcpy(buf, &size, sizeof(size));
	ssize_t n = pread(fd, buf + sizeof(size), STAND_IN_BYTES, 0);
	if (n < 0)
		return -EIO;
	struct ep_hash128 h = ep_hash128(buf, sizeof(size) + (size_t)n);
	/* "ep", version 1, in front: never taken for a linker's. */
	snprintf(ret_hex, EP_ELF_HEX_MAX, "65700001%016llx%016llx",
		 (unsigned long long)h.hi, (unsigned long long)h.lo);
	return 0;
}

/* The vDSO is no file; a copy of ours is the same as everybody's. */
static int open_vdso(void)
{
	const char *at = (const char *)getauxval(AT_SYSINFO_EHDR);
	if (!at)
		return -1;
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)at;
	size_t n = h->e_shoff + (size_t)h->e_shnum * h->e_shentsize;
	int fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd >= 0 && write(fd, at, n) != (ssize_t)n) {
		close(fd);
		return -1;
	}
	return fd;
}

static int open_checked(const char *path, const struct ep_map *m, struct stat *ret_st)
{
	/* O_NONBLOCK: a path may have become a FIFO. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -1;
	bool ok = fstat(fd, ret_st) == 0 && S_ISREG(ret_st->st_mode);
	/* Overlays show another device; the inode is what must agree. */
	if (ok && (!m || ret_st->st_ino == m->inode))
		return fd;
	close(fd);
	return -1;
}

static int open_file(uint32_t pid, const struct ep_map *m, struct stat *ret_st)
{
	char path[4200];
	if (m->path.n > 4096)
		return -1;
	if (ep_slice_is(m->path, "[vdso]")) {
		int fd = open_vdso();
		if (fd >= 0 && fstat(fd, ret_st) < 0)
			memset(ret_st, 0, sizeof(*ret_st));
		return fd;
	}
	snprintf(path, sizeof(path), "/proc/%u/root%.*s", pid, EP_SLICE_ARG(m->path));
	int fd = m->deleted ? -1 : open_checked(path, m, ret_st);
	if (fd >= 0)
		return fd;
	char same[64];
	snprintf(same, sizeof(same), "/proc/%u/map_files/%llx-%llx", pid,
		 (unsigned long long)m->start, (unsigned long long)m->limit);
	fd = open_checked(same, NULL, ret_st);
	/* Some file systems number their files otherwise in maps. */
	return fd < 0 && !m->deleted ? open_checked(path, NULL, ret_st) : fd;
}

static void read_build_id(struct ep_image *im, int fd)
{
	ep_auto(ep_elf) e = NULL;
	struct ep_err err = {0};
	if (ep_elf_open(fd, &e, &err) < 0)
		return; /* not ELF: a mapped file of data, code of another kind */
	if (ep_elf_build_id(e, im->build_id, NULL) < 0 &&
	    ep_image_stand_in(fd, im->size, im->build_id) < 0)
		im->build_id[0] = '\0';
}

static void offer(struct ep_images *t, uint32_t image, int fd)
{
	const struct ep_image *im = &t->images[image];
	uint64_t h = ep_hash64(im->build_id, strlen(im->build_id));
	struct ep_index_iter it;
	for (uint32_t i = ep_index_first(&t->offered, h, &it); i != EP_INDEX_NONE;
	     i = ep_index_next(&t->offered, &it))
		if (!strcmp(t->images[i].build_id, im->build_id)) {
			close(fd);
			return;
		}
	if (!t->offer || !im->build_id[0] || ep_index_add(&t->offered, h, image) < 0)
		close(fd);
	else
		t->offer(t->arg, im->build_id, im->path, fd);
}

static uint64_t mtime_of(const struct stat *st)
{
	return (uint64_t)st->st_mtim.tv_sec * EP_NS_PER_S +
	       (uint64_t)st->st_mtim.tv_nsec;
}

/* Opens the file and learns what it is. */
static void learn(struct ep_images *t, uint32_t image, uint32_t pid,
		  const struct ep_map *m)
{
	struct ep_image *im = &t->images[image];
	struct stat st;
	im->checked_ns = ep_clock_mono_ns();
	int fd = open_file(pid, m, &st);
	if (fd < 0)
		return;
	im->size = (uint64_t)st.st_size;
	im->mtime_ns = mtime_of(&st);
	read_build_id(im, fd);
	offer(t, image, fd);
}

/* Has the file at this inode become another? */
static bool is_stale(struct ep_image *im, uint32_t pid, const struct ep_map *m)
{
	uint64_t now = ep_clock_mono_ns();
	if (now - im->checked_ns < CHECK_NS || !m->inode)
		return false;
	im->checked_ns = now;
	if (!im->build_id[0])
		return true; /* could not be read then; perhaps now */
	struct stat st;
	int fd = open_file(pid, m, &st);
	if (fd < 0)
		return false;
	close(fd);
	return (uint64_t)st.st_size != im->size || mtime_of(&st) != im->mtime_ns;
}

static bool is_file(const struct ep_image *im, const struct ep_map *m)
{
	return im->inode == m->inode && im->dev_major == m->dev_major &&
	       im->dev_minor == m->dev_minor && ep_slice_is(m->path, im->path);
}

int ep_images_open(const struct ep_images *t, uint32_t image, uint32_t pid,
		   uint64_t start, uint64_t limit)
{
	const struct ep_image *im = &t->images[image];
	struct stat st;
	const struct ep_map m = {
		.start = start,
		.limit = limit,
		.inode = im->inode,
		.path = ep_slice_of(im->path),
	};
	return open_file(pid, &m, &st);
}

static uint32_t add(struct ep_images *t, uint64_t hash, const struct ep_map *m)
{
	if (t->n == MAX_IMAGES)
		return EP_IMAGE_NONE;
	if (t->n == t->cap) {
		uint32_t cap = t->cap ? t->cap * 2 : 256;
		void *p = ep_realloc(t->images, cap * sizeof(t->images[0]));
		if (!p)
			return EP_IMAGE_NONE;
		t->images = p;
		t->cap = cap;
	}
	char *path = ep_alloc(m->path.n + 1);
	if (!path || ep_index_add(&t->index, hash, t->n) < 0) {
		ep_free(path);
		return EP_IMAGE_NONE;
	}
	memcpy(path, m->path.p, m->path.n);
	path[m->path.n] = '\0';
	t->images[t->n] = (struct ep_image){.dev_major = m->dev_major,
					    .dev_minor = m->dev_minor,
					    .inode = m->inode,
					    .path = path};
	return t->n++;
}

uint32_t ep_images_find(struct ep_images *t, uint32_t pid, const struct ep_map *m)
{
	uint64_t h = ep_hash_mix(ep_hash64(m->path.p, m->path.n), m->inode);
	h = ep_hash_mix(h, makedev(m->dev_major, m->dev_minor));
	struct ep_index_iter it;
	uint32_t i = ep_index_first(&t->index, h, &it);
	while (i != EP_INDEX_NONE && !is_file(&t->images[i], m))
		i = ep_index_next(&t->index, &it);
	if (i != EP_INDEX_NONE && !is_stale(&t->images[i], pid, m))
		return i;
	if (i != EP_INDEX_NONE)
		t->images[i].inode =
			0; /* nobody finds the old one again; it keeps its id */
	i = add(t, h, m);
	if (i != EP_IMAGE_NONE)
		learn(t, i, pid, m);
	return i;
}
