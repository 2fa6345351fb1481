/*
 * mem_own.h - the library's own allocator (base/mem.h) and a fork.
 *
 * A child of fork() has one thread; a lock some other thread held stays locked
 * for ever in it.  So fork is bracketed.
 */
#ifndef EP_INPROC_MEM_OWN_H
#define EP_INPROC_MEM_OWN_H

#include <stddef.h>

void ep_mem_own_lock(void);
void ep_mem_own_unlock(void); /* in the parent and in the child */

/* Zeroed pages straight from the kernel, never returned; NULL when there are none.
 * Any thread. */
void *ep_mem_own_pages(size_t n_bytes);
/* Have such pages in place now, so that a first write in a handler does not fault
 * (5 to 20 us).  Does nothing on Linux before 5.14. */
void ep_mem_own_populate(void *pages, size_t n_bytes);

#endif
