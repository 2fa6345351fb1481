/*
 * gaps.h - functions that no symbol names, by their unwind entries.
 *
 * A stripped program has no names, but says where its functions begin and end,
 * since unwinding needs it.
 */
#ifndef EP_SYMBOL_GAPS_H
#define EP_SYMBOL_GAPS_H

#include "symbol/collect.h"
#include "unwind/build/frames.h"

/*
 * ep_gaps_fill - add the functions, or what of them no symbol covers, nameless.
 *
 * in       functions  [n], rising by start; they may overlap
 * inout    c          sorted by ep_collect_sort(); sorted again at the end
 * errors   -E2BIG, -ENOMEM
 */
int ep_gaps_fill(struct ep_collect *c, const struct ep_frames_code *functions, size_t n,
		 struct ep_err *err);

#endif
