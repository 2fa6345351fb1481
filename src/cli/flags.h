/*
 * flags.h - flags of a command: one table gives parsing, --help, and the keys
 * of the configuration file.
 *
 *     uint64_t wait_ns = 10 * EP_NS_PER_S;
 *     const char *out = NULL;
 *     const struct ep_flag table[] = {
 *             {"out", 'o', "FILE", EP_FLAG_STRING, &out, "write the profile here"},
 *             {"duration", 'd', "TIME", EP_FLAG_DURATION, &wait_ns, "how long (10s)"},
 *             {0},
 *     };
 *     struct ep_flags flags = {.command = "record", .about = "...", .flags = table};
 *     int rest, rc = ep_flags_parse(&flags, argc, argv, &rest);
 *     if (rc >= 0)
 *             return rc;      // --help was printed, or a mistake was named
 */
#ifndef EP_CLI_FLAGS_H
#define EP_CLI_FLAGS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum ep_flag_kind {
	EP_FLAG_STRING,	  /* const char *; points into argv, or is never freed */
	EP_FLAG_DURATION, /* uint64_t, nanoseconds: 250ms, 10s, 5m, 24h, 7d, 1h30m */
	EP_FLAG_SIZE, /* uint64_t, bytes: 512, 64KB, 64MB, 2GB (1 KB is 1024 bytes) */
	EP_FLAG_INT,  /* int64_t */
	EP_FLAG_BOOL, /* bool: --flag, --flag=true, --flag=false */
};

struct ep_flag {
	const char *name; /* "listen": --listen ADDR, --listen=ADDR, key "listen" */
	char letter;	  /* 'o': -o FILE, -oFILE; 0: none */
	const char *arg;  /* what --help shows for the value; NULL for a bool */
	enum ep_flag_kind kind;
	void *to;	  /* holds the default before the parse */
	const char *help; /* wrapped by --help, as is `about` */
};

/* Keys of the configuration file that are no flags; configfile.h. */
struct ep_flag_section {
	const char *name; /* "limits" */
	const char *help;
	const struct ep_flag *rows; /* ends with a row of zeroes; NULL when it has members */
	/* The keys of a new member, or NULL with err filled; they live as long as the program. */
	const struct ep_flag *(*member)(void *arg, const char *name, struct ep_err *err);
	/* Those there are; NULL at the end. */
	const struct ep_flag *(*nth)(void *arg, size_t i, const char **ret_name);
	void *arg;
};

struct ep_flags {
	const char *command; /* "record" */
	/* "-o FILE [FLAGS] -- CMD...": behind the command's name; NULL: flags alone,
	 * and an argument is a mistake */
	const char *synopsis;
	const char *about;	     /* a sentence or a paragraph */
	const char *examples;	     /* whole lines */
	const struct ep_flag *flags; /* ends with a row of zeroes */
	const struct ep_flag_section *sections; /* likewise; NULL: none */
};

/*
 * ep_flags_parse - read argv into the table's variables.
 *
 * Flags stand before the first argument that is none, or "--"; both forms
 * --flag=value and --flag value are taken.  When the table has a string flag
 * "config" and it is given, that file is read first, so that flags win.  When it has
 * a bool "print-config" and it is given, the settings are printed.
 *
 * out      ret_rest  index of the first argument that is no flag, behind "--";
 *                    argc when the synopsis is NULL
 * returns  -1 go on; else the exit code: 0 --help or the settings were printed, 2 a mistake was
 *          named in one sentence on standard error
 */
int ep_flags_parse(const struct ep_flags *f, int argc, char **argv, int *ret_rest);

/* Set the variable of one row.  0 or -EINVAL. */
int ep_flags_set(const struct ep_flag *g, const char *text);
/* "a duration like 250ms, 10s or 24h" */
const char *ep_flags_wants(enum ep_flag_kind kind);

void ep_flags_print_help(const struct ep_flags *f, FILE *to);

/* 0 or -EINVAL.  Any thread. */
int ep_flags_duration(const char *text, uint64_t *ret_ns);
int ep_flags_size(const char *text, uint64_t *ret_bytes);

#endif
