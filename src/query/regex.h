/*
 * regex.h - regular expressions of selectors: anchored, with bounded work.
 */
#ifndef EP_QUERY_REGEX_H
#define EP_QUERY_REGEX_H

#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"

struct ep_regex;

/*
 * ep_regex_new - compile; the whole text must match.
 *
 * errors   -EINVAL err says what is wrong; -E2BIG over 8 KB; -ENOMEM
 * threads  any thread; many may match with one
 */
int ep_regex_new(struct ep_slice pattern, struct ep_regex **ret_r, struct ep_err *err);
void ep_regex_free(struct ep_regex *r);
EP_DEFINE_AUTO(ep_regex);
/* 1 matches, 0 does not, -E2BIG over the work limit, -ENOMEM. */
int ep_regex_match(const struct ep_regex *r, struct ep_slice text, struct ep_err *err);

#endif
