/*
 * shorten.h - names of functions for boxes of a graph: without what is before the
 * class or package.
 */
#ifndef EP_REPORT_SHORTEN_H
#define EP_REPORT_SHORTEN_H

#include "base/slice.h"

/*
 * ep_shorten_function - "github.com/a/b/v2.(*T).Get" is "b.(*T).Get".
 *
 * Go keeps what is behind the last slash, and no version; Java "Class.method"; C++
 * "Class::method".  What looks like none of them stays.
 *
 * in       room  name.n bytes, used when a part inside goes
 * out      a part of name or of room
 */
struct ep_slice ep_shorten_function(struct ep_slice name, char *room);

#endif
