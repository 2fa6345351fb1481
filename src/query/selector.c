/*
 * selector.c - a parser for PromQL's vector-selector body.  See selector.h.
 */
#include "query/selector.h"

#include "base/arena.h"
#include "codec/regex.h"

#include <string.h>

enum { MAX_TEXT = 64 << 10, MAX_MATCHERS = 256 };

struct parser {
	const char *start, *p, *end;
	struct ep_arena *a;
	struct ep_err *err;
};

static int expected(const struct parser *s, const char *what)
{
	size_t at = (size_t)(s->p - s->start);
	if (s->p >= s->end)
		return ep_fail(s->err, -EINVAL, at, "selector: %s expected at its end", what);
	return ep_fail(s->err, -EINVAL, at, "selector: %s expected at character %zu, not '%.*s'",
		       what, at + 1, (int)(s->end - s->p < 12 ? s->end - s->p : 12), s->p);
}

static void skip_space(struct parser *s)
{
	while (s->p < s->end && strchr(" \t\r\n", *s->p))
		s->p++;
}

static bool accept(struct parser *s, char c)
{
	skip_space(s);
	if (s->p >= s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

/* Dots and what is not ASCII are fine in names: profilers use both. */
static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == ':' || c == '-' || c == '/' || (unsigned char)c >= 0x80;
}

static int take_name(struct parser *s, struct ep_slice *ret)
{
	skip_space(s);
	const char *from = s->p;
	while (s->p < s->end && is_name_byte(*s->p))
		s->p++;
	if (s->p == from)
		return expected(s, "a label name");
	*ret = (struct ep_slice){from, (size_t)(s->p - from)};
	return 0;
}

static int take_op(struct parser *s, enum ep_match_op *ret)
{
	skip_space(s);
	bool not = s->p < s->end && *s->p == '!';
	const char *p = s->p + not;
	if (p >= s->end)
		return expected(s, "=, !=, =~ or !~");
	if (not && *p == '=')
		*ret = EP_MATCH_NE;
	else if (not && *p == '~')
		*ret = EP_MATCH_NRE;
	else if (!not && *p == '=' && p + 1 < s->end && p[1] == '~')
		*ret = EP_MATCH_RE;
	else if (!not && *p == '=')
		*ret = EP_MATCH_EQ;
	else
		return expected(s, "=, !=, =~ or !~");
	s->p = p + 1 + (*ret == EP_MATCH_RE);
	return 0;
}

/* --- strings -------------------------------------------------------------------------- */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_digits(struct parser *s, unsigned n, unsigned base, uint32_t *ret)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < n; i++) {
		int d = s->p < s->end ? hex(*s->p) : -1;
		if (d < 0 || (unsigned)d >= base)
			return false;
		v = v * base + (unsigned)d;
		s->p++;
	}
	*ret = (uint32_t)v;
	return true;
}

static char *put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}

/* Behind a backslash; an escape is never shorter than what it stands for. */
static bool take_escape(struct parser *s, char **to)
{
	static const char names[] = "abfnrtv\\\"'", values[] = "\a\b\f\n\r\t\v\\\"'";
	if (s->p >= s->end)
		return false;
	char c = *s->p++;
	const char *known = c ? strchr(names, c) : NULL;
	uint32_t v = 0;
	if (known) {
		*(*to)++ = values[known - names];
		return true;
	}
	if (c >= '0' && c <= '7') {
		s->p--;
		if (!take_digits(s, 3, 8, &v) || v > 255)
			return false;
		*(*to)++ = (char)v;
		return true;
	}
	if (c == 'x') {
		if (!take_digits(s, 2, 16, &v))
			return false;
		*(*to)++ = (char)v;
		return true;
	}
	if ((c != 'u' && c != 'U') || !take_digits(s, c == 'u' ? 4 : 8, 16, &v) || v > 0x10ffff ||
	    (v >= 0xd800 && v < 0xe000))
		return false;
	*to = put_utf8(*to, v);
	return true;
}

