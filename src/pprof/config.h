/*
 * config.h - the options of `everprof pprof` by name: flags, shell, URL, saved
 * settings.
 *
 * One table says of each option what it is called everywhere, what kind of value it
 * takes and where it lies.  Values are plain: copying a struct ep_config copies them
 * all, so a command's own options are changes of a copy.
 *
 * Source: google/pprof doc/README.md; docs/pprof-compat.md.
 */
#ifndef EP_PPROF_CONFIG_H
#define EP_PPROF_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "report/options.h"

#include <stdbool.h>
#include <stddef.h>

struct ep_config {
	struct ep_report_options o; /* but granularity and cum_sort: see below */
	const char *output;	    /* a file; "": standard output */
	int sort;		    /* index of a choice of the option `sort` */
	int granularity;	    /* likewise; -1: the report's own */
	struct ep_arena *strings;   /* values lie here; shared by copies, borrowed */
};

enum ep_config_kind {
	EP_CONFIG_BOOL,
	EP_CONFIG_INT,
	EP_CONFIG_FLOAT,
	EP_CONFIG_STRING,
	EP_CONFIG_CHOICE, /* one of a group of words, each of which is a flag of its own
			   */
};

struct ep_config_choice {
	const char *name;
	const char *help;
	int value;
};

struct ep_config_field {
	const char *name;
	enum ep_config_kind kind;
	size_t offset;	  /* in struct ep_config */
	const char *url;  /* key in a URL; NULL: not there */
	bool is_saved;	  /* in named settings */
	bool is_ours;	  /* the reference has none of this name */
	const char *help; /* lines; the first one stands in lists */
	const struct ep_config_choice
		*choices; /* of a CHOICE; ends with a row of zeroes */
};

/* strings must outlive all copies. */
void ep_config_init(struct ep_config *c, struct ep_arena *strings);

/* All of them, in the reference's order, ours last; ends with a row of zeroes. */
const struct ep_config_field *ep_config_fields(void);
/* By the option's name, or that of a choice of its (then *ret_choice is set); NULL. */
const struct ep_config_field *
ep_config_find(struct ep_slice name, const struct ep_config_choice **ret_choice);
/* A bool, or a choice by its own name: what may stand without a value. */
bool ep_config_is_bool(struct ep_slice name);

/*
 * ep_config_set - an option from text, as the shell, URLs and settings have it.
 *
 * in       name   an option or a choice
 *          value  copied.  Of a bool: true, t, yes, y, 1 or "", false, f, no, n, 0
 * errors   -EINVAL with the reference's sentence; -ENOMEM
 */
int ep_config_set(struct ep_config *c, struct ep_slice name, struct ep_slice value,
		  struct ep_err *err);
/* Append an option's value as text: what set() takes. */
void ep_config_get(const struct ep_config *c, const struct ep_config_field *f,
		   struct ep_buf *out);

/* What the report room wants: choices in place, the kind and argument of one report. */
struct ep_report_options ep_config_options(const struct ep_config *c,
					   enum ep_report_kind kind,
					   const char *argument);

/* Append a number as Go's fmt.Sprint writes a float64: "0.005", "1e-07". */
void ep_config_format_float(double v, struct ep_buf *out);

#endif
