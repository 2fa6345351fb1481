/*
 * adjust.c - see adjust.h.
 *
 * Parts of a URL are told apart as Go's net/url does it (RFC 3986 with its leniencies).
 */
#include "fetch/adjust.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/slice.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_PATH "/debug/pprof/profile"

enum { MAX_PAIRS = 256 };

struct parts {
	struct ep_slice scheme, authority, path, query, fragment;
	bool has_query, has_fragment;
};

struct pair {
	struct ep_slice key, value; /* escaped */
	char name[64];		    /* of the key, decoded; what orders them */
};

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' :
	       isxdigit((unsigned char)c) ? (tolower((unsigned char)c) - 'a') + 10 :
					    -1;
}

static bool is_escaped_well(struct ep_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '%' && (i + 2 >= s.n || hex(s.p[i + 1]) < 0 || hex(s.p[i + 2]) < 0))
			return false;
	return true;
}

/* Take what stands before the first `c` from the front of s. */
static bool cut(struct ep_slice *s, char c, struct ep_slice *ret_head)
{
	const char *at = s->n ? memchr(s->p, c, s->n) : NULL;
	if (!at) {
		*ret_head = *s;
		*s = (struct ep_slice){s->p + s->n, 0};
		return false;
	}
	*ret_head = (struct ep_slice){s->p, (size_t)(at - s->p)};
	*s = (struct ep_slice){at + 1, s->n - ret_head->n - 1};
	return true;
}

/* The scheme off the front; false when there is a colon but nothing before it. */
static bool take_scheme(struct ep_slice *s, struct ep_slice *ret_scheme)
{
	*ret_scheme = (struct ep_slice){0};
	for (size_t i = 0; i < s->n; i++) {
		unsigned char c = (unsigned char)s->p[i];
		if (isalpha(c) || (i && (isdigit(c) || c == '+' || c == '-' || c == '.')))
			continue;
		if (c != ':')
			return true;
		*ret_scheme = (struct ep_slice){s->p, i};
		*s = (struct ep_slice){s->p + i + 1, s->n - i - 1};
		return i > 0;
	}
	return true;
}

static bool is_port(struct ep_slice s)
{
	for (size_t i = 1; i < s.n; i++)
		if (!isdigit((unsigned char)s.p[i]))
			return false;
	return s.n == 0 || s.p[0] == ':';
}

static bool is_authority(struct ep_slice a)
{
	const char *at = a.n ? memrchr(a.p, '@', a.n) : NULL;
	struct ep_slice host = at ? (struct ep_slice){at + 1, a.n - (size_t)(at + 1 - a.p)} : a;
	const char *end = NULL;
	if (host.n && host.p[0] == '[') {
		end = memrchr(host.p, ']', host.n);
		if (!end)
			return false;
		end++;
	} else if (host.n) {
		end = memchr(host.p, ':', host.n); /* a second one fails as a digit */
	}
	if (end && !is_port((struct ep_slice){end, host.n - (size_t)(end - host.p)}))
		return false;
	for (size_t i = 0; i < host.n; i++)
		if ((unsigned char)host.p[i] < 0x80 && !isalnum((unsigned char)host.p[i]) &&
		    !strchr("-._~!$&'()*+,;=:[]<>\"%", host.p[i]))
			return false;
	return is_escaped_well(a);
}

/* false: not a URL, by its form. */
static bool parse(const char *text, struct parts *ret)
{
	struct ep_slice s = ep_slice_of(text), rest = s;
	struct parts u = {0};
	for (size_t i = 0; i < s.n; i++)
		if (iscntrl((unsigned char)s.p[i]))
			return false;
	u.has_fragment = cut(&rest, '#', &s);
	u.fragment = rest;
	if (!take_scheme(&s, &u.scheme))
		return false;
	rest = s;
	u.has_query = cut(&rest, '?', &s);
	u.query = rest;
	*ret = u;
	if (!s.n || s.p[0] != '/') {
		struct ep_slice first, tail = s;
		if (u.scheme.n) /* opaque: no host */
			return true;
		(void)cut(&tail, '/', &first);
		return !first.n || !memchr(first.p, ':', first.n);
	}
	if (s.n >= 2 && s.p[1] == '/' && (u.scheme.n || s.n < 3 || s.p[2] != '/')) {
		s = (struct ep_slice){s.p + 2, s.n - 2};
		const char *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
		u.authority = (struct ep_slice){s.p, slash ? (size_t)(slash - s.p) : s.n};
		s = (struct ep_slice){s.p + u.authority.n, s.n - u.authority.n};
		if (!is_authority(u.authority))
			return false;
	}
	u.path = s;
	*ret = u;
	return is_escaped_well(s) && is_escaped_well(u.fragment);
}

/* --- the query -------------------------------------------------------------------- */

/* Decode the first bytes of a key: enough to order it and to know it. */
static void decode(struct ep_slice s, char *to, size_t max)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n && n + 1 < max; i++) {
		char c = s.p[i] == '+' ? ' ' : s.p[i];
		if (c == '%') {
			c = (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]));
			i += 2;
		}
		to[n++] = c;
	}
	to[n] = '\0';
}

static void add_escaped(struct ep_buf *out, struct ep_slice s)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '%') {
			c = (unsigned char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]));
			i += 2;
		} else if (c == '+') {
			c = ' ';
		}
		if (isalnum(c) || (c && strchr("-_.~", c))) {
			ep_buf_add_char(out, (char)c);
		} else if (c == ' ') {
			ep_buf_add_char(out, '+');
		} else {
			ep_buf_add_char(out, '%');
			ep_buf_add_char(out, digits[c >> 4]);
			ep_buf_add_char(out, digits[c & 15]);
		}
	}
}

