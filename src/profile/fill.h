/*
 * fill.h - the second of the decoder's two passes: make and check the tables.
 */
#ifndef EP_PROFILE_FILL_H
#define EP_PROFILE_FILL_H

#include "profile/profile.h"
#include "profile/scan.h"

/*
 * ep_fill - a profile from the scanned bytes.
 *
 * in       p  empty; its arena takes the tables.  The strings stay slices of the
 *             scanned bytes
 * out      p  half made on failure: to be freed
 * errors   -EBADMSG  malformed or inconsistent, as docs/formats/pprof.md lists
 *          -ENOMEM
 * threads  one thread at a time per profile
 */
int ep_fill(const struct ep_scan *s, struct ep_profile *p, struct ep_err *err);

#endif
