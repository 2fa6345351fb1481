/*
 * filling.h - what the two halves of fill.h share: fill.c makes the tables and all but
 * the samples, fillsamples.c the samples.  Nobody else includes it.
 */
#ifndef EP_PROFILE_FILLING_H
#define EP_PROFILE_FILLING_H

#include "profile/profile.h"
#include "profile/scan.h"
#include "profile/share.h"

#include <inttypes.h>

struct ep_filling {
	const struct ep_scan *s;
	struct ep_profile *p;
	struct ep_err *err;
	struct ep_ids mappings, functions, locations;
	struct ep_share stacks, label_sets;
	struct ep_sample *sample; /* the one at hand */
};

static inline uint64_t ep_filling_pos(const struct ep_filling *f,
				      const struct ep_pb_reader *r)
{
	return (uint64_t)(r->tag - f->s->data);
}

/* The next field of a section that is of the section's own kind. */
static inline bool ep_filling_next(struct ep_pb_reader *r, uint64_t field)
{
	while (ep_pb_next(r)) {
		if (r->field == field)
			return true;
		ep_pb_skip(r);
	}
	return false;
}

static inline struct ep_pb_reader ep_filling_open(const struct ep_filling *f,
						  enum ep_scan_section section)
{
	struct ep_slice s = f->s->section[section];
	return ep_pb_open(s.p ? (const void *)s.p : f->s->data, s.n);
}

/* The fault of an index at `at` that no string has. */
static __attribute__((cold, noinline, unused)) int
ep_filling_bad_string(const struct ep_filling *f, const uint8_t *at, uint64_t i)
{
	return ep_fail(f->err, -EBADMSG, (uint64_t)(at - f->s->data),
		       "string index %" PRId64 ", table has %" PRIu32, (int64_t)i,
		       f->p->n_strings);
}

/* The current field as a string index. */
static inline int ep_filling_string(const struct ep_filling *f, struct ep_pb_reader *r,
				    ep_str *ret)
{
	uint64_t i = ep_pb_get_varint(r);
	if (__builtin_expect(i >= f->p->n_strings, 0))
		return ep_filling_bad_string(f, r->tag, i);
	*ret = (ep_str)i;
	return 0;
}

/* The samples, once all they refer to is there; errors as ep_fill(). */
int ep_fillsamples_read(struct ep_filling *f);

#endif