static int by_key(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int c = strcmp(x->name, y->name);
	/* Equal keys stay in the order they came in. */
	return c ? c : (x->key.p > y->key.p) - (x->key.p < y->key.p);
}

static size_t read_pairs(struct ep_slice query, struct pair *v)
{
	size_t n = 0;
	while (query.n && n < MAX_PAIRS) {
		struct ep_slice one;
		(void)cut(&query, '&', &one);
		if (!one.n || memchr(one.p, ';', one.n) || !is_escaped_well(one))
			continue;
		v[n].value = one;
		(void)cut(&v[n].value, '=', &v[n].key);
		decode(v[n].key, v[n].name, sizeof(v[n].name));
		n++;
	}
	return n;
}

static int seconds_of(const struct pair *v, size_t n)
{
	char text[16], *end;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(v[i].name, "seconds"))
			continue;
		decode(v[i].value, text, sizeof(text));
		errno = 0;
		long s = strtol(text, &end, 10);
		return *text && !isspace((unsigned char)*text) && !*end && !errno && s == (int)s ?
			       (int)s :
			       0;
	}
	return 0;
}

/* "?a=1&b=2"; returns the seconds that the profile takes, 0 when nothing says. */
static int write_query(const struct parts *u, int seconds, struct ep_buf *out)
{
	struct pair v[MAX_PAIRS + 1];
	char own[16];
	size_t n = read_pairs(u->query, v);
	if (seconds > 0) {
		size_t kept = 0;
		for (size_t i = 0; i < n; i++)
			if (strcmp(v[i].name, "seconds"))
				v[kept++] = v[i];
		n = kept;
		(void)snprintf(own, sizeof(own), "%d", seconds);
		v[n++] = (struct pair){ep_slice_of("seconds"), ep_slice_of(own), "seconds"};
	}
	qsort(v, n, sizeof(v[0]), by_key);
	if (n || (u->has_query && !u->query.n))
		ep_buf_add_char(out, '?');
	for (size_t i = 0; i < n; i++) {
		if (i)
			ep_buf_add_char(out, '&');
		add_escaped(out, v[i].key);
		ep_buf_add_char(out, '=');
		add_escaped(out, v[i].value);
	}
	return seconds > 0 ? seconds : seconds_of(v, n);
}

/* --- the whole -------------------------------------------------------------------- */

/* Characters that Go writes as %XX in a path. */
static void add_path(struct ep_buf *out, struct ep_slice path)
{
	for (size_t i = 0; i < path.n; i++) {
		unsigned char c = (unsigned char)path.p[i];
		if (isalnum(c) || (c && strchr("-_.~!$&'()*+,;=:@[]/%", c)))
			ep_buf_add_char(out, (char)c);
		else
			ep_buf_printf(out, "%%%02X", c);
	}
}

/* Returns the seconds that the profile takes. */
static int write_tail(const struct parts *u, int seconds, struct ep_buf *out)
{
	if (u->path.n == 0 || ep_slice_is(u->path, "/"))
		ep_buf_add_str(out, DEFAULT_PATH);
	else
		add_path(out, u->path);
	int takes = write_query(u, seconds, out);
	if (u->has_fragment && u->fragment.n) {
		ep_buf_add_char(out, '#');
		ep_buf_add(out, u->fragment.p, u->fragment.n);
	}
	return takes;
}

/* unix:SOCKET:/PATH?QUERY */
static bool parse_unix(const char *source, struct parts *u)
{
	const char *rest = source + strlen("unix:");
	const char *colon = strstr(rest, ":/");
	size_t n = colon ? (size_t)(colon - source) : strlen(source);
	if (n == strlen("unix:") || !parse(colon ? colon + 1 : "/", u) || u->authority.n)
		return false;
	u->authority = (struct ep_slice){source, n};
	return true;
}

int ep_adjust_source(const char *source, int seconds, int timeout_s, struct ep_buf *ret_url,
		     uint64_t *ret_timeout_ns)
{
	struct parts u;
	ep_auto_buf with_scheme;
	ep_buf_init(&with_scheme, 1 << 16);
	bool is_unix = !strncasecmp(source, "unix:", 5);
	bool ok = is_unix ? parse_unix(source, &u) : parse(source, &u);
	if (!is_unix &&
	    (!ok || (!u.authority.n && u.scheme.n && strncasecmp(source, "file:", 5)))) {
		ep_buf_add_str(&with_scheme, "http://");
		ep_buf_add_str(&with_scheme, source);
		ok = parse(ep_buf_cstr(&with_scheme), &u);
	}
	if (!ok || !u.authority.n)
		return 0;
	for (size_t i = 0; i < u.scheme.n; i++)
		ep_buf_add_char(ret_url, (char)tolower((unsigned char)u.scheme.p[i]));
	if (!is_unix)
		ep_buf_add_str(ret_url, u.scheme.n ? "://" : "//");
	ep_buf_add(ret_url, u.authority.p, u.authority.n);
	if (is_unix)
		ep_buf_add_char(ret_url, ':');
	int takes = write_tail(&u, seconds, ret_url);
	double s = timeout_s > 0 ? timeout_s : takes > 0 ? takes * 1.5 : 60;
	*ret_timeout_ns = (uint64_t)(s * EP_NS_PER_S);
	return ep_buf_failed(ret_url) ? ep_buf_failed(ret_url) : 1;
}

const char *ep_adjust_seconds(char buf[32], int seconds)
{
	int h = seconds / 3600, m = seconds / 60 % 60, s = seconds % 60;
	if (h)
		(void)snprintf(buf, 32, "%dh%dm%ds", h, m, s);
	else if (m)
		(void)snprintf(buf, 32, "%dm%ds", m, s);
	else
		(void)snprintf(buf, 32, "%ds", s);
	return buf;
}
