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

void *ep_view_grow_bytes(struct ep_profile *view, const void *table, size_t n_bytes,
			 size_t n_more)
{
	char *copy = ep_arena_alloc(view->arena, n_bytes + n_more);
	if (!copy)
		return NULL;
	if (n_bytes)
		memcpy(copy, table, n_bytes);
	memset(copy + n_bytes, 0, n_more);
	return copy;
}

void *ep_view_copy_bytes(struct ep_profile *view, const void *table, size_t n_bytes)
{
	return ep_view_grow_bytes(view, table, n_bytes, 0);
}

static uint32_t count_kept(const uint8_t *keep, uint32_t n)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < n; i++)
		kept += keep[i] != 0;
	return kept;
}

int ep_view_keep_samples(struct ep_profile *view, const uint8_t *keep, struct ep_err *err)
{
	uint32_t n = count_kept(keep, view->n_samples), columns = view->n_sample_types;
	if (n == view->n_samples)
		return 0;
	struct ep_sample *samples = ep_arena_alloc(view->arena, n * sizeof(*samples));
	int64_t *values =
		ep_arena_alloc(view->arena, (size_t)n * columns * sizeof(*values));
	if (!samples || !values)
		return ep_fail(err, -ENOMEM, 0, "no memory for filtering samples");
	uint32_t at = 0;
	for (uint32_t i = 0; i < view->n_samples; i++) {
		if (!keep[i])
			continue;
		const int64_t *row = ep_profile_values(view, i);
		samples[at] = view->samples[i];
		for (uint32_t k = 0; k < columns; k++)
			values[(size_t)at * columns + k] = row[k];
		at++;
	}
	view->samples = samples;
	view->values = values;
	view->n_samples = n;
	return 0;
}
