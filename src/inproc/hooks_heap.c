/*
 * hooks_heap.c - in front of the malloc family, whoever provides it.
 *
 * glibc, jemalloc, tcmalloc, mimalloc alike: the next definition in the order of the
 * loader does the work, we count.  operator new of libstdc++ and libc++ calls malloc; an
 * allocator that brings its own does not, and hooks_new.c stands in front of that one.
 *
 * While the next definition is being looked up the loader may allocate itself: that is
 * served from a few static kilobytes, which are never freed.
 */
#include "inproc/sig/heap.h"

#include "inproc/hooks.h"
#include "inproc/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))
#define CALLER __builtin_return_address(0)

typedef void *malloc_fn(size_t);
typedef void free_fn(void *);
typedef void *calloc_fn(size_t, size_t);
typedef void *realloc_fn(void *, size_t);
typedef void *align_fn(size_t, size_t);
typedef int posix_memalign_fn(void **, size_t, size_t);

static malloc_fn first_malloc;
static calloc_fn first_calloc;
static realloc_fn first_realloc;
static align_fn first_aligned_alloc, first_memalign;
static posix_memalign_fn first_posix_memalign;
static malloc_fn first_valloc, first_pvalloc;
static free_fn first_free;

/* The next definitions.  At first, functions that look for them: so the usual way has
 * nothing to ask. */
static struct {
	malloc_fn *malloc, *valloc, *pvalloc;
	free_fn *free;
	calloc_fn *calloc;
	realloc_fn *realloc;
	align_fn *aligned_alloc, *memalign;
	posix_memalign_fn *posix_memalign;
} next = {
	.malloc = first_malloc,
	.valloc = first_valloc,
	.pvalloc = first_pvalloc,
	.free = first_free,
	.calloc = first_calloc,
	.realloc = first_realloc,
	.aligned_alloc = first_aligned_alloc,
	.memalign = first_memalign,
	.posix_memalign = first_posix_memalign,
};
static __thread bool looking __attribute__((tls_model("initial-exec")));

/* ---- while looking ------------------------------------------------------------------- */

enum { EARLY_BYTES = 16 << 10, ALIGN = 16 };
static _Alignas(ALIGN) char early[EARLY_BYTES];
static _Atomic size_t early_used;

static void *early_alloc(size_t n)
{
	size_t bytes = (n + 2 * ALIGN - 1) & ~(size_t)(ALIGN - 1); /* and the size before it */
	size_t at = n < EARLY_BYTES ? atomic_fetch_add(&early_used, bytes) : EARLY_BYTES;
	if (at + bytes > EARLY_BYTES) {
		errno = ENOMEM;
		return NULL;
	}
	char *p = early + at + ALIGN;
	memcpy(p - sizeof(n), &n, sizeof(n));
	/* So that its free comes to us, and not to somebody who never saw it. */
	atomic_store(&ep_live_filter[ep_live_hash(p)], UINT8_MAX);
	return p;
}

static bool is_early(const void *p)
{
	return (const char *)p >= early && (const char *)p < early + EARLY_BYTES;
}

static void *early_realloc(void *p, size_t n, realloc_fn *grow)
{
	size_t had;
	void *fresh = grow ? grow(NULL, n) : early_alloc(n);
	memcpy(&had, (char *)p - sizeof(had), sizeof(had));
	if (fresh)
		memcpy(fresh, p, had < n ? had : n);
	return fresh;
}

/* ---- looking --------------------------------------------------------------------------- */

/* An allocator without one of the rarer functions: as if memory were short. */
static void *no_align(size_t align, size_t n)
{
	(void)align;
	(void)n;
	errno = ENOMEM;
	return NULL;
}

static int no_posix_memalign(void **ret, size_t align, size_t n)
{
	(void)ret;
	(void)align;
	(void)n;
	return ENOMEM;
}

static void *no_valloc(size_t n)
{
	return no_align(0, n);
}

