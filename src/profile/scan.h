/*
 * scan.h - the first of the decoder's two passes: count everything.
 *
 * Afterwards every table can be allocated at its exact size, and string indexes
 * and ids can be resolved where they stand, wherever the tables are in the file.
 * It checks the shape of the messages it enters; what is in them is fill.c's.
 */
#ifndef EP_PROFILE_SCAN_H
#define EP_PROFILE_SCAN_H

#include "base/err.h"
#include "codec/protobuf.h"
#include "profile/ids.h"

/* Field numbers of message Profile; all from 7 up are its header here. */
enum ep_scan_section {
	EP_SCAN_SAMPLE_TYPE = 1,
	EP_SCAN_SAMPLE,
	EP_SCAN_MAPPING,
	EP_SCAN_LOCATION,
	EP_SCAN_FUNCTION,
	EP_SCAN_STRING,
	EP_SCAN_HEADER,
	EP_SCAN_N,
};

struct ep_scan {
	const uint8_t *data; /* offsets in errors count from here */
	/* From the first field of a section to the end of its last.  Mostly it holds
	 * no others, but it may. */
	struct ep_slice section[EP_SCAN_N];
	uint32_t n_sample_types, n_samples, n_strings, n_comments;
	uint32_t n_lines;
	uint32_t n_stack;  /* location ids of all samples */
	uint32_t n_values; /* of all samples */
	uint32_t n_labels; /* of all samples, empty ones too */
	struct ep_id_range mappings, locations, functions;
};

/*
 * ep_scan - count what a plain protobuf holds.
 *
 * in       n  below 4 GB, so that every count fits
 * errors   -ENODATA (cut short), -EBADMSG
 * threads  any thread
 */
int ep_scan(const void *data, size_t n, struct ep_scan *ret_scan, struct ep_err *err);

/* The fault a reader remembers, as an error; `message` is the name of what it read. */
int ep_scan_fail(const struct ep_scan *s, struct ep_pb_reader r, const char *message,
		 struct ep_err *err) __attribute__((cold));

/* 0 when there is none. */
static inline int ep_scan_fault(const struct ep_scan *s, const struct ep_pb_reader *r,
				const char *message, struct ep_err *err)
{
	return __builtin_expect(r->fault != EP_PB_OK, 0)
		       ? ep_scan_fail(s, *r, message, err)
		       : 0;
}

#endif
