/*
 * webdot.h - a graph as the reference writes it, made fit to be drawn for the page.
 */
#ifndef EP_PPROF_WEBDOT_H
#define EP_PPROF_WEBDOT_H

#include "base/buf.h"

/*
 * ep_webdot_mend - take the legend out, which the page has already; escape the labels of
 * samples, which the reference does not; shorten what is longer than `dot` can read.
 *
 * errors   -ENOMEM, -E2BIG
 */
int ep_webdot_mend(struct ep_buf *dot);

#endif
