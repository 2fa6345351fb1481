/*
 * unwind_chain.c - 33 frames to unwind, built without frame pointers.
 *
 * Distinct functions with frames of their own, as in a real program; each calls
 * the next, the last one calls back.
 */
#include "unwind_chain.h"

static volatile unsigned sink;

#define LINK(n, next)                                                                  \
	__attribute__((noinline)) static unsigned link_##n(chain_fn *fn, void *arg,    \
							   unsigned x)                 \
	{                                                                              \
		volatile unsigned room[2 * n + 3];                                     \
		room[x % (2 * n + 3)] = x + n;                                         \
		unsigned y = next(fn, arg, x * 3 + n) + room[x % (2 * n + 3)];         \
		sink += y;                                                             \
		return y;                                                              \
	}

__attribute__((noinline)) static unsigned last(chain_fn *fn, void *arg, unsigned x)
{
	fn(arg);
	sink += x;
	return x;
}

LINK(1, last)
LINK(2, link_1)
LINK(3, link_2)
LINK(4, link_3)
LINK(5, link_4)
LINK(6, link_5)
LINK(7, link_6)
LINK(8, link_7)
LINK(9, link_8)
LINK(10, link_9)
LINK(11, link_10)
LINK(12, link_11)
LINK(13, link_12)
LINK(14, link_13)
LINK(15, link_14)
LINK(16, link_15)
LINK(17, link_16)
LINK(18, link_17)
LINK(19, link_18)
LINK(20, link_19)
LINK(21, link_20)
LINK(22, link_21)
LINK(23, link_22)
LINK(24, link_23)
LINK(25, link_24)
LINK(26, link_25)
LINK(27, link_26)
LINK(28, link_27)
LINK(29, link_28)

unsigned chain_call(chain_fn *fn, void *arg)
{
	return link_29(fn, arg, 1);
}
