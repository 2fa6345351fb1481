/* plaintext.c - see plaintext.h. */
#include "legacy/plaintext.h"

#include <stdarg.h>
#include <stdio.h>

void ep_plaintext_open(struct ep_plaintext *t, struct ep_slice bytes)
{
	*t = (struct ep_plaintext){
		.base = bytes.p, .at = bytes.p, .end = bytes.p + bytes.n};
	t->line = (struct ep_slice){bytes.p, 0};
}

bool ep_plaintext_next(struct ep_plaintext *t)
{
	if (t->at == t->end) {
		t->line = (struct ep_slice){t->end, 0};
		return false;
	}
	const char *nl = memchr(t->at, '\n', (size_t)(t->end - t->at));
	const char *to = nl ? nl : t->end;
	t->line = (struct ep_slice){t->at, (size_t)(to - t->at)};
	if (t->line.n && t->line.p[t->line.n - 1] == '\r')
		t->line.n--;
	t->at = nl ? nl + 1 : t->end;
	t->n_lines++;
	return true;
}

int ep_plaintext_fail(const struct ep_plaintext *t, struct ep_err *err, const char *fmt,
		      ...)
{
	char what[sizeof(err->text)];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap); /* a long line is cut */
	va_end(ap);
	return ep_fail(err, -EBADMSG, (uint64_t)(t->line.p - t->base),
		       "%.200s (line %u)", what, t->n_lines);
}

/* --- space -------------------------------------------------------------------- */

/* Unicode's spaces beyond ASCII, as UTF-8. */
static const char *const wide_spaces[] = {
	"\xc2\x85",	"\xc2\xa0",	"\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
	"\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
	"\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
	"\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

/* Bytes of the space at the start (or the end) of s; 0 when there is none. */
static size_t space_at(struct ep_slice s, bool at_end)
{
	char c = s.p[at_end ? s.n - 1 : 0];
	if (c == ' ' || (c >= '\t' && c <= '\r'))
		return 1;
	if (!(c & 0x80))
		return 0;
	for (size_t i = 0; i < sizeof(wide_spaces) / sizeof(*wide_spaces); i++) {
		size_t n = strlen(wide_spaces[i]);
		if (n <= s.n &&
		    !memcmp(at_end ? s.p + s.n - n : s.p, wide_spaces[i], n))
			return n;
	}
	return 0;
}

struct ep_slice ep_plaintext_trim(struct ep_slice s)
{
	size_t n;
	while (s.n && (n = space_at(s, false))) {
		s.p += n;
		s.n -= n;
	}
	while (s.n && (n = space_at(s, true)))
		s.n -= n;
	return s;
}

bool ep_plaintext_is_blank(struct ep_slice line)
{
	line = ep_plaintext_trim(line);
	return !line.n || line.p[0] == '#';
}

bool ep_plaintext_begins(struct ep_slice s, const char *with)
{
	size_t n = strlen(with);
	return s.n >= n && !memcmp(s.p, with, n);
}

bool ep_plaintext_has(struct ep_slice s, const char *what)
{
	return s.n && memmem(s.p, s.n, what, strlen(what));
}

bool ep_plaintext_is_map_title(struct ep_slice line)
{
	return ep_plaintext_has(line, "--- Memory map: ---") ||
	       ep_plaintext_has(line, "MAPPED_LIBRARIES:");
}

/* --- at a place --------------------------------------------------------------- */

bool ep_plaintext_take(const char **at, const char *end, const char *word)
{
	size_t n = strlen(word);
	if ((size_t)(end - *at) < n || memcmp(*at, word, n) != 0)
		return false;
	*at += n;
	return true;
}

bool ep_plaintext_take_digits(const char **at, const char *end, struct ep_slice *ret)
{
	const char *p = *at;
	while (p < end && ep_plaintext_is_digit(*p))
		p++;
	if (p == *at)
		return false;
	*ret = (struct ep_slice){*at, (size_t)(p - *at)};
	*at = p;
	return true;
}

struct ep_slice ep_plaintext_addresses(const char *p, const char *end)
{
	const char *q = p;
	while (q < end && (*q == ' ' || *q == 'x' || ep_plaintext_is_digit(*q) ||
			   (*q >= 'a' && *q <= 'f')))
		q++;
	return (struct ep_slice){p, (size_t)(q - p)};
}

void ep_plaintext_skip_blanks(const char **at, const char *end)
{
	while (*at < end && **at == ' ')
		++*at;
}

/* --- numbers ------------------------------------------------------------------ */

static int digit_of(char c)
{
	if (ep_plaintext_is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 36;
}

/* Of digits only; at least one. */
static bool parse_digits(struct ep_slice s, unsigned base, bool underscores,
			 uint64_t *ret)
{
	uint64_t v = 0;
	bool after_digit = false;
	for (size_t i = 0; i < s.n; i++) {
		if (underscores && s.p[i] == '_' && after_digit && i + 1 < s.n) {
			after_digit = false;
			continue;
		}
		unsigned d = (unsigned)digit_of(s.p[i]);
		if (d >= base || __builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, d, &v))
			return false;
		after_digit = true;
	}
	*ret = v;
	return s.n > 0;
}

/* Take a base's mark off the front. */
static unsigned base_of(struct ep_slice *s)
{
	if (s->n < 2 || s->p[0] != '0')
		return 10;
	char mark = s->p[1] | 0x20;
	unsigned base = mark == 'x' ? 16 : mark == 'b' ? 2 : mark == 'o' ? 8 : 0;
	size_t n = base ? 2 : 1;
	if (s->n > n + 1 && s->p[n] == '_')
		n++;
	s->p += n;
	s->n -= n;
	return base ? base : 8;
}

bool ep_plaintext_int(struct ep_slice s, int base, int64_t *ret)
{
	bool minus = s.n && s.p[0] == '-';
	if (minus || (s.n && s.p[0] == '+')) {
		s.p++;
		s.n--;
	}
	uint64_t v;
	unsigned b = base ? (unsigned)base : base_of(&s);
	if (!parse_digits(s, b, !base, &v) || v > (uint64_t)INT64_MAX + minus)
		return false;
	*ret = (int64_t)(minus ? -v : v);
	return true;
}

bool ep_plaintext_hex(struct ep_slice s, uint64_t *ret)
{
	return parse_digits(s, 16, false, ret);
}

static bool is_small_hex(char c)
{
	return ep_plaintext_is_digit(c) || (c >= 'a' && c <= 'f');
}

int ep_plaintext_next_address(const char **at, const char *end, uint64_t *ret)
{
	for (const char *p = *at; end - p > 2; p++) {
		if (p[0] != '0' || p[1] != 'x' || !is_small_hex(p[2]))
			continue;
		struct ep_slice digits = {p + 2, 0};
		while (p + 2 + digits.n < end && is_small_hex(digits.p[digits.n]))
			digits.n++;
		*at = digits.p + digits.n;
		return ep_plaintext_hex(digits, ret) ? 1 : -ERANGE;
	}
	*at = end;
	return 0;
}
