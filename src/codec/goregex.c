/* goregex.c - see goregex.h.  Source: Go's package regexp/syntax (parse.go), flags Perl. */
#include "codec/goregex.h"

#include <stdbool.h>

enum { MAX_REPEAT = 1000 };

struct parser {
	struct ep_slice s;
	size_t at;
	size_t depth;	    /* open parentheses */
	bool has_atom;	    /* there is something to repeat */
	bool was_repeat;    /* the last thing was a repetition… */
	size_t last_repeat; /* …which began here */
	struct ep_err *err;
};

/* The part from one place to another does not go. */
static int refuse(struct parser *p, const char *why, size_t from, size_t to)
{
	int n = (int)(to - from);
	return ep_fail(p->err, -EINVAL, from, "error parsing regexp: %s: `%.*s`", why, n,
		       p->s.n ? p->s.p + from : "");
}

static char peek(const struct parser *p, size_t ahead)
{
	return p->at + ahead < p->s.n ? p->s.p[p->at + ahead] : '\0';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

/* --- escapes ---------------------------------------------------------------------- */

/* "\x41" or "\x{41}": where it ends; 0 when it is neither. */
static size_t hex_end(const struct parser *p)
{
	if (is_hex(peek(p, 2)) && is_hex(peek(p, 3)))
		return p->at + 4;
	size_t n = 3;
	if (peek(p, 2) != '{')
		return 0;
	while (is_hex(peek(p, n)))
		n++;
	return n > 3 && peek(p, n) == '}' ? p->at + n + 1 : 0;
}

/* One character by its escape. */
static int skip_escape(struct parser *p)
{
	size_t start = p->at;
	char c = peek(p, 1);
	if (start + 1 >= p->s.n)
		return refuse(p, "trailing backslash at end of expression", p->s.n, p->s.n);
	size_t end = start + 2;
	bool good = is_one_of(c, "afnrtv") || (c > 0 && !is_word(c)) || c == '_';
	if (c == '0' || (is_octal(c) && is_octal(peek(p, 2)))) {
		good = true;
		for (int i = 0; i < 2 && end < p->s.n && is_octal(p->s.p[end]); i++)
			end++;
	} else if (c == 'x') {
		size_t h = hex_end(p);
		good = h;
		end = h ? h : end;
	}
	if (!good)
		return refuse(p, "invalid escape sequence", start, end);
	p->at = end;
	return 0;
}

/* "\pN", "\p{Greek}": the name is for the compiler. */
static void skip_property(struct parser *p)
{
	size_t n = 2;
	if (peek(p, 2) == '{')
		while (p->at + n < p->s.n && peek(p, n) != '}')
			n++;
	p->at += p->at + n < p->s.n ? n + 1 : n;
}

static void skip_quoted(struct parser *p)
{
	p->at += 2;
	while (p->at < p->s.n && !(peek(p, 0) == '\\' && peek(p, 1) == 'E'))
		p->at++;
	if (p->at < p->s.n)
		p->at += 2;
}

/* What stands for a class, inside of brackets and outside. */
static bool skip_class_escape(struct parser *p)
{
	if (is_one_of(peek(p, 1), "dDsSwW")) {
		p->at += 2;
		return true;
	}
	if (is_one_of(peek(p, 1), "pP")) {
		skip_property(p);
		return true;
	}
	return false;
}

static int parse_backslash(struct parser *p)
{
	char c = peek(p, 1);
	p->has_atom = true;
	if (c == 'Q')
		skip_quoted(p);
	else if (is_one_of(c, "AbBz"))
		p->at += 2;
	else if (!skip_class_escape(p))
		return skip_escape(p);
	return 0;
}

/* --- classes ---------------------------------------------------------------------- */

/* "[:alpha:]". */
static bool skip_named_class(struct parser *p)
{
	if (peek(p, 0) != '[' || peek(p, 1) != ':')
		return false;
	for (size_t i = p->at + 2; i + 1 < p->s.n; i++)
		if (p->s.p[i] == ':' && p->s.p[i + 1] == ']') {
			p->at = i + 2;
			return true;
		}
	return false;
}

static int parse_class(struct parser *p)
{
	size_t start = p->at++;
	p->has_atom = true;
	p->at += peek(p, 0) == '^';
	for (bool first = true;; first = false) {
		if (p->at >= p->s.n)
			return refuse(p, "missing closing ]", start, p->s.n);
		if (peek(p, 0) == ']' && !first)
			break;
		if (skip_named_class(p))
			continue;
		if (peek(p, 0) != '\\')
			p->at++;
		else if (!skip_class_escape(p))
			EP_TRY(skip_escape(p));
	}
	p->at++;
	return 0;
}

/* --- groups ----------------------------------------------------------------------- */

static int parse_name(struct parser *p, size_t start, size_t name)
{
	size_t end = name;
	while (end < p->s.n && p->s.p[end] != '>')
		end++;
	if (end == p->s.n)
		return refuse(p, "invalid named capture", start, end);
	bool good = end > name;
	for (size_t i = name; i < end; i++)
		good &= is_word(p->s.p[i]);
	if (!good)
		return refuse(p, "invalid named capture", start, end + 1);
	p->at = end + 1;
	p->depth++;
	p->has_atom = false;
	return 0;
}

/* "(?i)", "(?i-s:". */
static int parse_flags(struct parser *p, size_t start)
{
	bool negative = false, any = false;
	for (p->at += 2; p->at < p->s.n;) {
		char c = p->s.p[p->at++];
		if (is_one_of(c, "imsU")) {
			any = true;
		} else if (c == '-' && !negative) {
			negative = true;
			any = false;
		} else if ((c == ':' || c == ')') && (any || !negative)) {
			p->depth += c == ':';
			p->has_atom &= c == ')';
			return 0;
		} else {
			return refuse(p, "invalid or unsupported Perl syntax", start, p->at);
		}
	}
	return refuse(p, "missing closing )", 0, p->s.n);
}

static int parse_open(struct parser *p)
{
	size_t start = p->at;
	if (peek(p, 1) != '?') {
		p->at++;
		p->depth++;
		p->has_atom = false;
		return 0;
	}
	if (peek(p, 2) == 'P' && peek(p, 3) == '<')
		return parse_name(p, start, start + 4);
	if (peek(p, 2) == '<')
		return parse_name(p, start, start + 3);
	return parse_flags(p, start);
}

static int parse_close(struct parser *p)
{
	if (!p->depth)
		return refuse(p, "unexpected )", 0, p->s.n);
	p->depth--;
	p->at++;
	p->has_atom = true;
	return 0;
}

/* --- repetition ------------------------------------------------------------------- */

/* A number without zeros before it; -1 above any limit.  False when it is none. */
static bool read_count(const struct parser *p, size_t *at, int *ret)
{
	size_t start = *at, i = start;
	int n = 0;
	while (i < p->s.n && is_digit(p->s.p[i])) {
		n = n < 0 || n > MAX_REPEAT ? -1 : n * 10 + (p->s.p[i] - '0');
		i++;
	}
	*at = i;
	*ret = n;
	return i > start && !(i > start + 1 && p->s.p[start] == '0');
}

/* "{2,3}": where it ends, and whether its numbers do; 0: it is no repetition. */
static size_t counts_end(const struct parser *p, bool *ret_good)
{
	size_t at = p->at + 1;
	int low, high;
	if (!read_count(p, &at, &low))
		return 0;
	high = low;
	if (at < p->s.n && p->s.p[at] == ',') {
		at++;
		high = MAX_REPEAT;
		if (at < p->s.n && p->s.p[at] != '}' && !read_count(p, &at, &high))
			return 0;
	}
	if (at >= p->s.n || p->s.p[at] != '}')
		return 0;
	*ret_good = low >= 0 && high >= low && high <= MAX_REPEAT;
	return at + 1;
}

static int repeat(struct parser *p, size_t end)
{
	size_t start = p->at;
	end += end < p->s.n && p->s.p[end] == '?';
	if (p->was_repeat)
		return refuse(p, "invalid nested repetition operator", p->last_repeat, end);
	if (!p->has_atom)
		return refuse(p, "missing argument to repetition operator", start, end);
	p->at = end;
	p->was_repeat = true;
	p->last_repeat = start;
	return 0;
}

static int parse_counts(struct parser *p)
{
	bool good;
	size_t end = counts_end(p, &good);
	if (!end) {
		p->at++;
		p->has_atom = true;
		p->was_repeat = false;
		return 0;
	}
	if (!good)
		return refuse(p, "invalid repeat count", p->at, end);
	return repeat(p, end);
}

static int parse_one(struct parser *p)
{
	char c = peek(p, 0);
	if (is_one_of(c, "*+?"))
		return repeat(p, p->at + 1);
	if (c == '{')
		return parse_counts(p);
	p->was_repeat = false;
	switch (c) {
	case '(':
		return parse_open(p);
	case ')':
		return parse_close(p);
	case '[':
		return parse_class(p);
	case '\\':
		return parse_backslash(p);
	default:
		p->at++;
		p->has_atom = c != '|';
		return 0;
	}
}

int ep_goregex_check(struct ep_slice pattern, struct ep_err *err)
{
	struct parser p = {.s = pattern, .err = err};
	while (p.at < pattern.n)
		EP_TRY(parse_one(&p));
	return p.depth ? refuse(&p, "missing closing )", 0, pattern.n) : 0;
}
