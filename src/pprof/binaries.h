/*
 * binaries.h - where a command line says binaries lie, and how more are fetched.
 */
#ifndef EP_PPROF_BINARIES_H
#define EP_PPROF_BINARIES_H

#include "pprof/args.h"
#include "symbol/object.h"

struct ep_fetch;

/*
 * ep_binaries_open - the binaries of a command line: $PPROF_BINARY_PATH or
 * $HOME/pprof/binaries, -tools, and the servers of $DEBUGINFOD_URLS.
 *
 * Opens nothing yet.
 *
 * in       fetch     asks the servers; must outlive the answer
 * inout    by_fetch  room for the answer to work with; must outlive it
 * errors   -ENOMEM
 * owns     the caller frees with ep_objects_free()
 */
int ep_binaries_open(const struct ep_args *a, const struct ep_fetch *fetch,
		     struct ep_debugfile_download *by_fetch,
		     const struct ep_notes *notes, struct ep_objects **ret_objects,
		     struct ep_err *err);

#endif
