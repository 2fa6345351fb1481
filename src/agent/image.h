/*
 * image.h - the files that processes run: one entry a file, with its build ID.
 *
 * A file is opened once, through the process that maps it (/proc/PID/root), so
 * that containers and deleted files are found too.
 */
#ifndef EP_AGENT_IMAGE_H
#define EP_AGENT_IMAGE_H

#include "base/mem.h"
#include "elf/elf.h"
#include "elf/maps.h"

#include <stdbool.h>
#include <stdint.h>

#define EP_IMAGE_NONE UINT32_MAX

struct ep_image {
	uint32_t dev_major, dev_minor;
	uint64_t inode;
	uint64_t size, mtime_ns; /* to notice a reused inode */
	uint64_t checked_ns;
	const char *path; /* as the process sees it; owned by the table */
	/* In hex; a file without one gets a stand-in (docs/decisions/0402); "" when the
	 * file could not be read. */
	char build_id[EP_ELF_HEX_MAX];
};

/*
 * Told of each build ID once, with the file open: the place to make a symbol
 * table.  It owns fd.
 */
typedef void ep_image_offer_fn(void *arg, const char *build_id, const char *path,
			       int fd);

struct ep_images;

/* 0 or -ENOMEM.  One thread at a time per table. */
int ep_images_new(struct ep_images **ret_t);
/* Before the first find; without it nobody is told. */
void ep_images_offer(struct ep_images *t, ep_image_offer_fn *offer, void *arg);
void ep_images_free(struct ep_images *t);
EP_DEFINE_AUTO(ep_images);

/*
 * ep_images_find - the entry of a mapping's file.
 *
 * in       pid    whose /proc is asked when the file is new
 *          m      a mapping of a file, or "[vdso]"
 * returns  its index; EP_IMAGE_NONE when the table is full or memory short.  The
 *          entry exists, without build ID, even if the file can't be opened
 * cost     a look-up; for a new file an open and some reads
 */
uint32_t ep_images_find(struct ep_images *t, uint32_t pid, const struct ep_map *m);
/* Valid until the next find. */
const struct ep_image *ep_images_at(const struct ep_images *t, uint32_t image);

/*
 * ep_images_open - open the file of an entry again.
 *
 * in       pid            a process that maps it, at [start, limit)
 * returns  a descriptor; -1: it is not there any more
 */
int ep_images_open(const struct ep_images *t, uint32_t image, uint32_t pid,
		   uint64_t start, uint64_t limit);

/* The stand-in for a file without a build ID: 40 hex digits.  0 or -EIO. */
int ep_image_stand_in(int fd, uint64_t size, char *ret_hex);

#endif
