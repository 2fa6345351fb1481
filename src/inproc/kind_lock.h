/*
 * kind_lock.h - the profiles "mutex" and "block" of what hooks_lock.c saw.
 */
#ifndef EP_INPROC_KIND_LOCK_H
#define EP_INPROC_KIND_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Either or both, one event in rate_ns of waiting.  -ENOMEM.  Under the drain lock; the
 * rate of the first start stays for the life of the process. */
int ep_kind_lock_start(bool mutex, bool block, uint64_t rate_ns);
void ep_kind_lock_stop(void);

#endif
