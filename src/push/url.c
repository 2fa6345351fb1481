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

int ep_url_parse(const char *text, struct ep_url *ret_url, struct ep_err *err)
{
	static const char scheme[] = "http://";
	struct ep_url u = {.port = 80};
	if (strncmp(text, scheme, sizeof(scheme) - 1) != 0)
		return ep_fail(err, -EINVAL, 0, "\"%.100s\" is not http://HOST:PORT", text);
	if (!is_plain(text))
		return ep_fail(err, -EINVAL, 0, "a blank, ? or # in the address \"%.100s\"",
			       text);
	const char *p = text + sizeof(scheme) - 1;
	const char *end = p + strcspn(p, "/"), *port;
	const char *stop = host_end(&p, end, &port);
	if (!stop || stop == p || (size_t)(stop - p) >= sizeof(u.host))
		return ep_fail(err, -EINVAL, 0, "no host in \"%.100s\"", text);
	memcpy(u.host, p, (size_t)(stop - p));
	if (port < end && (*port != ':' ||
			   parse_port(port + 1, (size_t)(end - port) - 1, &u.port) < 0))
		return ep_fail(err, -EINVAL, 0, "no port of 1 to 65535 in \"%.100s\"", text);
	size_t n = strlen(end);
	while (n && end[n - 1] == '/')
		n--;
	if (n >= sizeof(u.prefix))
		return ep_fail(err, -EINVAL, 0, "the path of \"%.100s\" is too long", text);
	memcpy(u.prefix, end, n);
	*ret_url = u;
	return 0;
}
