/*
 * view.h - a profile that borrows the tables of another.
 *
 * For transforms that many reports run on one profile: a view costs no copy, and a
 * transform never writes into a table it finds: it makes a new one in the view's
 * arena and puts that in place.  So the base stays as it was, for other readers too.
 */
#ifndef EP_PROFILE_VIEW_H
#define EP_PROFILE_VIEW_H

#include "base/err.h"
#include "profile/profile.h"

/*
 * ep_view_new - all of p, borrowed.
 *
 * in       p          must outlive the view and not change meanwhile
 *          max_bytes  bound of the view's own arena; 0 for none
 * out      NULL when memory is short
 * owns     the caller frees it with ep_profile_free(), which leaves p alone
 * threads  many views of one profile may live at once
 */
struct ep_profile *ep_view_new(const struct ep_profile *p, size_t max_bytes);

/*
 * ep_view_string - a string of the view's own, which the base need not have.
 *
 * Not interned: each call takes a new index.  0 when memory is short.
 */
ep_str ep_view_string(struct ep_profile *view, struct ep_slice s);

/* A copy of a table in the view's arena, for a transform to change and put in place:
 * ep_view_copy(view, locations).  NULL when memory is short. */
#define ep_view_copy(view, table)                                                      \
	((__typeof__((view)->table))ep_view_copy_bytes(                                \
		(view), (view)->table, (view)->n_##table * sizeof(*(view)->table)))
void *ep_view_copy_bytes(struct ep_profile *view, const void *table, size_t n_bytes);
/* The same with room for n elements more, all zero. */
#define ep_view_grow(view, table, n)                                                   \
	((__typeof__((view)->table))ep_view_grow_bytes(                                \
		(view), (view)->table, (view)->n_##table * sizeof(*(view)->table),     \
		(n) * sizeof(*(view)->table)))
void *ep_view_grow_bytes(struct ep_profile *view, const void *table, size_t n_bytes,
			 size_t n_more);

/*
 * ep_view_keep_samples - drop samples: the view's samples and values are new tables.
 *
 * in       keep  a byte a sample; 0: goes.  Nothing is copied when all stay
 * errors   -ENOMEM, -E2BIG
 */
int ep_view_keep_samples(struct ep_profile *view, const uint8_t *keep, struct ep_err *err);

#endif
