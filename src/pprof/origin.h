/*
 * origin.h - one source of a profile, as a user names it, to the profile.
 *
 * A file, standard input ("-"), or a URL.
 */
#ifndef EP_PPROF_ORIGIN_H
#define EP_PPROF_ORIGIN_H

#include "base/err.h"
#include "base/notes.h"
#include "profile/profile.h"

struct ep_fetch;

struct ep_origin_options {
	int64_t seconds, timeout;     /* of URLs; below 1: not given */
	const struct ep_fetch *fetch; /* may be NULL: then a URL is an error */
	const struct ep_notes *notes;
};

struct ep_origin {
	struct ep_profile *profile; /* owned */
	char *url;		    /* owned; NULL: it came from a file */
};

/*
 * ep_origin_load - read one source.
 *
 * out      ret_s   untouched on failure; free with ep_origin_fini()
 * errors   those of reading, fetching and decoding; the text does not name the source
 * threads  any thread; several at once with one fetch
 */
int ep_origin_load(const char *name, const struct ep_origin_options *o,
		   struct ep_origin *ret_s, struct ep_err *err);
void ep_origin_fini(struct ep_origin *s);

#endif
