/*
 * snapshot.h - a profile to whoever asks for it: a descriptor, an HTTP answer.
 */
#ifndef EP_INPROC_SNAPSHOT_H
#define EP_INPROC_SNAPSHOT_H

#include "inproc/registry.h"

/*
 * ep_snapshot - append a snapshot of a kind, with function names.
 *
 * in       form    not EP_KIND_PUSH
 *          debug   0: gzipped pprof; 1 or 2: text for people
 * errors   -ENOMEM; -ENOTSUP it has no text form
 * threads  any but the drain's, not under the drain lock; reads symbol tables of files
 */
int ep_snapshot(const struct ep_kind *k, enum ep_kind_form form, int debug, struct ep_buf *out);

/* Write a batch to a descriptor, gzipped, with function names.  -EIO, -ENOMEM. */
int ep_snapshot_to_fd(const struct ep_batch *b, int fd);

#endif
