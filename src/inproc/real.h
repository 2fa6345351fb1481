/*
 * real.h - the function that we stand in front of.
 */
#ifndef EP_INPROC_REAL_H
#define EP_INPROC_REAL_H

#include <dlfcn.h>
#include <stdatomic.h>

/* Looked up at the first need: other libraries' constructors may come before ours. */
static inline void *ep_real(const char *name, void *_Atomic *cache)
{
	void *f = atomic_load_explicit(cache, memory_order_relaxed);
	if (!f) {
		f = dlsym(RTLD_NEXT, name);
		atomic_store_explicit(cache, f, memory_order_relaxed);
	}
	return f;
}

#endif
