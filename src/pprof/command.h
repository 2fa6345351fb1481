/*
 * command.h - a line of the shell that asks for a report, taken apart.
 *
 *     top10 -cum main -runtime >FILE
 */
#ifndef EP_PPROF_COMMAND_H
#define EP_PPROF_COMMAND_H

#include "base/err.h"
#include "pprof/formats.h"
#include "pprof/vars.h"

struct ep_command_line {
	const struct ep_format *format;
	const char *argument; /* of formats that take one; "" */
	struct ep_vars vars;  /* the shell's, with what this line changes */
};

/*
 * ep_command_parse - one line that is neither an assignment nor one of the shell's own.
 *
 * in       vars  the shell's; the arena in it takes new strings
 * errors   -EINVAL with the reference's sentence; -ENOMEM
 */
int ep_command_parse(struct ep_slice line, const struct ep_vars *vars,
		     struct ep_command_line *ret_c, struct ep_err *err);

/* The next word of *rest, which moves behind it; n 0: no more. */
struct ep_slice ep_command_word(struct ep_slice *rest);

#endif
