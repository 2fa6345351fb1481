/* addr.c - see addr.h. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_port(const char *text, unsigned *ret_port)
{
	char *end;
	if (*text < '0' || *text > '9')
		return -EINVAL;
	unsigned long port = strtoul(text, &end, 10);
	if (*end || port > 65535)
		return -EINVAL;
	*ret_port = (unsigned)port;
	return 0;
}

/* Splits at the last colon; brackets come off.  "4040" is a port on loopback. */
static int split(const char *text, struct ep_addr *a)
{
	const char *colon = strrchr(text, ':');
	const char *host = text;
	size_t n = colon ? (size_t)(colon - text) : 0;
	if (parse_port(colon ? colon + 1 : text, &a->port) < 0)
		return -EINVAL;
	if (!colon) {
		host = "127.0.0.1";
		n = strlen(host);
	} else if (!n) {
		host = "0.0.0.0";
		n = strlen(host);
	} else if (text[0] == '[') {
		if (n < 3 || text[n - 1] != ']')
			return -EINVAL;
		host = text + 1;
		n -= 2;
	}
	if (n >= sizeof(a->host))
		return -EINVAL;
	memcpy(a->host, host, n);
	a->host[n] = '\0';
	if (!strcmp(a->host, "localhost"))
		strcpy(a->host, "127.0.0.1");
	return 0;
}

int ep_addr_parse(const char *text, struct ep_addr *ret_a, struct ep_err *err)
{
	struct ep_addr a = {0};
	if (split(text, &a) < 0)
		return ep_fail(err, -EINVAL, 0,
			       "\"%s\" is no ADDR:PORT, as in 127.0.0.1:4040", text);
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a.sa;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a.sa;
	if (inet_pton(AF_INET, a.host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)a.port);
		a.n = sizeof(*v4);
	} else if (inet_pton(AF_INET6, a.host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)a.port);
		a.n = sizeof(*v6);
	} else {
		return ep_fail(err, -EINVAL, 0,
			       "\"%s\" is neither an IPv4 nor an IPv6 address", a.host);
	}
	*ret_a = a;
	return 0;
}

bool ep_addr_is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	}
	if (sa->sa_family == AF_INET6) {
		const struct in6_addr *a = &((const struct sockaddr_in6 *)sa)->sin6_addr;
		return IN6_IS_ADDR_LOOPBACK(a) ||
		       (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
	}
	return sa->sa_family == AF_UNIX;
}

void ep_addr_format(const struct sockaddr *sa, char *ret_text, size_t n)
{
	char host[INET6_ADDRSTRLEN] = "?";
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
		(void)inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
		(void)snprintf(ret_text, n, "%s:%u", host, ntohs(v4->sin_port));
	} else {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
		(void)snprintf(ret_text, n, "[%s]:%u", host, ntohs(v6->sin6_port));
	}
}

static bool is_port(struct ep_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n <= 5;
}

struct ep_slice ep_addr_host(struct ep_slice authority)
{
	const struct ep_slice none = {0};
	struct ep_slice host = authority, rest = {0};
	if (!authority.n)
		return none;
	if (authority.p[0] == '[') {
		const char *close = memchr(authority.p, ']', authority.n);
		if (!close)
			return none;
		host = (struct ep_slice){authority.p + 1, (size_t)(close - authority.p) - 1};
		rest = (struct ep_slice){close + 1, authority.n - host.n - 2};
	} else {
		const char *colon = memchr(authority.p, ':', authority.n);
		if (colon) {
			host.n = (size_t)(colon - authority.p);
			rest = (struct ep_slice){colon, authority.n - host.n};
		}
	}
	if (rest.n && (rest.p[0] != ':' || !is_port((struct ep_slice){rest.p + 1, rest.n - 1})))
		return none;
	return host;
}

bool ep_addr_is_loopback_name(struct ep_slice host)
{
	char name[256];
	if (!host.n || host.n >= sizeof(name))
		return false;
	memcpy(name, host.p, host.n);
	name[host.n] = '\0';
	if (!strcasecmp(name, "localhost"))
		return true;
	if (host.n > 10 && !strcasecmp(name + host.n - 10, ".localhost"))
		return true;
	struct in_addr v4;
	if (inet_pton(AF_INET, name, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	struct in6_addr v6;
	return inet_pton(AF_INET6, name, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}
