/*
 * path.h - parts of file names.
 */
#ifndef EP_BASE_PATH_H
#define EP_BASE_PATH_H

#include "base/slice.h"

/* What follows the last slash: all of it when there is none, nothing behind one at the
 * end.  (As Go's reports print it: ep_text_base_name().) */
static inline struct ep_slice ep_path_name(struct ep_slice path)
{
	size_t at = path.n;
	while (at && path.p[at - 1] != '/')
		at--;
	return at ? (struct ep_slice){path.p + at, path.n - at} : path;
}

#endif
