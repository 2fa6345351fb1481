/* chain.h - a deep stack. */
#ifndef EP_BENCH_CHAIN_H
#define EP_BENCH_CHAIN_H

#include <stdint.h>

#define NOINLINE __attribute__((noinline))

/*
 * Twenty-six functions between the thread's first and leaf(), none inlined, some of them two
 * by turns, so that there are many stacks.  A file that includes this defines leaf().
 */
NOINLINE static uint64_t leaf(uint64_t x, void *arg);

#define LEVEL(name, next)                                                              \
	NOINLINE static uint64_t name(uint64_t x, void *arg)                           \
	{                                                                              \
		uint64_t r = next(x * 33 + __LINE__, arg);                             \
		return r ^ (r >> 9) ^ x;                                               \
	}
#define FORK(name, next, bit)                                                          \
	LEVEL(name##a, next)                                                           \
	LEVEL(name##b, next)                                                           \
	NOINLINE static uint64_t name(uint64_t x, void *arg)                           \
	{                                                                              \
		uint64_t r = x >> (bit) & 1 ? name##a(x, arg) : name##b(x + 1, arg);   \
		return r + x;                                                          \
	}
LEVEL(level24, leaf)
LEVEL(level23, level24)
LEVEL(level22, level23)
FORK(level21, level22, 21)
LEVEL(level19, level21)
LEVEL(level18, level19)
LEVEL(level17, level18)
LEVEL(level16, level17)
FORK(level15, level16, 15)
LEVEL(level13, level15)
LEVEL(level12, level13)
LEVEL(level11, level12)
LEVEL(level10, level11)
FORK(level9, level10, 9)
LEVEL(level7, level9)
LEVEL(level6, level7)
LEVEL(level5, level6)
LEVEL(level4, level5)
FORK(level3, level4, 3)
LEVEL(level1, level3)
LEVEL(descend, level1)
#undef LEVEL
#undef FORK

#endif
