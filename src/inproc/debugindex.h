/*
 * debugindex.h - the list of profiles, for people and for programs.
 */
#ifndef EP_INPROC_DEBUGINDEX_H
#define EP_INPROC_DEBUGINDEX_H

#include "base/buf.h"

/* A page with links; names and texts are escaped. */
void ep_debugindex_html(struct ep_buf *out);
/* {"profiles":[{"name":…,"count":…,"href":…,"description":…}],"limits":{…}}:
 * docs/debug-pprof.md.  The limits are what `seconds` is clamped to. */
void ep_debugindex_json(struct ep_buf *out, unsigned profile_s, unsigned trace_s);

#endif
