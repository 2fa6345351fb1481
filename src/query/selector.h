/*
 * selector.h - {a="b",c!="d",e=~"re",f!~"re"}: parsing and matching.
 *
 * Strings take Go's escapes in double quotes, or are raw in backquotes.  Regular
 * expressions are anchored on both sides.  A label that is not there is the
 * empty string.
 */
#ifndef EP_QUERY_SELECTOR_H
#define EP_QUERY_SELECTOR_H

#include "base/err.h"
#include "base/mem.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum ep_match_op { EP_MATCH_EQ, EP_MATCH_NE, EP_MATCH_RE, EP_MATCH_NRE };

struct ep_regex;

struct ep_matcher {
	struct ep_slice name, value;
	enum ep_match_op op;
	struct ep_regex *re; /* of EP_MATCH_RE, EP_MATCH_NRE */
};

struct ep_selector {
	struct ep_arena *arena;
	struct ep_matcher *v;
	uint32_t n;
};

/*
 * ep_selector_parse - text to matchers.
 *
 * in       text    may be empty, "{}", or without braces; bounded by 64 KB and
 *                  256 matchers
 * errors   -EINVAL err->pos is the offset, the text says what was expected there
 *          -E2BIG, -ENOMEM
 * owns     the caller frees with ep_selector_free()
 * threads  any thread; many may match with one selector
 */
int ep_selector_parse(struct ep_slice text, struct ep_selector **ret_s, struct ep_err *err);
void ep_selector_free(struct ep_selector *s);
EP_DEFINE_AUTO(ep_selector);

/*
 * ep_matcher_test - does a label's value pass?  (Empty: the label is not there.)
 *
 * errors   -E2BIG when a regular expression ran over its work limit
 * returns  1 yes, 0 no
 */
int ep_matcher_test(const struct ep_matcher *m, struct ep_slice value, struct ep_err *err);

#endif
