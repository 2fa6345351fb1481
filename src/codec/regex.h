/*
 * regex.h - regular expressions with bounded work.
 *
 * Go's RE2 syntax is close to a subset of what PCRE2 takes, and what users write for
 * one means the same in the other.  Programs only: libeverprof has no such need.
 */
#ifndef EP_CODEC_REGEX_H
#define EP_CODEC_REGEX_H

#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"

struct ep_regex;

enum ep_regex_mode {
	EP_REGEX_WHOLE,	 /* the whole text must match, as selectors want it */
	EP_REGEX_SEARCH, /* a match anywhere, and Go's syntax alone, as `go tool pprof` wants it */
};

/*
 * ep_regex_new - compile.
 *
 * errors   -EINVAL err says what is wrong; -E2BIG over 64 KB; -ENOMEM
 * threads  any thread; many may match with one
 */
int ep_regex_new(struct ep_slice pattern, enum ep_regex_mode mode, struct ep_regex **ret_r,
		 struct ep_err *err);
void ep_regex_free(struct ep_regex *r);
EP_DEFINE_AUTO(ep_regex);
/* 1 matches, 0 does not, -E2BIG over the work limit, -ENOMEM. */
int ep_regex_match(const struct ep_regex *r, struct ep_slice text, struct ep_err *err);

#endif
