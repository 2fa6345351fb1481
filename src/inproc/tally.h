/*
 * tally.h - equal samples become one row, with their values added up.
 *
 * A row is (stack, thread, label set, age, more).  A frame is (address, mapping), so that
 * an address which was two pieces of code in its time is two frames.
 */
#ifndef EP_INPROC_TALLY_H
#define EP_INPROC_TALLY_H

#include "base/index.h"
#include "base/mem.h"

#include <stdint.h>

/* What is known of a thread at a moment, as labels of its own.  One pointer for each
 * value, for ever; a string may be NULL. */
struct ep_tally_more {
	const char *state, *wait, *stack;
};

/* The longest stack: what a handler records. */
#define EP_TALLY_MAX_FRAMES 512

struct everprof_labels;

struct ep_tally_frame {
	uint64_t address;
	uint32_t mapping; /* of code.h, or EP_CODE_NONE */
};

struct ep_tally_stack {
	uint32_t first, n; /* in stack_frames; leaf first */
};

enum { EP_TALLY_VALUES = 4 };

struct ep_tally_row {
	uint32_t stack, tid;
	const struct everprof_labels *labels;
	const char *age; /* a label of its own; NULL: none.  One pointer for each value */
	const struct ep_tally_more *more; /* NULL: nothing */
	int64_t values[EP_TALLY_VALUES];
};

struct ep_tally {
	struct ep_tally_frame *frames;
	struct ep_tally_stack *stacks;
	uint32_t *stack_frames;
	struct ep_tally_row *rows;
	uint32_t n_frames, n_stacks, n_stack_frames, n_rows;
	uint32_t cap_frames, cap_stacks, cap_stack_frames, cap_rows;
	struct ep_index frame_index, stack_index, row_index;
	int64_t weight;	 /* the first value of all rows */
	int64_t dropped; /* the first value of what found no room */
};

/* NULL when memory is short.  One thread at a time per object. */
struct ep_tally *ep_tally_new(void);
void ep_tally_free(struct ep_tally *f);
EP_DEFINE_AUTO(ep_tally);

/* Add one sample.  What does not fit is counted in `dropped`. */
void ep_tally_add(struct ep_tally *f, const struct ep_tally_frame *frames, uint32_t n,
		 const struct ep_tally_row *row);

/* Add all of src. */
void ep_tally_merge(struct ep_tally *f, const struct ep_tally *src);
/* The same, rows that differ in their age alone made one. */
void ep_tally_merge_ages(struct ep_tally *f, const struct ep_tally *src);
/* The same, rows that differ in their thread alone made one. */
void ep_tally_merge_threads(struct ep_tally *f, const struct ep_tally *src);

/* Take the values of src away; what comes to nothing stays as a row of zeros. */
void ep_tally_subtract(struct ep_tally *f, const struct ep_tally *src);

#endif
