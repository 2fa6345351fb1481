/* view.c - see view.h. */
#include "profile/view.h"

#include <string.h>

struct view {
	struct ep_profile p; /* first, so that one is the other */
	uint32_t cap_strings; /* 0: the table is the base's */
};

struct ep_profile *ep_view_new(const struct ep_profile *p, size_t max_bytes)
{
	struct ep_arena *a = ep_arena_new(max_bytes);
	if (!a)
		return NULL;
	struct view *v = ep_arena_array(a, struct view, 1);
	if (!v) {
		ep_arena_free(a);
		return NULL;
	}
	v->p = *p;
	v->p.arena = a;
	return &v->p;
}

static bool grow(struct view *v)
{
	uint64_t cap = (uint64_t)v->p.n_strings + v->p.n_strings / 2 + 64;
	if (cap >= UINT32_MAX)
		return false;
	struct ep_slice *s = ep_arena_array(v->p.arena, struct ep_slice, cap);
	if (!s)
		return false;
	memcpy(s, v->p.strings, v->p.n_strings * sizeof(*s));
	v->p.strings = s;
	v->cap_strings = (uint32_t)cap;
	return true;
}

ep_str ep_view_string(struct ep_profile *view, struct ep_slice s)
{
	struct view *v = (struct view *)view;
	if (s.n == 0 || (v->p.n_strings >= v->cap_strings && !grow(v)))
		return 0;
	char *copy = ep_arena_array(v->p.arena, char, s.n);
	if (!copy)
		return 0;
	memcpy(copy, s.p, s.n);
	v->p.strings[v->p.n_strings] = (struct ep_slice){copy, s.n};
	return v->p.n_strings++;
}
