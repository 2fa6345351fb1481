/*
 * spool.h - profiles that wait on disk, a file each, within a byte limit.
 *
 * Format: docs/formats/spool.md.  Processes may share a folder: a file is locked
 * while it is being sent, and whoever comes first sends it.  Nothing is synced:
 * what waits here is lost with the machine's power, not with the process.
 */
#ifndef EP_PUSH_SPOOL_H
#define EP_PUSH_SPOOL_H

#include "base/buf.h"
#include "base/err.h"
#include "push/push.h"

#include <stddef.h>
#include <stdint.h>

struct ep_spool {
	char *dir;	  /* owned; made when the first file is written */
	size_t max_bytes; /* of all files together */
	uint64_t n_files, n_bytes; /* as of the last look */
	uint64_t n_dropped;	   /* by us: over the limit, or broken */
	uint64_t seq;
};

/* Strings are copied.  0 or -ENOMEM.  One thread at a time per spool. */
int ep_spool_init(struct ep_spool *s, const char *dir, size_t max_bytes);
void ep_spool_fini(struct ep_spool *s);

/* Count what is there. */
void ep_spool_look(struct ep_spool *s);

/*
 * ep_spool_put - write one item, then drop the oldest past the limit.
 *
 * errors   -E2BIG (alone over the limit), -ENOSPC, -EACCES, -EIO, -ENOMEM
 */
int ep_spool_put(struct ep_spool *s, const struct ep_push_item *item);

/* An item taken from the spool: its strings and bytes lie in `bytes`. */
struct ep_spool_item {
	struct ep_push_item item;
	struct ep_buf bytes;
	char file[64];
	int fd; /* holds the lock */
};

/*
 * ep_spool_take - the oldest item that nobody else is sending.
 *
 * in       after  file name of an item to look behind, or "" for the oldest
 * out      ret    give it back with ep_spool_put_back() or ep_spool_remove()
 * errors   -ENOENT  none.  Broken files are renamed to *.bad, counted, and passed over.
 */
int ep_spool_take(struct ep_spool *s, const char *after, struct ep_spool_item *ret);
void ep_spool_put_back(struct ep_spool *s, struct ep_spool_item *i);
void ep_spool_remove(struct ep_spool *s, struct ep_spool_item *i);

/*
 * The file's bytes, for the fuzzer and the tests.
 * decode: strings point into data; -ENODATA truncated, -EBADMSG, -ENOTSUP a newer version
 */
void ep_spool_encode(const struct ep_push_item *item, struct ep_buf *out);
int ep_spool_decode(const void *data, size_t n, struct ep_push_item *ret, struct ep_err *err);

#endif
