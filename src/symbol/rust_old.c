/*
 * rust_old.c - _ZN…17h<hash>E as the reference reads it.  See rust.h.
 *
 * Source: the text of `go tool pprof`, by its demangler's rules.
 */
#include "symbol/rust.h"

#include <stdint.h>
#include <string.h>

enum { HASH = 20, LEAST = 23 }; /* "17h" and 16 digits and "E" */

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes up to the hash, behind "_ZN"; 0 when there is none. */
static size_t body_of(const char *name)
{
	size_t n = strlen(name);
	for (size_t i = n; i-- > 1;) /* a suffix such as .llvm.123 */
		if (name[i] == '.' && name[i - 1] == 'E') {
			n = i;
			break;
		}
	if (n <= LEAST || name[n - 1] != 'E' || memcmp(name + n - HASH, "17h", 3) != 0)
		return 0;
	unsigned seen = 0;
	for (const char *p = name + n - 17; p < name + n - 1; p++) {
		if (hex(*p) < 0)
			return 0;
		seen |= 1u << hex(*p);
	}
	return __builtin_popcount(seen) < 5 ? 0 : n - HASH - 3;
}

/* The length of a $escape$, whose text is added; 0: unknown. */
static size_t add_escape(struct ep_buf *out, const char *p, size_t n)
{
	static const char *const known[] = {"SP@", "BP*", "RF&", "LT<", "GT>", "LP(", "RP)"};
	if (n > 2 && p[1] == 'C' && p[2] == '$') {
		ep_buf_add_char(out, ',');
		return 3;
	}
	if (n > 4 && p[1] == 'u' && p[4] == '$') {
		int hi = hex(p[2]), lo = hex(p[3]);
		if (hi < 2 || hi > 7 || lo < 0)
			return 0;
		ep_buf_add_char(out, (char)(hi << 4 | lo));
		return 5;
	}
	if (n > 3 && p[3] == '$')
		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			if (memcmp(known[i], p + 1, 2) == 0) {
				ep_buf_add_char(out, known[i][2]);
				return 4;
			}
	return 0;
}

static void add_part(struct ep_buf *out, const char *p, size_t n)
{
	if (n > 1 && p[0] == '_' && p[1] == '$') {
		p++;
		n--;
	}
	while (n) {
		size_t used = 1;
		if (*p == '$') {
			used = add_escape(out, p, n);
			if (!used) { /* the rest as it is */
				ep_buf_add(out, p, n);
				return;
			}
		} else if (n > 1 && p[0] == '.' && p[1] == '.') {
			ep_buf_add_str(out, "::");
			used = 2;
		} else {
			ep_buf_add_char(out, *p);
		}
		p += used;
		n -= used;
	}
}

/* The number before a part; false when there is none or it is too large. */
static bool read_length(const char **p, const char *end, size_t *ret_n)
{
	size_t n = 0;
	if (*p == end || **p < '0' || **p > '9')
		return false;
	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		n = n * 10 + (size_t)(**p - '0');
		if (n > INT32_MAX / 10)
			return false;
	}
	if (*p < end && **p == '_') {
		(*p)++;
		if (!n--)
			return false;
	}
	*ret_n = n;
	return n <= (size_t)(end - *p);
}

bool ep_rust_demangle_old(const char *name, struct ep_buf *out)
{
	if (strncmp(name, "_ZN", 3) != 0)
		return false;
	const char *p = name + 3, *end = p + body_of(name);
	size_t before = out->len, n;
	if (p == end)
		return false;
	while (p < end) {
		if (!read_length(&p, end, &n))
			return false;
		if (out->len > before)
			ep_buf_add_str(out, "::");
		add_part(out, p, n);
		p += n;
	}
	return !ep_buf_failed(out);
}
