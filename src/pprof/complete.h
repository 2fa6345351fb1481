/*
 * complete.h - what a line of the shell could go on with.
 */
#ifndef EP_PPROF_COMPLETE_H
#define EP_PPROF_COMPLETE_H

#include "base/slice.h"
#include "profile/profile.h"

#include <stddef.h>

struct ep_complete {
	size_t from; /* where in the line the word begins that `text` replaces */
	struct ep_slice text; /* the word, as far as all candidates agree; borrowed */
	size_t n;	      /* candidates */
};

/*
 * ep_complete_line - the last word of a line.
 *
 * The first word is a command or an option, so is the word behind `help`; words behind
 * a command are names of functions that hold the text anywhere, with or without a '-'
 * before it.
 *
 * in       p      names of functions
 *          show   called for each candidate; may be NULL
 * returns  n 0: nothing fits
 * threads  any; nothing is allocated
 */
struct ep_complete ep_complete_line(const struct ep_profile *p, struct ep_slice line,
				    void (*show)(void *ctx, struct ep_slice candidate),
				    void *ctx);

#endif
