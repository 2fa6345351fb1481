/*
 * symbolize.h - names, lines and inlined functions for a whole profile: `-symbolize`.
 */
#ifndef EP_SYMBOL_SYMBOLIZE_H
#define EP_SYMBOL_SYMBOLIZE_H

#include "symbol/object.h"

enum ep_demangle_mode {
	EP_DEMANGLE_DEFAULT, /* no parameters, no template arguments */
	EP_DEMANGLE_NONE,
	EP_DEMANGLE_TEMPLATES, /* no parameters */
	EP_DEMANGLE_FULL,
};

/* What `-symbolize=MODE` says. */
struct ep_symbolize_mode {
	bool none, local, fast, remote, force;
	enum ep_demangle_mode demangle;
};
/* "" is the default: local, then remote.  Words that are not known are noted, as the
 * reference does. */
struct ep_symbolize_mode ep_symbolize_parse(const char *mode, const struct ep_notes *notes);

/* Asks a server for names: POST `body` to `url`, the answer into `reply`. */
struct ep_symbolize_remote {
	int (*post)(void *ctx, const char *url, struct ep_slice body, struct ep_buf *reply,
		    struct ep_err *err);
	void *ctx;
	const char *source; /* URL that the profile came from; "": from a file */
};

/*
 * ep_symbolize - name what has no names yet (all of it with `force`), then demangle.
 *
 * in       remote  may be NULL
 * inout    p       tables are replaced by new ones in its arena
 * errors   -ENOMEM, -E2BIG; what can't be named is noted, not an error
 * threads  one thread at a time per profile and objects
 */
int ep_symbolize(struct ep_profile *p, struct ep_symbolize_mode mode, struct ep_objects *objects,
		 const struct ep_symbolize_remote *remote, const struct ep_notes *notes,
		 struct ep_err *err);

#endif
