/*
 * seal.h - from a head that nothing is written to any more to a segment.
 */
#ifndef EP_STORE_SEAL_H
#define EP_STORE_SEAL_H

#include "store/head.h"

/*
 * ep_seal - make DIR/NAME.segment and its minutes of all that is in a head.
 *
 * in       h     loaded here if it is not; somebody holds it
 *          stop  when it turns true, the work ends with -ECANCELED
 * returns  when the segment is on disk, checked, under its name; the head is as it was
 * errors   -EBADMSG (the head is damaged: it can't be sealed), -ENOSPC, -EIO, -ENOMEM
 * cost     memory: a service's dictionary, a block, the rows' heads of one source
 * threads  one at a time
 */
int ep_seal(struct ep_head *h, const char *dir, const char *name, const _Atomic bool *stop,
	    struct ep_err *err);

#endif
