/*
 * session.h - what a run of `everprof pprof` works with once its profile is there.
 */
#ifndef EP_PPROF_SESSION_H
#define EP_PPROF_SESSION_H

#include "base/notes.h"
#include "pprof/vars.h"
#include "profile/profile.h"

#include <stdbool.h>

struct ep_objects;

struct ep_session {
	const struct ep_profile *profile;
	struct ep_objects *objects; /* may be NULL */
	struct ep_vars vars;	    /* flags; the shell changes it */
	struct ep_notes notes;
	bool is_shell; /* viewers run beside it, and binary output goes to files */
};

#endif
