/*
 * texttable.h - columns of text, aligned to the right.
 *
 * A tab ends a cell, a newline a line.  A column is a block of neighbouring lines that
 * have a cell there, and a cell belongs to it only if another follows: so a line of one
 * cell ends all blocks.  As Go's text/tabwriter does it, with its control characters.
 */
#ifndef EP_REPORT_TEXTTABLE_H
#define EP_REPORT_TEXTTABLE_H

#include "base/buf.h"
#include "base/slice.h"

struct ep_texttable_cell {
	size_t end; /* in the text, which has neither tabs nor newlines */
	uint32_t width;
};

struct ep_texttable {
	struct ep_buf *out;
	struct ep_buf text;
	struct ep_buf cells;	   /* struct ep_texttable_cell, ended ones */
	struct ep_buf lines;	   /* uint32_t: the first cell of each */
	size_t cell_start;	   /* of the cell at hand */
	uint32_t hidden;	   /* characters of it that have no width */
	bool escaped;		   /* control characters are text */
	int failed;
};

/* What is complete goes to `out` on the way; ep_texttable_finish() writes the rest, and is
 * due at the end in any case.  One thread at a time. */
void ep_texttable_init(struct ep_texttable *t, struct ep_buf *out);
void ep_texttable_add(struct ep_texttable *t, struct ep_slice text);
static inline void ep_texttable_add_str(struct ep_texttable *t, const char *text)
{
	ep_texttable_add(t, ep_slice_of(text));
}
/* 0, -ENOMEM, -E2BIG. */
int ep_texttable_finish(struct ep_texttable *t);

#endif
