/*
 * args.h - the command line of `everprof pprof`, read and checked.
 */
#ifndef EP_PPROF_ARGS_H
#define EP_PPROF_ARGS_H

#include "base/err.h"
#include "base/notes.h"
#include "pprof/vars.h"
#include "pprof/formats.h"

struct ep_args {
	struct ep_vars vars;
	const struct ep_format *format; /* NULL: the shell, or the page with `http` */
	const char *argument;		/* of the format; "" */

	const char **sources, **bases; /* in the arena */
	size_t n_sources, n_bases;
	bool is_diff_base; /* bases by -diff_base */

	const char *binary; /* stands for the first mapping's file; NULL: none */
	const char *build_id, *symbolize, *tools, *comment; /* "": none */
	const char *http;				    /* "": no page */
	const char *tls_cert, *tls_key, *tls_ca;	    /* "": none */
	int64_t seconds, timeout;			    /* -1: not given */
	bool no_browser, all_frames;
};

/*
 * ep_args_parse - argv[1] and on.
 *
 * in       arena  takes what the arguments need; strings may point into argv
 *          notes  remarks on flags that were ignored
 * out      a      untouched but for garbage on failure
 * errors   -EINVAL    one sentence, the reference's where it has one
 *          -ENOENT    an unknown flag; the sentence may name the nearest one
 *          -ENODATA   no source: the usage belongs before the sentence
 *          -ECANCELED -help
 *          -ENOMEM
 */
int ep_args_parse(int argc, char **argv, struct ep_arena *arena,
		  const struct ep_notes *notes, struct ep_args *a, struct ep_err *err);

/* One flag of -help that is neither a format nor an option. */
struct ep_args_flag {
	const char *name, *value, *help; /* value NULL: a bool */
};
/* Groups, ends with a row of zeroes; a row with a help alone is a heading. */
const struct ep_args_flag *ep_args_flags(void);

#endif
