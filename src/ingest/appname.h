/*
 * appname.h - the `name` of /ingest: app{key=value,key2=value2}.
 */
#ifndef EP_INGEST_APPNAME_H
#define EP_INGEST_APPNAME_H

#include "ingest/accept.h"

/*
 * ep_appname_parse - split it; slices point into text.
 *
 * Values are unquoted, blanks around keys and values come off, the first `}`
 * ends it.  Labels that start with `__` are left out but for __session_id__ (and
 * __name__ when keep_name), as in Pyroscope.  A key given twice: the last counts.
 *
 * errors   -EINVAL  an empty name, control characters, no closing brace, a
 *                   label without `=` or with a key of other characters than
 *                   letters, digits, _ . - / ; err->pos is the offset
 *          -E2BIG   too many labels
 */
int ep_appname_parse(struct ep_slice text, bool keep_name, struct ep_slice *ret_app,
		     struct ep_labelset_in *labels, struct ep_err *err);

#endif
