/*
 * maps.h - the lines of /proc/PID/maps.
 *
 * Allocates nothing and calls nothing but read(), so that a library inside
 * somebody else's process can use it with a buffer it keeps.
 *
 * Source: proc(5); show_map_vma() of the kernel.
 */
#ifndef EP_ELF_MAPS_H
#define EP_ELF_MAPS_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ep_map {
	uint64_t start, limit; /* [start, limit) in the process */
	uint64_t offset;       /* in the file, bytes */
	uint64_t inode;	       /* 0: not of a file */
	uint32_t dev_major, dev_minor;
	bool read, write, exec, shared;
	bool deleted; /* the file is gone; the path is without " (deleted)" */
	/* "" for anonymous memory; "[stack]", "[vdso]", …; a newline in a name stays
	 * "\012" as the kernel writes it. */
	struct ep_slice path;
};

/*
 * ep_maps_parse - one line, without its newline.
 *
 * out      ret_m   the path points into the line; untouched on failure
 * returns  false when the line is not of the known form
 * threads  any thread, signal-safe
 */
bool ep_maps_parse(struct ep_slice line, struct ep_map *ret_m);

/* Reads a maps file line by line through a buffer of the caller. */
struct ep_maps {
	int fd;	   /* borrowed */
	char *buf; /* borrowed; one line must fit: 8,192 is enough for any path */
	size_t cap;
	size_t at, n; /* unread bytes of buf: [at, n) */
	bool ended;
	int error; /* -EIO when a read failed, else 0 */
};

void ep_maps_init(struct ep_maps *m, int fd, char *buf, size_t cap);
/*
 * ep_maps_next - the next mapping.
 *
 * out      ret_m   valid until the next call
 * returns  false at the end; lines of unknown form or longer than the buffer
 *          are passed over
 * threads  one thread at a time per object; async-signal-safe
 */
bool ep_maps_next(struct ep_maps *m, struct ep_map *ret_m);

#endif
