/*
 * scriptline.h - the lines of `perf script`.
 */
#ifndef EP_LEGACY_SCRIPTLINE_H
#define EP_LEGACY_SCRIPTLINE_H

#include "legacy/frame.h"

/* "shop 27165/27171 [003] 2911.751437:  5025125 cpu-clock:ppp: …" */
struct ep_scripthead {
	struct ep_slice comm, pid,
		tid;	       /* pid is empty when one number stands for both */
	struct ep_slice event; /* without modifiers; empty when it was left out */
	uint64_t time_ns;      /* 0 when it was left out */
	int64_t period;	       /* 0 when it was left out */
	struct ep_slice rest; /* behind the event: a lone frame, or what a probe says */
};

/* Any thread, here and below; false when the line is something else. */
bool ep_scriptline_head(struct ep_slice line, struct ep_scripthead *ret);

/* "	    1244 cmp+0x4 (/usr/bin/shop)", with its indent; parts may have been left
 * out. *ret_inlined: it lies in the frame that follows. */
bool ep_scriptline_frame(struct ep_slice line, struct ep_frame *ret, bool *ret_inlined);

/* "  shop.c:12", below the frame it belongs to. */
bool ep_scriptline_source(struct ep_slice line, struct ep_slice *ret_file,
			  int64_t *ret_line);

static inline bool ep_scriptline_is_indented(struct ep_slice line)
{
	return line.n && (line.p[0] == ' ' || line.p[0] == '\t');
}

#endif
