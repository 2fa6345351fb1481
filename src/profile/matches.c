/* matches.c - see matches.h. */
#include "profile/matches.h"

int ep_matches_init(struct ep_matches *m, const struct ep_profile *p,
		    const struct ep_regex *regex, struct ep_arena *scratch,
		    struct ep_err *err)
{
	*m = (struct ep_matches){.p = p, .regex = regex, .err = err};
	if (!regex)
		return 0;
	m->known = ep_arena_array(scratch, uint8_t, p->n_strings);
	return m->known ? 0 : ep_fail(err, -ENOMEM, 0, "no memory for matching names");
}

bool ep_matches_ask(struct ep_matches *m, ep_str s)
{
	int rc = m->failed ? 0 : ep_regex_match(m->regex, m->p->strings[s], m->err);
	if (rc < 0)
		m->failed = rc;
	m->known[s] = rc > 0 ? 2 : 1;
	return rc > 0;
}

bool ep_matches_location(struct ep_matches *m, const struct ep_location *l)
{
	const struct ep_line *lines = m->p->lines + l->first_line;
	for (uint32_t i = 0; i < l->n_lines; i++)
		if (ep_matches_line(m, &lines[i]))
			return true;
	return ep_matches_mapping(m, l);
}
