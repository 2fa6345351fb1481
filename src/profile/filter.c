/* filter.c - see filter.h. */
#include "profile/filter.h"

#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* What is known of a string under the term at hand. */
enum {
	IS_KEY = 1,
	IS_NOT_KEY = 2,
	MATCHES = 4,
	MATCHES_NOT = 8,
};

struct filter {
	const struct ep_profile *p;
	const struct ep_filter_term *term;
	uint8_t *known; /* by string */
};

bool ep_filter_equals(void *ctx, struct ep_slice value)
{
	return ep_slice_eq(*(const struct ep_slice *)ctx, value);
}

/* Two indexes may hold equal strings, so keys are compared, but each index once. */
static bool is_key(struct filter *f, ep_str s)
{
	if (!(f->known[s] & (IS_KEY | IS_NOT_KEY)))
		f->known[s] |= ep_slice_eq(f->p->strings[s], f->term->key) ? IS_KEY
									   : IS_NOT_KEY;
	return f->known[s] & IS_KEY;
}

static bool string_matches(struct filter *f, ep_str s)
{
	if (!(f->known[s] & (MATCHES | MATCHES_NOT)))
		f->known[s] |= f->term->match(f->term->ctx, f->p->strings[s])
				       ? MATCHES
				       : MATCHES_NOT;
	return f->known[s] & MATCHES;
}

static bool label_matches(struct filter *f, const struct ep_label *l)
{
	if (l->str)
		return string_matches(f, l->str);
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRId64, l->num);
	return f->term->match(f->term->ctx, (struct ep_slice){text, (size_t)n});
}

static bool sample_matches(struct filter *f, const struct ep_sample *s)
{
	bool found = false;
	for (uint32_t i = 0; i < s->n_labels; i++) {
		const struct ep_label *l = &f->p->labels[s->first_label + i];
		if (!is_key(f, l->key))
			continue;
		found = true;
		if (label_matches(f, l))
			return !f->term->negate;
	}
	if (!found && string_matches(f, 0))
		return !f->term->negate;
	return f->term->negate;
}

static void apply_term(struct filter *f, uint8_t *drop)
{
	memset(f->known, 0, f->p->n_strings);
	for (uint32_t i = 0; i < f->p->n_samples; i++)
		if (!drop[i])
			drop[i] = !sample_matches(f, &f->p->samples[i]);
}

static void drop_samples(struct ep_profile *p, const uint8_t *drop)
{
	uint32_t n = p->n_sample_types, kept = 0;
	for (uint32_t i = 0; i < p->n_samples; i++) {
		if (drop[i])
			continue;
		p->samples[kept] = p->samples[i];
		memmove(p->values + (size_t)kept * n, p->values + (size_t)i * n,
			n * sizeof(*p->values));
		kept++;
	}
	p->n_samples = kept;
}

int ep_filter_labels(struct ep_profile *p, const struct ep_filter_term *terms,
		     size_t n_terms, struct ep_err *err)
{
	uint8_t *known ep_auto_mem = ep_zalloc((size_t)p->n_strings + p->n_samples);
	if (!known)
		return ep_fail(err, -ENOMEM, 0, "no memory for filtering");
	uint8_t *drop = known + p->n_strings;
	for (size_t i = 0; i < n_terms; i++) {
		struct filter f = {.p = p, .term = &terms[i], .known = known};
		apply_term(&f, drop);
	}
	drop_samples(p, drop);
	return 0;
}
