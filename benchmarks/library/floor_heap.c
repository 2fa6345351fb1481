/*
 * floor_heap.c - the least a heap profiler can do in front of malloc, preloaded.
 *
 *     FLOOR >= 1  count bytes down in malloc
 *     FLOOR >= 2  and ask a filter in free
 *     FLOOR >= 3  and on a sample follow the frame pointers
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

static void *(*next_malloc)(size_t);
static void (*next_free)(void *);
extern void *__libc_malloc(size_t);
extern void __libc_free(void *);

__attribute__((constructor)) static void find(void)
{
	next_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
	next_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
}

enum { MEAN = 512 << 10, FRAMES = 64 };
static __thread int64_t left __attribute__((tls_model("initial-exec"))) = MEAN;
static uint8_t filter[1 << 16] __attribute__((unused));
static __thread uint64_t pcs[FRAMES] __attribute__((tls_model("initial-exec"), unused));

static inline uint32_t hash_of(const void *p)
{
	return (uint32_t)((uintptr_t)p >> 4 ^ (uintptr_t)p >> 20) & 0xffff;
}

static __attribute__((noinline)) void *sample(size_t n)
{
	void *p = next_malloc ? next_malloc(n) : __libc_malloc(n);
	left = MEAN;
#if FLOOR >= 3
	const uint64_t *frame = __builtin_frame_address(0);
	uintptr_t lo = (uintptr_t)frame, at = lo;
	for (int k = 0; k < FRAMES && at >= lo && at < lo + 65536 && at % 8 == 0; k++) {
		frame = (const uint64_t *)at;
		pcs[k] = frame[1];
		if (!frame[1] || frame[0] <= at)
			break;
		at = frame[0];
	}
	__atomic_fetch_add(&filter[hash_of(p)], 1, __ATOMIC_RELAXED);
#endif
	return p;
}

__attribute__((visibility("default"))) void *malloc(size_t n)
{
	if (__builtin_expect((left -= (int64_t)n) < 0, 0))
		return sample(n);
	return __builtin_expect(next_malloc != NULL, 1) ? next_malloc(n) : __libc_malloc(n);
}

__attribute__((visibility("default"))) void free(void *p)
{
#if FLOOR >= 2
	uint8_t *f = &filter[hash_of(p)];
	if (__builtin_expect(__atomic_load_n(f, __ATOMIC_RELAXED) != 0, 0))
		__atomic_fetch_sub(f, 1, __ATOMIC_RELAXED);
#endif
	if (__builtin_expect(next_free != NULL, 1))
		next_free(p);
	else
		__libc_free(p);
}
