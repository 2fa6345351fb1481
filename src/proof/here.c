/* here.c - see here.h.  Source: proc(5), /proc/PID/net/tcp. */
#include "proof/here.h"

#include "agent/service.h"
#include "base/mem.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAX_ENVIRON = 1 << 16, MAX_SOCKETS = 512, LISTENING = 0x0a };

struct sockets {
	unsigned long inodes[MAX_SOCKETS];
	unsigned n;
};

static bool is_of(int64_t pid, const char *service)
{
	char path[64], comm[32] = "";
	struct ep_service s;
	snprintf(path, sizeof(path), "/proc/%lld/comm", (long long)pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return false;
	(void)!fgets(comm, sizeof(comm), f); /* without it, "" */
	fclose(f);
	comm[strcspn(comm, "\n")] = '\0';
	return ep_service_look((uint32_t)pid, comm, false, &s) && !strcmp(s.name, service);
}

/* A number that the server knows may be another program's by now. */
static bool has_library(int64_t pid)
{
	char path[64], line[512];
	bool found = false;
	snprintf(path, sizeof(path), "/proc/%lld/maps", (long long)pid);
	FILE *f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, "/libeverprof.so") != NULL;
	if (f)
		fclose(f);
	return found;
}

static void add_pid(struct ep_here *h, int64_t pid)
{
	for (unsigned i = 0; i < h->n_pids && i < EP_HERE_PIDS; i++)
		if (h->pids[i] == pid)
			return;
	if (h->n_pids < EP_HERE_PIDS)
		h->pids[h->n_pids] = pid;
	h->n_pids++;
}

static bool same_network(int64_t pid, struct ep_here *h)
{
	char path[64];
	struct stat mine, its;
	snprintf(path, sizeof(path), "/proc/%lld/ns/net", (long long)pid);
	if (stat("/proc/self/ns/net", &mine) < 0 || stat(path, &its) < 0) {
		h->hidden = true;
		return false;
	}
	h->apart |= mine.st_ino != its.st_ino;
	return mine.st_ino == its.st_ino;
}

static void read_http(int64_t pid, struct ep_here *h)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%lld/environ", (long long)pid);
	ep_auto_mem char *text = ep_zalloc(MAX_ENVIRON);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 || !text ? -1 : read(fd, text, MAX_ENVIRON - 1);
	if (fd >= 0)
		close(fd);
	h->hidden |= n < 0;
	for (ssize_t at = 0; at < n && !*h->http; at += (ssize_t)strlen(text + at) + 1)
		if (!strncmp(text + at, "EVERPROF_HTTP=", 14))
			snprintf(h->http, sizeof(h->http), "%.159s", text + at + 14);
}

static void read_sockets(int64_t pid, struct sockets *s, struct ep_here *h)
{
	char path[64], target[64];
	snprintf(path, sizeof(path), "/proc/%lld/fd", (long long)pid);
	DIR *d = opendir(path);
	h->hidden |= !d;
	for (struct dirent *e; d && (e = readdir(d)) && s->n < MAX_SOCKETS;) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		if (sscanf(target, "socket:[%lu]", &s->inodes[s->n]) == 1)
			s->n++;
	}
	if (d)
		closedir(d);
}

static bool has(const struct sockets *s, unsigned long inode)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->inodes[i] == inode)
			return true;
	return false;
}

static void add_address(struct ep_here *h, const void *sa, size_t n)
{
	struct ep_knock_address a = {.n = (socklen_t)n};
	memcpy(&a.sa, sa, n);
	ep_knock_name(&a);
	for (unsigned i = 0; i < h->n_addresses; i++)
		if (!strcmp(h->addresses[i].text, a.text))
			return;
	if (h->n_addresses < EP_HERE_ADDRESSES)
		h->addresses[h->n_addresses++] = a;
}

/* Words of the address as the kernel prints them: of its own byte order. */
static void add_hex(struct ep_here *h, const char *hex, unsigned port)
{
	uint32_t words[4] = {0};
	size_t n = strlen(hex) / 8;
	for (size_t i = 0; i < n && i < 4; i++)
		(void)!sscanf(hex + 8 * i, "%8x", &words[i]); /* 0 when malformed */
	if (n == 1) {
		struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
		memcpy(&sa.sin_addr, words, 4);
		add_address(h, &sa, sizeof(sa));
	} else if (n == 4) {
		struct sockaddr_in6 sa = {.sin6_family = AF_INET6,
					  .sin6_port = htons((uint16_t)port)};
		memcpy(&sa.sin6_addr, words, 16);
		add_address(h, &sa, sizeof(sa));
	}
}

static void read_listeners(const char *path, const struct sockets *s, struct ep_here *h)
{
	char line[512], hex[40];
	unsigned port, state;
	unsigned long inode;
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " %*d: %39[0-9A-F]:%x %*s %x %*s %*s %*s %*s %*s %lu", hex, &port,
			   &state, &inode) == 4 &&
		    state == LISTENING && has(s, inode))
			add_hex(h, hex, port);
	if (f)
		fclose(f);
}

static void add_unix(struct ep_here *h)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	if (strncmp(h->http, "unix:", 5) != 0 || strlen(h->http + 5) >= sizeof(sa.sun_path))
		return;
	memcpy(sa.sun_path, h->http + 5, strlen(h->http + 5));
	add_address(h, &sa, sizeof(sa));
}

void ep_here_find(const char *service, const int64_t *pids, unsigned n_pids,
		  struct ep_here *ret)
{
	struct sockets sockets = {.n = 0};
	*ret = (struct ep_here){.n_pids = 0};
	DIR *d = opendir("/proc");
	for (struct dirent *e; d && (e = readdir(d));) {
		int64_t pid = isdigit((unsigned char)e->d_name[0]) ? atoll(e->d_name) : 0;
		if (pid && pid != getpid() && is_of(pid, service))
			add_pid(ret, pid);
	}
	if (d)
		closedir(d);
	for (unsigned i = 0; i < n_pids; i++)
		if (has_library(pids[i]))
			add_pid(ret, pids[i]);
	for (unsigned i = 0; i < ret->n_pids && i < EP_HERE_PIDS; i++)
		if (same_network(ret->pids[i], ret)) {
			read_http(ret->pids[i], ret);
			read_sockets(ret->pids[i], &sockets, ret);
		}
	read_listeners("/proc/self/net/tcp", &sockets, ret);
	read_listeners("/proc/self/net/tcp6", &sockets, ret);
	add_unix(ret);
}
