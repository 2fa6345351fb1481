/*
 * matches.h - a regular expression over the strings of a profile, each asked once.
 */
#ifndef EP_PROFILE_MATCHES_H
#define EP_PROFILE_MATCHES_H

#include "base/arena.h"
#include "base/err.h"
#include "codec/regex.h"
#include "profile/profile.h"

struct ep_matches {
	const struct ep_profile *p;
	const struct ep_regex *regex; /* NULL: nothing matches */
	uint8_t *known;		      /* by string: 0 not asked yet, else an answer */
	struct ep_err *err;
	int failed; /* the first failure; answers are false from there on */
};

/*
 * in       p, regex  must outlive it; no string is added to p meanwhile
 *          scratch   takes a byte a string
 *          err       filled by the first question that fails
 * errors   -ENOMEM
 * threads  one thread at a time per object
 */
int ep_matches_init(struct ep_matches *m, const struct ep_profile *p,
		    const struct ep_regex *regex, struct ep_arena *scratch,
		    struct ep_err *err);

/* The slow half of ep_matches(). */
bool ep_matches_ask(struct ep_matches *m, ep_str s);

static inline bool ep_matches(struct ep_matches *m, ep_str s)
{
	if (!m->regex)
		return false;
	return m->known[s] ? m->known[s] == 2 : ep_matches_ask(m, s);
}

/* The line's function, by name or file. */
static inline bool ep_matches_line(struct ep_matches *m, const struct ep_line *l)
{
	const struct ep_function *f = &m->p->functions[l->function];
	return ep_matches(m, f->name) || ep_matches(m, f->filename);
}

static inline bool ep_matches_mapping(struct ep_matches *m, const struct ep_location *l)
{
	return l->mapping != EP_NONE &&
	       ep_matches(m, m->p->mappings[l->mapping].filename);
}

/* Any line of a location, or its mapping. */
bool ep_matches_location(struct ep_matches *m, const struct ep_location *l);

#endif
