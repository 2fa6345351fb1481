/* knock.c - see knock.h. */
#include "proof/knock.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum { ASK_MS = 1000, MAX_ANSWER = 1 << 18 };

static const struct in6_addr *v6(const struct ep_knock_address *a)
{
	return &((const struct sockaddr_in6 *)&a->sa)->sin6_addr;
}

static uint32_t v4(const struct ep_knock_address *a)
{
	return ntohl(((const struct sockaddr_in *)&a->sa)->sin_addr.s_addr);
}

bool ep_knock_is_loopback(const struct ep_knock_address *a)
{
	if (a->sa.ss_family == AF_INET)
		return v4(a) >> 24 == 127;
	if (a->sa.ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(v6(a)) ||
		       (IN6_IS_ADDR_V4MAPPED(v6(a)) && v6(a)->s6_addr[12] == 127);
	return true;
}

bool ep_knock_is_any(const struct ep_knock_address *a)
{
	return a->sa.ss_family == AF_INET    ? v4(a) == INADDR_ANY
	       : a->sa.ss_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(v6(a))
					     : false;
}

static unsigned port_of(const struct ep_knock_address *a)
{
	return ntohs(a->sa.ss_family == AF_INET6
			     ? ((const struct sockaddr_in6 *)&a->sa)->sin6_port
			     : ((const struct sockaddr_in *)&a->sa)->sin_port);
}

void ep_knock_name(struct ep_knock_address *a)
{
	char host[INET6_ADDRSTRLEN] = "";
	bool six = a->sa.ss_family == AF_INET6;
	if (a->sa.ss_family == AF_UNIX) {
		snprintf(a->text, sizeof(a->text), "unix:%.108s",
			 ((const struct sockaddr_un *)&a->sa)->sun_path);
		return;
	}
	if (six)
		inet_ntop(AF_INET6, v6(a), host, sizeof(host));
	else
		inet_ntop(AF_INET, &((struct sockaddr_in *)&a->sa)->sin_addr, host, sizeof(host));
	snprintf(a->text, sizeof(a->text), six ? "[%s]:%u" : "%s:%u", host, port_of(a));
}

bool ep_knock_elsewhere(const struct ep_knock_address *a, struct ep_knock_address *ret)
{
	struct ifaddrs *all = NULL;
	bool found = false;
	if (getifaddrs(&all) < 0)
		return false;
	for (struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET ||
		    !(i->ifa_flags & IFF_UP) || i->ifa_flags & IFF_LOOPBACK)
			continue;
		struct sockaddr_in to = *(struct sockaddr_in *)i->ifa_addr;
		to.sin_port = htons((uint16_t)port_of(a));
		*ret = (struct ep_knock_address){.n = sizeof(to)};
		memcpy(&ret->sa, &to, sizeof(to));
		ep_knock_name(ret);
		found = true;
	}
	freeifaddrs(all);
	return found;
}

/* Ready for events within the time left; 0, -ETIMEDOUT or -EIO. */
static int wait_for(int fd, short events, uint64_t until_ns)
{
	for (;;) {
		uint64_t now = ep_clock_mono_ns();
		if (now >= until_ns)
			return -ETIMEDOUT;
		struct pollfd p = {.fd = fd, .events = events};
		int n = poll(&p, 1, (int)((until_ns - now) / EP_NS_PER_MS) + 1);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -EIO;
	}
}

/* Who listens everywhere is asked on loopback. */
static struct ep_knock_address reachable(const struct ep_knock_address *a)
{
	struct ep_knock_address to = *a;
	if (ep_knock_is_any(a) && a->sa.ss_family == AF_INET)
		((struct sockaddr_in *)&to.sa)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (ep_knock_is_any(a))
		((struct sockaddr_in6 *)&to.sa)->sin6_addr = in6addr_loopback;
	ep_knock_name(&to);
	return to;
}

static int connect_to(const struct ep_knock_address *a, uint64_t until_ns)
{
	int error = 0, fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t n = sizeof(error);
	if (fd < 0)
		return -EIO;
	int rc = connect(fd, (const struct sockaddr *)&a->sa, a->n) < 0 && errno != EINPROGRESS
			 ? -ECONNREFUSED
			 : wait_for(fd, POLLOUT, until_ns);
	if (rc == 0 && (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 || error))
		rc = -ECONNREFUSED;
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int ep_knock_ask(const struct ep_knock_address *address, const char *path, const char *token)
{
	struct ep_knock_address a = reachable(address);
	char head[1024];
	bool is_unix = a.sa.ss_family == AF_UNIX;
	int n = snprintf(head, sizeof(head),
			 "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s%.256s%s\r\n", path,
			 is_unix ? "localhost" : a.text, token ? "Authorization: Bearer " : "",
			 token ? token : "", token ? "\r\n" : "");
	int fd = connect_to(&a, ep_clock_mono_ns() + ASK_MS * EP_NS_PER_MS);
	if (fd < 0)
		return fd;
	if (n >= (int)sizeof(head) || send(fd, head, (size_t)n, MSG_NOSIGNAL) != n) {
		close(fd);
		return -EIO;
	}
	return fd;
}

int ep_knock_answer(int fd, int timeout_ms, struct ep_buf *body)
{
	uint64_t until = ep_clock_mono_ns() + (uint64_t)timeout_ms * EP_NS_PER_MS;
	ep_auto_buf all;
	ep_buf_init(&all, MAX_ANSWER);
	int rc = 0;
	while ((rc = wait_for(fd, POLLIN, until)) == 0) {
		uint8_t *to = ep_buf_reserve(&all, 4096);
		ssize_t n = to ? recv(fd, to, 4096, 0) : 0;
		if (n <= 0)
			break;
		all.len += (size_t)n;
	}
	const char *text = ep_buf_cstr(&all), *end = strstr(text, "\r\n\r\n");
	if (strncmp(text, "HTTP/1.", 7) != 0 || !end)
		return rc < 0 ? rc : -EBADMSG;
	if (body)
		ep_buf_add_str(body, end + 4);
	return atoi(text + 9);
}

int ep_knock_get(const struct ep_knock_address *a, const char *path, const char *token,
		 struct ep_buf *body)
{
	int fd = ep_knock_ask(a, path, token);
	if (fd < 0)
		return fd;
	int status = ep_knock_answer(fd, 2 * ASK_MS, body);
	close(fd);
	return status;
}
