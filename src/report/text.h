/*
 * text.h - small things of every text report: columns, names of places, file names.
 */
#ifndef EP_REPORT_TEXT_H
#define EP_REPORT_TEXT_H

#include "base/buf.h"
#include "base/slice.h"
#include "profile/profile.h"

/* Bytes of the first character, of which there must be one: 1 also for a byte that
 * begins none. */
size_t ep_text_character(struct ep_slice s);

/* Characters, as the reference counts them: a byte that is no UTF-8 is one. */
size_t ep_text_length(struct ep_slice s);

/* Append text, with spaces before it up to a width in characters: "%10s". */
void ep_text_add_right(struct ep_buf *out, struct ep_slice s, size_t width);
static inline void ep_text_add_right_str(struct ep_buf *out, const char *s, size_t width)
{
	ep_text_add_right(out, ep_slice_of(s), width);
}

/* What follows the last slash of a path; "/" for slashes alone, "." for "". */
struct ep_slice ep_text_base_name(struct ep_slice path);

/* Append a path without ".", "x/.." and double slashes; "." for one that is empty. */
void ep_text_add_clean_path(struct ep_buf *out, struct ep_slice path);

/* A place in a program, as reports name it; what is not known is "" or 0. */
struct ep_text_place {
	uint64_t address;
	struct ep_slice function;
	struct ep_slice file; /* clean */
	int64_t line, column;
	struct ep_slice object; /* of a place without function and file */
};

/* "0000000000001000 main /src/main.c:7"; "[libc.so]" or "<unknown>" without names. */
void ep_text_add_place(struct ep_buf *out, const struct ep_text_place *p);

#endif
