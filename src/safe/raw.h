/*
 * raw.h - one raw sample, as a handler writes it into a ring.
 *
 * Whole 8-byte words; the frames follow the head.  It never leaves the process,
 * so it has no version.
 */
#ifndef EP_SAFE_RAW_H
#define EP_SAFE_RAW_H

#include <stdint.h>

enum ep_raw_flag {
	EP_RAW_TRUNCATED = 1, /* the stack does not reach its root */
	EP_RAW_FOREIGN_STACK = 2, /* not the thread's own: alternate, coroutine */
};

struct ep_raw_sample {
	uint32_t n_words; /* of all of it; set by the ring */
	uint32_t n_frames;
	uint32_t weight; /* timer periods it stands for, at least 1 */
	uint32_t tid;
	uint32_t flags;
	uint32_t map; /* number of the snapshot of the code map at that moment */
	uint64_t labels; /* the label set, as a pointer; 0: none */
	uint64_t frames[]; /* leaf first: exact pc, then return addresses - 1 */
};

#define EP_RAW_HEAD_WORDS (sizeof(struct ep_raw_sample) / 8)

#endif
