/*
 * line.h - lines from the user: edited on a terminal, plain from anything else.
 *
 * Editing, history and completion are libedit's, which is loaded here and nowhere else,
 * only when standard input is a terminal that can be drawn on; without it lines are
 * plain.
 */
#ifndef EP_PPROF_LINE_H
#define EP_PPROF_LINE_H

#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"
#include "profile/profile.h"

#include <stdbool.h>

struct ep_line_reader;

/*
 * ep_line_open - start to read lines.
 *
 * in       p  names for completion; borrowed
 * errors   -ENOMEM
 */
int ep_line_open(const struct ep_profile *p, struct ep_line_reader **ret_r);
/* Keeps the history of an edited terminal. */
void ep_line_reader_free(struct ep_line_reader *r);
EP_DEFINE_AUTO(ep_line_reader);

/* Are lines edited? */
bool ep_line_is_edited(const struct ep_line_reader *r);

/*
 * ep_line_read - the next line, with its newline if it has one.
 *
 * The prompt goes to standard output, as the reference has it; when lines are edited,
 * to the terminal.
 *
 * out      ret_line  lives until the next call
 * returns  1 a line, 0 the end
 */
int ep_line_read(struct ep_line_reader *r, const char *prompt,
		 struct ep_slice *ret_line);

#endif