static int take_quoted(struct parser *s, char quote, struct ep_slice *ret)
{
	char *buf = ep_arena_alloc(s->a, (size_t)(s->end - s->p) + 1), *to = buf;
	if (!buf)
		return ep_fail(s->err, -ENOMEM, 0, "no memory for a selector");
	while (s->p < s->end && *s->p != quote && *s->p != '\n') {
		const char *at = s->p;
		if (*s->p != '\\') {
			*to++ = *s->p++;
			continue;
		}
		s->p++;
		if (!take_escape(s, &to)) {
			s->p = at;
			return expected(s, "a known escape");
		}
	}
	if (s->p >= s->end || *s->p != quote)
		return expected(s, "the closing quote");
	s->p++;
	*ret = (struct ep_slice){buf, (size_t)(to - buf)};
	return 0;
}

static int take_string(struct parser *s, struct ep_slice *ret)
{
	if (accept(s, '"'))
		return take_quoted(s, '"', ret);
	if (accept(s, '\''))
		return take_quoted(s, '\'', ret);
	if (!accept(s, '`'))
		return expected(s, "a quoted value");
	const char *from = s->p, *to = memchr(from, '`', (size_t)(s->end - from));
	if (!to) {
		s->p = s->end;
		return expected(s, "the closing quote");
	}
	*ret = (struct ep_slice){from, (size_t)(to - from)};
	s->p = to + 1;
	return 0;
}

/* --- matchers --------------------------------------------------------------------------- */

static int take_matcher(struct parser *s, struct ep_matcher *m)
{
	EP_TRY(take_name(s, &m->name));
	EP_TRY(take_op(s, &m->op));
	EP_TRY(take_string(s, &m->value));
	if (m->op == EP_MATCH_RE || m->op == EP_MATCH_NRE)
		return ep_regex_new(m->value, EP_REGEX_WHOLE, &m->re, s->err);
	return 0;
}

static int take_all(struct parser *s, struct ep_selector *sel)
{
	bool braces = accept(s, '{');
	skip_space(s);
	while (s->p < s->end && *s->p != '}') {
		if (sel->n == MAX_MATCHERS)
			return ep_fail(s->err, -E2BIG, (uint64_t)(s->p - s->start),
				       "selector: over %d matchers", MAX_MATCHERS);
		/* Counted first, so that a regex made for it is freed. */
		struct ep_matcher *m = &sel->v[sel->n++];
		EP_TRY(take_matcher(s, m));
		skip_space(s);
		if (!accept(s, ','))
			break;
		skip_space(s);
	}
	if (braces && !accept(s, '}'))
		return expected(s, ", or }");
	skip_space(s);
	return s->p < s->end ? expected(s, "the end") : 0;
}

int ep_selector_parse(struct ep_slice text, struct ep_selector **ret_s, struct ep_err *err)
{
	if (text.n > MAX_TEXT)
		return ep_fail(err, -E2BIG, 0, "a selector of %zu bytes, the limit is %d", text.n,
			       MAX_TEXT);
	struct ep_arena *a = ep_arena_new(0);
	if (!a)
		return ep_fail(err, -ENOMEM, 0, "no memory for a selector");
	struct ep_selector *sel = ep_arena_array(a, struct ep_selector, 1);
	const char *copy = ep_arena_copy(a, text.n ? text.p : "", text.n);
	if (sel)
		sel->v = ep_arena_array(a, struct ep_matcher, MAX_MATCHERS);
	if (!sel || !copy || !sel->v) {
		ep_arena_free(a);
		return ep_fail(err, -ENOMEM, 0, "no memory for a selector");
	}
	sel->arena = a;
	struct parser s = {copy, copy, copy + text.n, a, err};
	int rc = take_all(&s, sel);
	if (rc < 0) {
		ep_selector_free(sel);
		return rc;
	}
	*ret_s = sel;
	return 0;
}

void ep_selector_free(struct ep_selector *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->n; i++)
		ep_regex_free(s->v[i].re);
	ep_arena_free(s->arena);
}

int ep_matcher_test(const struct ep_matcher *m, struct ep_slice value, struct ep_err *err)
{
	if (m->op == EP_MATCH_EQ)
		return ep_slice_eq(m->value, value);
	if (m->op == EP_MATCH_NE)
		return !ep_slice_eq(m->value, value);
	int rc = ep_regex_match(m->re, value, err);
	if (rc < 0)
		return rc;
	return m->op == EP_MATCH_RE ? rc : !rc;
}
