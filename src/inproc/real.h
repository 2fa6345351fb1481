/*
 * real.h - the function that we stand in front of.
 *
 * Mostly the next definition in the order of the loader.  A program that is linked
 * statically as a whole has no loader: there it is libc's under its other name, which
 * tools/make-archive has asked the linker for.
 */
#ifndef EP_INPROC_REAL_H
#define EP_INPROC_REAL_H

#include <stdatomic.h>
#include <stdbool.h>

/* No loader, one definition of each name. */
bool ep_real_is_static(void);

/* NULL: there is none. */
void *ep_real_find(const char *name);

/* Looked up at the first need: other libraries' constructors may come before ours. */
static inline void *ep_real(const char *name, void *_Atomic *cache)
{
	void *f = atomic_load_explicit(cache, memory_order_relaxed);
	if (!f) {
		f = ep_real_find(name);
		atomic_store_explicit(cache, f, memory_order_relaxed);
	}
	return f;
}

#endif
