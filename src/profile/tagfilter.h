/*
 * tagfilter.h - filters by labels: tagfocus, tagignore, tagshow, taghide.
 */
#ifndef EP_PROFILE_TAGFILTER_H
#define EP_PROFILE_TAGFILTER_H

#include "base/err.h"
#include "base/mem.h"
#include "codec/regex.h"
#include "profile/keys.h"
#include "profile/profile.h"

struct ep_tagfilter;

/*
 * ep_tagfilter_parse - what tagfocus and tagignore take: `[KEY=]VALUE`.
 *
 *     32kb  :64kb  4mb:  12kb:64mb   numeric labels equal to, up to, from, between
 *     RE,RE            each matches some string label, as "key:value"
 *     KEY=RE,RE        any matches a value of this key
 *
 * in       text        not empty
 * out      ret_range   it is of the first form
 * errors   -EINVAL     a bad regular expression or a number over 64 bits
 *          -ENOMEM
 * owns     the caller frees with ep_tagfilter_free(); text may go
 * threads  any thread; many may filter by one
 */
int ep_tagfilter_parse(const char *text, bool *ret_range, struct ep_tagfilter **ret_f,
		       struct ep_err *err);
void ep_tagfilter_free(struct ep_tagfilter *f);
/* What follows the `=` of the text, or all of it; lives as long as f. */
struct ep_slice ep_tagfilter_value(const struct ep_tagfilter *f);
EP_DEFINE_AUTO(ep_tagfilter);

/* What matched anything. */
struct ep_tagfilter_found {
	bool first, second; /* focus and ignore, or show and hide */
};

/*
 * ep_tagfilter_samples - keep the samples that focus matches and ignore does not.
 *
 * in       view   of profile/view.h
 *          keys   of the labels, made before any was taken away
 *          focus, ignore  NULL: not asked for
 * errors   -ENOMEM, -E2BIG; the view can only be freed then
 * threads  one thread at a time per view
 * cost     a match a distinct label, then a look-up a label
 */
int ep_tagfilter_samples(struct ep_profile *view, const struct ep_keys *keys,
			 const struct ep_tagfilter *focus,
			 const struct ep_tagfilter *ignore,
			 struct ep_tagfilter_found *ret_found, struct ep_err *err);

/*
 * ep_tagfilter_labels - take labels from the samples by their keys: those that do not
 * match show, and those that match hide.  NULL: not asked for.  The same otherwise.
 */
int ep_tagfilter_labels(struct ep_profile *view, const struct ep_keys *keys,
			const struct ep_regex *show, const struct ep_regex *hide,
			struct ep_tagfilter_found *ret_found, struct ep_err *err);

#endif
