/*
 * perfdata.h - recordings of `perf record`, by the converter of others.
 */
#ifndef EP_PPROF_PERFDATA_H
#define EP_PPROF_PERFDATA_H

#include "base/buf.h"
#include "base/err.h"
#include "base/notes.h"

/*
 * ep_perfdata_convert - replace the bytes of a recording by a profile of it.
 *
 * Runs perf_to_profile, as the reference does, when it is in PATH.
 *
 * in       path   the file that bytes came from
 * out      bytes  unchanged when they are no recording, or the tool is not there
 * errors   -EBADMSG  the tool failed; -EIO, -ENOMEM
 * threads  any thread
 */
int ep_perfdata_convert(const char *path, const struct ep_notes *notes,
			struct ep_buf *bytes, struct ep_err *err);

#endif