#define FIND(name, otherwise)                                                          \
	do {                                                                           \
		void *found_ = dlsym(RTLD_NEXT, #name);                                \
		next.name = found_ ? (__typeof__(next.name))found_ : (otherwise);      \
	} while (0)

/* In a program without a loader, libc's malloc is the one definition, and ours of some of
 * the rest remain: glibc's other names for these, all of one object. */
#define WEAK __attribute__((weak))
extern void *__libc_malloc(size_t) WEAK, *__libc_valloc(size_t) WEAK, *__libc_pvalloc(size_t) WEAK;
extern void __libc_free(void *) WEAK, *__libc_calloc(size_t, size_t) WEAK;
extern void *__libc_realloc(void *, size_t) WEAK, *__libc_memalign(size_t, size_t) WEAK;
extern int __posix_memalign(void **, size_t, size_t) WEAK;

static void find_in_program(void)
{
	next.malloc = __libc_malloc ? __libc_malloc : malloc;
	next.free = __libc_free ? __libc_free : free;
	next.calloc = __libc_calloc ? __libc_calloc : calloc;
	next.realloc = __libc_realloc ? __libc_realloc : realloc;
	next.aligned_alloc = __libc_memalign ? __libc_memalign : no_align;
	next.memalign = next.aligned_alloc;
	next.posix_memalign = __posix_memalign ? __posix_memalign : no_posix_memalign;
	next.valloc = __libc_valloc ? __libc_valloc : no_valloc;
	next.pvalloc = __libc_pvalloc ? __libc_pvalloc : no_valloc;
}

/* false while this very thread is at it: the loader allocates. */
static bool look(void)
{
	if (looking)
		return false;
	if (ep_real_is_static()) {
		find_in_program();
		return true;
	}
	looking = true;
	FIND(aligned_alloc, no_align);
	FIND(memalign, no_align);
	FIND(posix_memalign, no_posix_memalign);
	FIND(valloc, no_valloc);
	FIND(pvalloc, no_valloc);
	FIND(realloc, NULL);
	FIND(calloc, NULL);
	FIND(malloc, NULL);
	FIND(free, NULL);
	looking = false;
	return true;
}

static void *first_malloc(size_t n)
{
	return look() ? next.malloc(n) : early_alloc(n);
}

static void first_free(void *p)
{
	if (look()) /* else it can't be freed yet, and stays */
		next.free(p);
}

static void *first_calloc(size_t n, size_t size)
{
	/* Static memory is zero, and never used twice. */
	return look() ? next.calloc(n, size) : early_alloc(n * size);
}

static void *first_realloc(void *p, size_t n)
{
	if (look())
		return next.realloc(p, n);
	return p ? early_realloc(p, n, NULL) : early_alloc(n);
}

static void *first_aligned_alloc(size_t align, size_t n)
{
	return look() ? next.aligned_alloc(align, n) : no_align(align, n);
}

static void *first_memalign(size_t align, size_t n)
{
	return look() ? next.memalign(align, n) : no_align(align, n);
}

static int first_posix_memalign(void **ret, size_t align, size_t n)
{
	return look() ? next.posix_memalign(ret, align, n) : ENOMEM;
}

static void *first_valloc(size_t n)
{
	return look() ? next.valloc(n) : no_valloc(n);
}

static void *first_pvalloc(size_t n)
{
	return look() ? next.pvalloc(n) : no_valloc(n);
}

/* ---- the family -------------------------------------------------------------------------- */

/* The usual way is a jump to the next definition; all else is out of its way. */
#define RARE static __attribute__((noinline, cold))

RARE void *sampled_malloc(size_t n, const void *caller)
{
	void *p = next.malloc(n);
	ep_heap_sample(p, n, caller);
	return p;
}

/* It has a name of its own, as in some programs malloc is somebody else's. */
static void *own_malloc(size_t n)
{
	return ep_heap_passes(n) ? sampled_malloc(n, CALLER) : next.malloc(n);
}

EXPORTED void *malloc(size_t n) __attribute__((alias("own_malloc")));

RARE void free_special(void *p)
{
	if (is_early(p))
		return;
	ep_heap_freed(p);
	next.free(p);
}

EXPORTED void free(void *p)
{
	if (ep_live_maybe(p))
		free_special(p);
	else
		next.free(p);
}

RARE void *sampled_calloc(size_t n, size_t size, const void *caller)
{
	void *p = next.calloc(n, size);
	ep_heap_sample(p, n * size, caller);
	return p;
}

RARE void *too_large(void)
{
	errno = ENOMEM;
	return NULL;
}

EXPORTED void *calloc(size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes))
		return too_large();
	return ep_heap_passes(bytes) ? sampled_calloc(n, size, CALLER) : next.calloc(n, size);
}

