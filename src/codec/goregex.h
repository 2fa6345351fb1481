/*
 * goregex.h - is a regular expression one of Go's?
 *
 * PCRE2 takes more: look-around, back references, possessive repetition.  What the
 * reference refuses is refused here, in its words.
 */
#ifndef EP_CODEC_GOREGEX_H
#define EP_CODEC_GOREGEX_H

#include "base/err.h"
#include "base/slice.h"

/*
 * ep_goregex_check - 0, or -EINVAL with Go's sentence ("error parsing regexp: …").
 *
 * What passes may still be refused by the compiler: names of classes, and limits.
 * Any thread.
 */
int ep_goregex_check(struct ep_slice pattern, struct ep_err *err);

#endif
