/*
 * frames.h - the entries of an .eh_frame section: CIEs and FDEs.
 */
#ifndef EP_UNWIND_BUILD_FRAMES_H
#define EP_UNWIND_BUILD_FRAMES_H

#include "base/err.h"
#include "unwind/build/cfa_rows.h"

/* Code of the file, virtual addresses [start, limit). */
struct ep_frames_code {
	uint64_t start, limit;
};

struct ep_frames_input {
	const uint8_t *data; /* the section's bytes; borrowed */
	size_t n;
	uint64_t vaddr;		/* of data[0] */
	uint64_t data_base;	/* of .eh_frame_hdr, for DW_EH_PE_datarel; 0: unknown */
	uint64_t absolute_bias; /* what relocation added to absolute pointers */
	uint64_t max_fdes;	/* stop after so many; 0: until the terminator */
	const struct ep_frames_code *code; /* functions elsewhere are passed over */
	size_t n_code;
};

/*
 * ep_frames_compile - all functions' rows.
 *
 * in       in        hostile content is fine
 * out      rows      added in rising order; an entry that makes no sense is passed
 *                    over, and its function has no rows
 * errors   -E2BIG, -ENOMEM
 * cost     linear in the bytes, and a sort by address
 */
int ep_frames_compile(const struct ep_frames_input *in, struct ep_cfa_rows *rows,
		      struct ep_err *err);

/*
 * ep_frames_list - where functions begin and end, by their entries.
 *
 * out      ret     rising by start; they may overlap when the file says so.  The
 *                  caller frees with ep_free()
 * errors   -ENOMEM
 */
int ep_frames_list(const struct ep_frames_input *in, struct ep_frames_code **ret,
		   size_t *ret_n, struct ep_err *err);

#endif
