/*
 * nearest.h - the flag that somebody meant who typed another.
 */
#ifndef EP_PPROF_NEAREST_H
#define EP_PPROF_NEAREST_H

#include "base/slice.h"

/* The name of a flag that is two letters away at most, or one of a short name; NULL. */
const char *ep_nearest_flag(struct ep_slice name);

#endif
