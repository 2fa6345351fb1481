/*
 * hint.h - what a file that is no profile may be, for a sentence that helps.
 */
#ifndef EP_LEGACY_HINT_H
#define EP_LEGACY_HINT_H

#include "base/slice.h"

/* "a web page", "a Go execution trace: go tool trace opens it"; NULL: no idea.
 * Static.  Any thread. */
const char *ep_hint_of(struct ep_slice bytes);

#endif