/*
 * The old object goes before the call: once that is done, another thread may have its
 * address.  When it fails the object lives on, and so does its sample.
 */
RARE void *resize_special(void *p, size_t n, bool passed, const void *caller)
{
	struct ep_live_object old;
	if (is_early(p))
		return early_realloc(p, n, next.realloc);
	bool followed = p && ep_live_maybe(p) && ep_live_take(&ep_heap.live, p, &old);
	void *q = next.realloc(p, n);
	if (followed)
		ep_heap_moved(&old, !q && n ? p : NULL);
	if (passed)
		ep_heap_sample(n || !p ? q : NULL, n, caller);
	return q;
}

EXPORTED void *realloc(void *p, size_t n)
{
	bool passed = ep_heap_passes(n);
	if (__builtin_expect(passed, 0) || ep_live_maybe(p))
		return resize_special(p, n, passed, CALLER);
	return next.realloc(p, n);
}

/* realloc's work: libc's own calls realloc by its name, and would be counted twice. */
EXPORTED void *reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes))
		return too_large();
	bool passed = ep_heap_passes(bytes);
	if (__builtin_expect(passed, 0) || ep_live_maybe(p))
		return resize_special(p, bytes, passed, CALLER);
	return next.realloc(p, bytes);
}

/* The rest is rare enough to be plain. */

static void *count(void *p, size_t n, const void *caller)
{
	if (ep_heap_passes(n))
		ep_heap_sample(p, n, caller);
	return p;
}

EXPORTED void *aligned_alloc(size_t align, size_t n)
{
	return count(next.aligned_alloc(align, n), n, CALLER);
}

EXPORTED void *memalign(size_t align, size_t n)
{
	return count(next.memalign(align, n), n, CALLER);
}

EXPORTED int posix_memalign(void **ret, size_t align, size_t n)
{
	int rc = next.posix_memalign(ret, align, n);
	(void)count(rc ? NULL : *ret, n, CALLER);
	return rc;
}

EXPORTED void *valloc(size_t n)
{
	return count(next.valloc(n), n, CALLER);
}

EXPORTED void *pvalloc(size_t n)
{
	return count(next.pvalloc(n), n, CALLER);
}

/* Does what the program calls malloc come to us?  Its address does not tell: in an executable
 * at a fixed place that takes it, it is that of a stub there.  So one is asked for. */
static bool reaches_us(malloc_fn *used)
{
	enum { SIZE = 64, ENOUGH = 1 << 20 };
	uint64_t left = ep_heap_left;
	ep_heap_left = ENOUGH;
	void *p = used(SIZE);
	bool reached = ep_heap_left == ENOUGH - SIZE;
	ep_heap_left = left;
	if (p)
		free(p);
	return reached;
}

bool ep_hooks_see_malloc(void)
{
	enum { UNKNOWN, NO, YES };
	static _Atomic int answer;
	int known = atomic_load_explicit(&answer, memory_order_relaxed);
	if (known == UNKNOWN) {
		malloc_fn *volatile own = own_malloc, *volatile used = malloc;
		known = own == used || reaches_us(used) ? YES : NO;
		atomic_store_explicit(&answer, known, memory_order_relaxed);
	}
	return known == YES;
}

void *ep_hooks_malloc_for(size_t n, size_t align, const void *caller)
{
	void *p = NULL;
	if (!ep_hooks_see_malloc()) /* the next one is not the program's */
		return !align ? malloc(n) : posix_memalign(&p, align, n) ? NULL : p;
	if (!align)
		p = next.malloc(n);
	else if (next.posix_memalign(&p, align, n))
		p = NULL;
	return count(p, n, caller);
}
