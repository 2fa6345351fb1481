/*
 * regex.c - PCRE2 with limits: a hostile pattern costs a bounded amount of work.
 *
 * Go's RE2 syntax is close to a subset; goregex.c keeps to it.  Text that is not UTF-8 is matched byte by
 * byte.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "codec/regex.h"

#include "codec/goregex.h"

#include <pcre2.h>

enum { MAX_PATTERN = 64 << 10, MATCH_LIMIT = 200000, DEPTH_LIMIT = 2000, HEAP_LIMIT_KB = 4096 };

struct ep_regex {
	pcre2_code *code;
	pcre2_code *bytes; /* for text that is not UTF-8; NULL: the pattern can't match such */
	pcre2_match_context *limits;
};

static int compile_failed(int code, size_t at, struct ep_err *err)
{
	PCRE2_UCHAR text[120];
	if (pcre2_get_error_message(code, text, sizeof(text)) < 0)
		text[0] = '\0';
	return ep_fail(err, -EINVAL, at, "regular expression: %s at character %zu", (char *)text, at);
}

int ep_regex_new(struct ep_slice pattern, enum ep_regex_mode mode, struct ep_regex **ret_r,
		 struct ep_err *err)
{
	if (pattern.n > MAX_PATTERN)
		return ep_fail(err, -E2BIG, 0, "a regular expression of %zu bytes, the limit is %d",
			       pattern.n, MAX_PATTERN);
	if (mode == EP_REGEX_SEARCH)
		EP_TRY(ep_goregex_check(pattern, err));
	ep_auto(ep_regex) r = ep_zalloc(sizeof(*r));
	if (!r)
		return ep_fail(err, -ENOMEM, 0, "no memory for a regular expression");
	int code = 0;
	size_t at = 0;
	const uint32_t whole = PCRE2_ANCHORED | PCRE2_ENDANCHORED;
	const uint32_t options =
		PCRE2_NEVER_BACKSLASH_C | (mode == EP_REGEX_WHOLE ? whole : PCRE2_DOLLAR_ENDONLY);
	PCRE2_SPTR text = (PCRE2_SPTR)(pattern.n ? pattern.p : "");
	r->bytes = pcre2_compile(text, pattern.n, options, &code, &at, NULL);
	r->code = pcre2_compile(text, pattern.n, options | PCRE2_UTF, &code, &at, NULL);
	if (!r->code)
		return compile_failed(code, at, err);
	r->limits = pcre2_match_context_create(NULL);
	if (!r->limits)
		return ep_fail(err, -ENOMEM, 0, "no memory for a regular expression");
	(void)pcre2_set_match_limit(r->limits, MATCH_LIMIT); /* these always succeed */
	(void)pcre2_set_depth_limit(r->limits, DEPTH_LIMIT);
	(void)pcre2_set_heap_limit(r->limits, HEAP_LIMIT_KB);
	*ret_r = ep_take(&r);
	return 0;
}

void ep_regex_free(struct ep_regex *r)
{
	if (!r)
		return;
	pcre2_code_free(r->code);
	pcre2_code_free(r->bytes);
	pcre2_match_context_free(r->limits);
	ep_free(r);
}

int ep_regex_match(const struct ep_regex *r, struct ep_slice text, struct ep_err *err)
{
	pcre2_match_data *m = pcre2_match_data_create(1, NULL);
	if (!m)
		return ep_fail(err, -ENOMEM, 0, "no memory for a regular expression");
	PCRE2_SPTR p = (PCRE2_SPTR)(text.n ? text.p : "");
	int rc = pcre2_match(r->code, p, text.n, 0, 0, m, r->limits);
	if (rc <= PCRE2_ERROR_UTF8_ERR1 && rc >= PCRE2_ERROR_UTF8_ERR21)
		rc = r->bytes ? pcre2_match(r->bytes, p, text.n, 0, 0, m, r->limits)
			      : PCRE2_ERROR_NOMATCH;
	pcre2_match_data_free(m);
	if (rc >= 0)
		return 1;
	if (rc == PCRE2_ERROR_NOMATCH || rc == PCRE2_ERROR_PARTIAL)
		return 0;
	if (rc == PCRE2_ERROR_NOMEMORY)
		return ep_fail(err, -ENOMEM, 0, "no memory for a regular expression");
	return ep_fail(err, -E2BIG, 0,
		       "a regular expression takes over %d steps on one value: make it simpler",
		       MATCH_LIMIT);
}
