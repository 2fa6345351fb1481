/*
 * mem.h - the only door to the heap.
 *
 * Everything allocates through the first four functions, so that a program can
 * choose the allocator at link time: mem.c calls malloc, and libeverprof links
 * an allocator of its own that never enters the host's.
 */
#ifndef EP_BASE_MEM_H
#define EP_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NULL when memory is short.  Any thread; not signal-safe. */
void *ep_alloc(size_t n_bytes) __attribute__((malloc, warn_unused_result));
void *ep_zalloc(size_t n_bytes) __attribute__((malloc, warn_unused_result));
/* Like realloc; p may be NULL.  On failure p stays valid and NULL is returned. */
void *ep_realloc(void *p, size_t n_bytes) __attribute__((warn_unused_result));
/* NULL is fine. */
void ep_free(void *p);

/* A copy of a string, or NULL when memory is short.  Free with ep_free(). */
char *ep_strdup(const char *s) __attribute__((malloc, warn_unused_result));

/*
 * ep_mem_expect - a program is going to need about so much at once, in many small blocks.
 *
 * They then come from a heap of large pages, and what is freed is used again rather than
 * given back: the kernel is asked a few times instead of thousands.  A hint; it costs
 * addresses, not memory.  Of programs only, before their first thread: it changes
 * malloc for the whole process, which libeverprof must not (and cannot: it has no such
 * function).
 */
void ep_mem_expect(size_t n_bytes);

/* a * b into *ret; false when it overflows. */
static inline bool ep_mul_size(size_t a, size_t b, size_t *ret)
{
	return !__builtin_mul_overflow(a, b, ret);
}

/*
 * Scope-bound ownership:  ep_auto(ep_profile) p = NULL;
 * calls ep_profile_free(p) at the end of the scope.  A type opts in with
 * EP_DEFINE_AUTO(ep_profile) below its free function.
 */
#define ep_auto(type) __attribute__((cleanup(type##_auto_free_))) struct type *
#define EP_DEFINE_AUTO(type)                                                   \
	static inline void type##_auto_free_(struct type **p)                  \
	{                                                                      \
		type##_free(*p);                                               \
	}                                                                      \
	struct type

/* Move ownership out of an ep_auto variable. */
#define ep_take(pp)                                                            \
	({                                                                     \
		__typeof__(*(pp)) ep_take_v_ = *(pp);                          \
		*(pp) = NULL;                                                  \
		ep_take_v_;                                                    \
	})

/* char *ep_auto_mem freed with ep_free at the end of the scope. */
static inline void ep_auto_mem_free_(void *pp)
{
	void **p = (void **)pp;
	ep_free(*p);
}
#define ep_auto_mem __attribute__((cleanup(ep_auto_mem_free_)))

#endif
