/*
 * rust_legacy.c - _ZN…17h<hash>E, with $…$ escapes.  See rust.h.
 */
#include "symbol/rust.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool is_hash(const char *p, size_t n)
{
	if (n != 17 || p[0] != 'h')
		return false;
	for (size_t i = 1; i < n; i++)
		if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f')))
			return false;
	return true;
}

static void add_utf8(struct ep_buf *out, uint32_t c)
{
	if (c < 0x80) {
		ep_buf_add_char(out, (char)c);
	} else if (c < 0x800) {
		ep_buf_add_char(out, (char)(0xc0 | c >> 6));
		ep_buf_add_char(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		ep_buf_add_char(out, (char)(0xe0 | c >> 12));
		ep_buf_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		ep_buf_add_char(out, (char)(0x80 | (c & 0x3f)));
	} else {
		ep_buf_add_char(out, (char)(0xf0 | c >> 18));
		ep_buf_add_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
		ep_buf_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		ep_buf_add_char(out, (char)(0x80 | (c & 0x3f)));
	}
}

/* One $escape$; returns its length with both dollars, 0 when unknown. */
static size_t add_escape(struct ep_buf *out, const char *p, size_t n)
{
	static const struct {
		const char *name, *text;
	} known[] = {{"SP", "@"}, {"BP", "*"}, {"RF", "&"}, {"LT", "<"},
		     {"GT", ">"}, {"LP", "("}, {"RP", ")"}, {"C", ","}};
	const char *end = n > 1 ? memchr(p + 1, '$', n - 1) : NULL;
	if (!end)
		return 0;
	size_t len = (size_t)(end - p) - 1;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strlen(known[i].name) == len &&
		    !memcmp(known[i].name, p + 1, len)) {
			ep_buf_add_str(out, known[i].text);
			return len + 2;
		}
	if (len < 2 || len > 7 || p[1] != 'u')
		return 0;
	char *stop;
	unsigned long c = strtoul(p + 2, &stop, 16);
	if (stop != end || c < 0x20 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	add_utf8(out, (uint32_t)c);
	return len + 2;
}

static void add_part(struct ep_buf *out, const char *p, size_t n)
{
	/* A part may not begin with '$', so an underscore stands before it. */
	if (n > 1 && p[0] == '_' && p[1] == '$') {
		p++;
		n--;
	}
	while (n) {
		size_t used = p[0] == '$' ? add_escape(out, p, n) : 0;
		if (!used && n > 1 && p[0] == '.' && p[1] == '.') {
			ep_buf_add_str(out, "::");
			used = 2;
		}
		if (!used) {
			ep_buf_add_char(out, *p);
			used = 1;
		}
		p += used;
		n -= used;
	}
}

bool ep_rust_demangle_legacy(const char *name, struct ep_buf *out)
{
	if (strncmp(name, "_ZN", 3))
		return false;
	const char *p = name + 3, *end = p + strlen(p);
	bool hashed = false;
	size_t before = out->len;
	while (*p >= '1' && *p <= '9') {
		size_t n = 0;
		for (; *p >= '0' && *p <= '9' && n < 100000; p++)
			n = n * 10 + (size_t)(*p - '0');
		if (n > (size_t)(end - p))
			break;
		hashed = is_hash(p, n) && p[n] == 'E';
		if (!hashed) {
			if (out->len > before)
				ep_buf_add_str(out, "::");
			add_part(out, p, n);
		}
		p += n;
	}
	/* Without the hash it is C++.  A suffix such as .llvm.123 may follow. */
	if (hashed && *p == 'E' && out->len > before && (!p[1] || p[1] == '.'))
		return true;
	ep_buf_clear(out);
	return false;
}
