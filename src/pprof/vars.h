/*
 * vars.h - the options of `everprof pprof` by name: flags, shell, URL, saved
 * settings.
 *
 * One table says of each option what it is called everywhere, what kind of value it
 * takes and where it lies.  Values are plain: copying a struct ep_vars copies them
 * all, so a command's own options are changes of a copy.
 *
 * Source: google/pprof doc/README.md; docs/pprof-compat.md.
 */
#ifndef EP_PPROF_VARS_H
#define EP_PPROF_VARS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "report/options.h"

#include <stdbool.h>
#include <stddef.h>

struct ep_vars {
	struct ep_report_options o; /* but granularity and cum_sort: see below */
	const char *output;	    /* a file; "": standard output */
	int sort;		    /* index of a choice of the option `sort` */
	int granularity;	    /* likewise; -1: the report's own */
	struct ep_arena *strings;   /* values lie here; shared by copies, borrowed */
};

enum ep_vars_kind {
	EP_VARS_BOOL,
	EP_VARS_INT,
	EP_VARS_FLOAT,
	EP_VARS_STRING,
	EP_VARS_CHOICE, /* one of a group of words, each of which is a flag of its own
			 */
};

struct ep_vars_choice {
	const char *name;
	const char *help;
	int value;
};

struct ep_vars_field {
	const char *name;
	enum ep_vars_kind kind;
	size_t offset;	  /* in struct ep_vars */
	const char *url;  /* key in a URL; NULL: not there */
	bool is_saved;	  /* in named settings */
	bool is_ours;	  /* the reference has none of this name */
	const char *help; /* lines; the first one stands in lists */
	const struct ep_vars_choice
		*choices; /* of a CHOICE; ends with a row of zeroes */
};

/* strings must outlive all copies. */
void ep_vars_init(struct ep_vars *c, struct ep_arena *strings);

/* All of them, in the reference's order, ours last; ends with a row of zeroes. */
const struct ep_vars_field *ep_vars_fields(void);
/* By the option's name, or that of a choice of its (then *ret_choice is set); NULL. */
const struct ep_vars_field *ep_vars_find(struct ep_slice name,
					 const struct ep_vars_choice **ret_choice);
/* A bool, or a choice by its own name: what may stand without a value. */
bool ep_vars_is_bool(struct ep_slice name);

/*
 * ep_vars_set - an option from text, as the shell, URLs and settings have it.
 *
 * in       name   an option or a choice
 *          value  copied.  Of a bool: true, t, yes, y, 1 or "", false, f, no, n, 0
 * errors   -EINVAL with the reference's sentence; -ENOMEM
 */
int ep_vars_set(struct ep_vars *c, struct ep_slice name, struct ep_slice value,
		struct ep_err *err);
/* Append an option's value as text: what set() takes. */
void ep_vars_get(const struct ep_vars *c, const struct ep_vars_field *f,
		 struct ep_buf *out);

/* What the report room wants: choices in place, the kind and argument of one report. */
struct ep_report_options ep_vars_options(const struct ep_vars *c,
					 enum ep_report_kind kind,
					 const char *argument);

/* Append a number as Go's fmt.Sprint writes a float64: "0.005", "1e-07". */
void ep_vars_format_float(double v, struct ep_buf *out);

#endif
