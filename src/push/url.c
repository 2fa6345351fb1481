/* url.c - see url.h. */
#include "push/url.h"

#include <stdlib.h>
#include <string.h>

static int parse_port(const char *p, size_t n, uint16_t *ret_port)
{
	unsigned long v = 0;
	if (n == 0 || n > 5)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -EINVAL;
		v = v * 10 + (unsigned long)(p[i] - '0');
	}
	if (v == 0 || v > 65535)
		return -EINVAL;
	*ret_port = (uint16_t)v;
	return 0;
}

/* What would split a request line or a header can't be part of an address. */
static int is_plain(const char *p)
{
	for (; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == '?' || *p == '#')
			return 0;
	return 1;
}

/* The end of the host within [p, end); *ret_port is where ":PORT" starts, or end. */
static const char *host_end(const char **p, const char *end, const char **ret_port)
{
	const char *stop;
	if (**p == '[') {
		++*p;
		stop = memchr(*p, ']', (size_t)(end - *p));
		*ret_port = stop ? stop + 1 : end;
		return stop;
	}
	stop = memchr(*p, ':', (size_t)(end - *p));
	*ret_port = stop ? stop : end;
	return stop ? stop : end;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* %XX decoded; what would end a header's line, or the string, is refused. */
static int parse_user(const char *p, size_t n, char *to, size_t size)
{
	size_t k = 0;
	for (size_t i = 0; i < n; i++, k++) {
		int c = (unsigned char)p[i];
		if (c == '%') {
			if (n - i < 3 || hex(p[i + 1]) < 0 || hex(p[i + 2]) < 0)
				return -EINVAL;
			c = hex(p[i + 1]) << 4 | hex(p[i + 2]);
			i += 2;
		}
		if (c < ' ' || c == 0x7f || k + 1 >= size)
			return -EINVAL;
		to[k] = (char)c;
	}
	to[k] = '\0';
	return strchr(to, ':') ? 0 : -EINVAL;
}

/* Behind the scheme, or NULL. */
static const char *parse_scheme(const char *text, struct ep_url *u)
{
	u->tls = !strncmp(text, "https://", strlen("https://"));
	if (!u->tls && strncmp(text, "http://", strlen("http://")) != 0)
		return NULL;
	u->port = u->tls ? 443 : 80;
	return text + strlen(u->tls ? "https://" : "http://");
}

int ep_url_parse(const char *text, struct ep_url *ret_url, struct ep_err *err)
{
	struct ep_url u = {0};
	const char *p = parse_scheme(text, &u);
	/* The password is for the server's eyes only: messages show what is behind it. */
	const char *authority = p ? p : text, *end = authority + strcspn(authority, "/");
	const char *at = memrchr(authority, '@', (size_t)(end - authority));
	const char *shown = at ? at + 1 : text;
	if (!p)
		return ep_fail(err, -EINVAL, 0, "\"%.100s\" is not http[s]://HOST:PORT", shown);
	if (!is_plain(text))
		return ep_fail(err, -EINVAL, 0, "a blank, ? or # in the address \"%.100s\"",
			       shown);
	if (at && parse_user(p, (size_t)(at - p), u.user, sizeof(u.user)) < 0)
		return ep_fail(err, -EINVAL, 0, "what is before @ in the address is no USER:PASSWORD");
	if (at)
		p = at + 1;
	const char *port, *stop = host_end(&p, end, &port);
	if (!stop || stop == p || (size_t)(stop - p) >= sizeof(u.host))
		return ep_fail(err, -EINVAL, 0, "no host in \"%.100s\"", shown);
	memcpy(u.host, p, (size_t)(stop - p));
	if (port < end && (*port != ':' ||
			   parse_port(port + 1, (size_t)(end - port) - 1, &u.port) < 0))
		return ep_fail(err, -EINVAL, 0, "no port of 1 to 65535 in \"%.100s\"", shown);
	size_t n = strlen(end);
	while (n && end[n - 1] == '/')
		n--;
	if (n >= sizeof(u.prefix))
		return ep_fail(err, -EINVAL, 0, "the path of \"%.100s\" is too long", shown);
	memcpy(u.prefix, end, n);
	*ret_url = u;
	return 0;
}
