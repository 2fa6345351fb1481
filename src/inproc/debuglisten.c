/* debuglisten.c - see debuglisten.h. */
#include "inproc/debuglisten.h"

#include "inproc/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 16 };

union any {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

/* Numbers only: names are looked up by nobody inside a host process. */
static int parse(const char *where, union any *ret, socklen_t *ret_n)
{
	char host[80];
	const char *colon = strrchr(where, ':');
	char *end;
	if (!colon || (size_t)(colon - where) >= sizeof(host))
		return -EINVAL;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - where), where);
	unsigned long port = strtoul(colon + 1, &end, 10);
	if (*end || end == colon + 1 || port > 65535)
		return -EINVAL;
	memset(ret, 0, sizeof(*ret));
	if (*host == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = '\0';
		ret->in6.sin6_family = AF_INET6;
		ret->in6.sin6_port = htons((uint16_t)port);
		*ret_n = sizeof(ret->in6);
		return inet_pton(AF_INET6, host + 1, &ret->in6.sin6_addr) == 1 ? 0 : -EINVAL;
	}
	if (!*host || !strcmp(host, "localhost"))
		strcpy(host, "127.0.0.1");
	ret->in.sin_family = AF_INET;
	ret->in.sin_port = htons((uint16_t)port);
	*ret_n = sizeof(ret->in);
	return inet_pton(AF_INET, host, &ret->in.sin_addr) == 1 ? 0 : -EINVAL;
}

static bool is_loopback(const union any *a)
{
	if (a->sa.sa_family == AF_INET)
		return ntohl(a->in.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

static void format(const union any *a, char *ret, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "";
	if (a->sa.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &a->in6.sin6_addr, host, sizeof(host));
		snprintf(ret, size, "[%s]:%u", host, ntohs(a->in6.sin6_port));
	} else {
		inet_ntop(AF_INET, &a->in.sin_addr, host, sizeof(host));
		snprintf(ret, size, "%s:%u", host, ntohs(a->in.sin_port));
	}
}

/* Not among the low numbers that programs play with. */
static int high(int fd)
{
	if (fd < 0)
		return -errno;
	int up = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	int rc = up < 0 ? -errno : up;
	close(fd);
	return rc;
}

static int bind_and_listen(const union any *a, socklen_t n)
{
	int one = 1;
	int fd = high(socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	if (fd < 0)
		return fd;
	if (a->sa.sa_family != AF_UNIX) /* past connections of the last run don't hold it */
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* A path is for its owner only, before anybody can connect. */
	if (bind(fd, &a->sa, n) < 0 ||
	    (a->sa.sa_family == AF_UNIX && chmod(a->un.sun_path, 0600) < 0) ||
	    listen(fd, BACKLOG) < 0) {
		int rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

/* A socket that nobody answers at is left over, and may go. */
static bool is_left_over(const union any *a, socklen_t n)
{
	struct stat st;
	if (lstat(a->un.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool dead = fd >= 0 && connect(fd, &a->sa, n) < 0 && errno == ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return dead;
}

static int open_unix(const char *path, char *ret_address)
{
	union any a = {.un = {.sun_family = AF_UNIX}};
	if (*path != '/' || strlen(path) >= sizeof(a.un.sun_path)) {
		ep_config_say("unix:%s is no absolute path of at most 107 bytes", path);
		return -EINVAL;
	}
	strcpy(a.un.sun_path, path);
	if (is_left_over(&a, sizeof(a.un)))
		(void)unlink(path); /* else bind() says what is wrong */
	int fd = bind_and_listen(&a, sizeof(a.un));
	snprintf(ret_address, 128, "unix:%s", path);
	return fd;
}

int ep_debuglisten_open(const char *where, bool open, char *ret_address)
{
	union any a;
	socklen_t n;
	if (!strncmp(where, "unix:", 5))
		return open_unix(where + 5, ret_address);
	if (parse(where, &a, &n) < 0) {
		ep_config_say("EVERPROF_HTTP is ADDRESS:PORT with a numeric address, or "
			      "unix:/PATH, not %s", where);
		return -EINVAL;
	}
	if (!open && !is_loopback(&a)) {
		ep_config_say("%s is not this machine alone; name tokens in EVERPROF_TOKEN_FILE to "
			      "listen there", where);
		return -EACCES;
	}
	int fd = bind_and_listen(&a, n);
	if (fd >= 0 && getsockname(fd, &a.sa, &n) == 0) /* with the port the system chose */
		format(&a, ret_address, 128);
	return fd;
}

int ep_debuglisten_accept(int fd, char *ret_peer)
{
	union any a = {.sa = {0}};
	socklen_t n = sizeof(a);
	int low = accept4(fd, &a.sa, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int peer = high(low);
	if (peer < 0)
		return peer;
	if (a.sa.sa_family == AF_UNIX) {
		strcpy(ret_peer, "unix");
	} else {
		format(&a, ret_peer, 64);
		*strrchr(ret_peer, ':') = '\0';
		if (*ret_peer == '[') { /* without its brackets */
			memmove(ret_peer, ret_peer + 1, strlen(ret_peer));
			ret_peer[strcspn(ret_peer, "]")] = '\0';
		}
	}
	return peer;
}

void ep_debuglisten_forget(const char *address)
{
	if (!strncmp(address, "unix:", 5))
		(void)unlink(address + 5); /* it is only a name */
}
