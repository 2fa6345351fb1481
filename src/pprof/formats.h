/*
 * formats.h - the reports a user can ask for by name, and what becomes of each.
 *
 * A format is a report (report/options.h), perhaps drawn by Graphviz, and a place:
 * standard output, a file when that is a terminal, a viewer.
 */
#ifndef EP_PPROF_FORMATS_H
#define EP_PPROF_FORMATS_H

#include "base/buf.h"
#include "base/slice.h"
#include "report/options.h"

#include <stdbool.h>

enum ep_format_place {
	EP_FORMAT_STDOUT,
	EP_FORMAT_FILE,	  /* standard output, but never a terminal */
	EP_FORMAT_VIEWER, /* a temporary file, and a program that shows it */
};

enum ep_format_viewer {
	EP_VIEWER_BROWSER,
	EP_VIEWER_EOG,
	EP_VIEWER_EVINCE,
	EP_VIEWER_GV,
	EP_VIEWER_KCACHEGRIND,
};

struct ep_format {
	const char *name;
	enum ep_report_kind kind;
	const char *dot; /* what `dot -T` makes of it; NULL: nothing */
	bool has_pan;	 /* an SVG that can be moved and zoomed */
	enum ep_format_place place;
	const char *suffix; /* of the file, without the dot */
	enum ep_format_viewer viewer;
	bool has_argument;
	const char *description;
};

/* By name; ends with a row of zeroes. */
const struct ep_format *ep_formats_all(void);
/* NULL: there is none of this name. */
const struct ep_format *ep_formats_find(struct ep_slice name);
/* What the shell's `help NAME` says. */
void ep_formats_help(const struct ep_format *f, struct ep_buf *out);

#endif
