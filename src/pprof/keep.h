/*
 * keep.h - a copy of what was fetched, for the next time.
 */
#ifndef EP_PPROF_KEEP_H
#define EP_PPROF_KEEP_H

#include "base/err.h"
#include "base/notes.h"
#include "profile/profile.h"

/*
 * ep_keep_profile - write p as pprof.[BINARY.]TYPE.….NNN.pb.gz.
 *
 * Into $PPROF_TMPDIR, else $HOME/pprof, else the folder for temporary files; never
 * over a file that is there.  Says where: "Saved profile in PATH", or why not.
 *
 * errors   -EIO  no folder could be made; everything else is noted, not an error
 */
int ep_keep_profile(const struct ep_profile *p, const struct ep_notes *notes,
		    struct ep_err *err);

#endif
