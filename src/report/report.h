/*
 * report.h - from a profile and options to text: the one door of this room.
 *
 * The engine behind `everprof pprof`, its shell and its page, and the server's
 * reports.  It knows no terminal, no socket and no file but sources and binaries.
 * On equal input and options the bytes are those of `go tool pprof`, and the same on
 * every run; docs/pprof-compat.md lists the differences.
 */
#ifndef EP_REPORT_REPORT_H
#define EP_REPORT_REPORT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/notes.h"
#include "profile/profile.h"
#include "report/options.h"

struct ep_objects;

/*
 * ep_report_write - make one report.
 *
 * in       p        valid; not changed, and may be read by others meanwhile
 *          objects  opens binaries for LIST, WEBLIST and DISASM (symbol/object.h);
 *                   may be NULL, then they find none
 *          notes    what users should know and standard output must not carry, with
 *                   the reference's wording; may be NULL
 * out      out      appended to; undefined on failure.  Gzip for PROTO, TOPPROTO.
 *                   TRACES and RAW, which grow with the samples, are drained into its
 *                   sink, if it has one, while they are made
 * errors   -EINVAL  an option or an argument can't be used; the text is the
 *                   reference's sentence
 *          -ENOENT  a pattern matched nothing
 *          -ENOMEM, -E2BIG
 * threads  any thread
 */
int ep_report_write(const struct ep_profile *p, const struct ep_report_options *o,
		    struct ep_objects *objects, const struct ep_notes *notes,
		    struct ep_buf *out, struct ep_err *err);

/*
 * ep_report_header - the lines over a report (File:, Type:, Time:, Duration: …), as
 * the shell shows them at its start.  The same errors.
 */
int ep_report_header(const struct ep_profile *p, const struct ep_report_options *o,
		     struct ep_buf *out, struct ep_err *err);

#endif
