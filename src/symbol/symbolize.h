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

/* Which server a mapping's profile came from. */
struct ep_symbolize_source {
	char *key;	/* owned; the mapping's build ID, else its file, else the URL */
	char *url;	/* owned */
	uint64_t start; /* of the mapping there; a merged profile's may differ */
};
struct ep_symbolize_sources {
	struct ep_symbolize_source *s; /* owned */
	size_t n, cap;
};
/*
 * ep_symbolize_add_source - note down where a profile came from, before it is merged.
 *
 * inout    p   a mapping without a name gets that of the URL until
 *              ep_symbolize_forget_source(), so that it stays apart
 * errors   -ENOMEM
 */
int ep_symbolize_add_source(struct ep_symbolize_sources *all, struct ep_profile *p,
			    const char *url, struct ep_err *err);
void ep_symbolize_sources_fini(struct ep_symbolize_sources *all);
/* After the work: mappings that are called by a URL have no name again. */
void ep_symbolize_forget_source(struct ep_profile *p);

/* Asks a server for names: POST `body` to `url`, the answer into `reply`. */
struct ep_symbolize_remote {
	int (*post)(void *ctx, const char *url, struct ep_slice body, struct ep_buf *reply,
		    struct ep_err *err);
	void *ctx;
	const struct ep_symbolize_sources *sources;
};

/*
 * ep_symbolize - name what has no names yet (all of it with `force`), then demangle.
 *
 * in       remote  may be NULL
 * inout    p       tables are replaced by new ones in its arena
 * errors   -ENOMEM, -E2BIG, and what `post` returns; what can't be named locally is
 *          noted, not an error
 * threads  one thread at a time per profile and objects
 */
int ep_symbolize(struct ep_profile *p, struct ep_symbolize_mode mode, struct ep_objects *objects,
		 const struct ep_symbolize_remote *remote, const struct ep_notes *notes,
		 struct ep_err *err);

/* Does the address of this mapping have no file at all: a JIT's, the kernel's? */
bool ep_symbolize_is_hopeless(struct ep_slice file);

#endif
