/*
 * options.h - what a report can be asked for: the options of `go tool pprof`.
 *
 * Plain values with the reference's names and defaults; where they come from (flags,
 * shell, URL, settings file) is for the caller.  Strings are never NULL; "" is unset.
 *
 * Source: google/pprof doc/README.md; docs/pprof-compat.md.
 */
#ifndef EP_REPORT_OPTIONS_H
#define EP_REPORT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum ep_report_kind {
	EP_REPORT_TEXT, /* `top` is the same */
	EP_REPORT_TREE,
	EP_REPORT_PEEK, /* argument: a regular expression */
	EP_REPORT_TRACES,
	EP_REPORT_TAGS,
	EP_REPORT_COMMENTS,
	EP_REPORT_RAW,
	EP_REPORT_DOT,
	EP_REPORT_CALLGRIND,
	EP_REPORT_PROTO,
	EP_REPORT_TOPPROTO,
	EP_REPORT_LIST,	   /* argument: a regular expression */
	EP_REPORT_WEBLIST, /* argument: a regular expression or an address; HTML */
	EP_REPORT_DISASM,  /* the same argument */
};

enum ep_granularity {
	EP_BY_FUNCTION, /* the default of all but the flame graph */
	EP_BY_FILEFUNCTION,
	EP_BY_FILE,
	EP_BY_LINE,
	EP_BY_ADDRESS,
};

struct ep_report_options {
	enum ep_report_kind kind;
	const char *argument; /* of the kinds that take one */

	/* What is shown. */
	const char *sample_index; /* a number or a type's name; "": the profile's default */
	bool mean;
	bool normalize; /* acted on before the report, when the base is subtracted */
	double divide_by;
	const char *unit; /* "minimum" */
	enum ep_granularity granularity;
	bool noinlines, showcolumns;
	bool call_tree;
	bool drop_negative;
	bool relative_percentages;
	bool compact_labels;
	bool cum_sort; /* sort=cum */
	bool intel_syntax;

	/* What is left out. */
	int nodecount; /* -1: the kind's own */
	double nodefraction, edgefraction;
	bool trim;
	const char *focus, *ignore, *hide, *show, *show_from, *prune_from;
	const char *tagfocus, *tagignore, *tagshow, *taghide;
	const char *tagroot, *tagleaf;

	/* Where sources lie. */
	const char *source_path, *trim_path;

	/* Beyond the reference; all off by default. */
	const char *group_by; /* a label: rows are its values, not functions */
	bool json;	      /* the kinds that have a JSON form give it */
	int width;	      /* columns of the terminal to fit names into; 0: as long as they are */
	bool colour;	      /* ANSI colours */
};

/* The reference's defaults, of a command line (not of its shell). */
void ep_report_options_init(struct ep_report_options *o);

#endif
