/*
 * output.h - a report to where it belongs: standard output, a file, a viewer.
 */
#ifndef EP_PPROF_OUTPUT_H
#define EP_PPROF_OUTPUT_H

#include "base/err.h"
#include "pprof/formats.h"
#include "pprof/session.h"

/*
 * ep_output_report - make one report and put it out.
 *
 * in       c         the options of this report
 *          argument  of formats that take one
 * errors   those of the report; -EIO of dot, viewers and writing
 * threads  one at a time
 */
int ep_output_report(const struct ep_session *s, const struct ep_vars *c,
		     const struct ep_format *format, const char *argument,
		     struct ep_err *err);

#endif
