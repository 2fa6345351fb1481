/* profile.c - life and simple questions of a profile.  See profile.h. */
#include "profile/profile.h"

struct ep_profile *ep_profile_new(size_t max_bytes)
{
	struct ep_arena *a = ep_arena_new(max_bytes);
	if (!a)
		return NULL;
	struct ep_profile *p = ep_arena_array(a, struct ep_profile, 1);
	struct ep_slice *strings = ep_arena_array(a, struct ep_slice, 1);
	if (!p || !strings) {
		ep_arena_free(a);
		return NULL;
	}
	strings[0] = ep_slice_of("");
	p->arena = a;
	p->strings = strings;
	p->n_strings = 1;
	return p;
}

void ep_profile_free(struct ep_profile *p)
{
	if (p)
		ep_arena_free(p->arena);
}

uint32_t ep_profile_column(const struct ep_profile *p, const char *name)
{
	for (uint32_t i = 0; i < p->n_sample_types; i++)
		if (ep_slice_is(ep_profile_str(p, p->sample_types[i].type), name))
			return i;
	return EP_NONE;
}

uint32_t ep_profile_default_column(const struct ep_profile *p)
{
	struct ep_slice want = ep_profile_str(p, p->default_sample_type);
	for (uint32_t i = 0; want.n && i < p->n_sample_types; i++)
		if (ep_slice_eq(ep_profile_str(p, p->sample_types[i].type), want))
			return i;
	return p->n_sample_types ? p->n_sample_types - 1 : EP_NONE;
}
