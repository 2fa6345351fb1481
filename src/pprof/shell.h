/*
 * shell.h - the commands that a user types at "(pprof)".
 */
#ifndef EP_PPROF_SHELL_H
#define EP_PPROF_SHELL_H

#include "base/err.h"
#include "pprof/session.h"

/*
 * ep_shell_run - read lines until the end, exit, quit or q.
 *
 * A command that fails says so and the next one is read.
 *
 * inout    s  its options change with what is typed
 * errors   -ENOMEM
 * threads  one at a time; standard input, output and error are used
 */
int ep_shell_run(struct ep_session *s, struct ep_err *err);

#endif
