/*
 * viewer.h - a program that shows a file to the user.
 */
#ifndef EP_PPROF_VIEWER_H
#define EP_PPROF_VIEWER_H

#include "base/err.h"
#include "pprof/formats.h"

/*
 * ep_viewer_show - start the first viewer of its kind that is there.
 *
 * Takes at least a second, so that a viewer that only passes the file on has opened it
 * when the caller removes it.
 *
 * in       path  the file, or a URL
 *          wait  until the viewer ends
 * errors   -ENOENT none is there; -EIO it ended with an error (only with wait)
 */
int ep_viewer_show(enum ep_format_viewer kind, const char *path, bool wait,
		   struct ep_err *err);

#endif
