/*
 * shop.c - a small web shop: a thread pool that serves HTTP under labels.
 *
 *     shop [--listen PORT] [--workers N] [--leak]
 *
 * GET /search?q=oak+lamp, /cart?q=17, /checkout?q=17, /report with the header
 * "X-Tenant: NAME"; POST /leak?q=1 and /leak?q=0 switch the leak.
 */
#include "catalog.h"
#include "database.h"
#include "handlers.h"

#include <everprof.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_HEAD = 4096, MAX_BODY = 16384, N_PRODUCTS = 8000, N_CONNECTIONS = 2 };

static int listener;

static void copy_until(char *to, size_t max, const char *from, const char *stop)
{
	size_t n = strcspn(from, stop);
	snprintf(to, max, "%.*s", (int)n, from);
}

/* Fills r from "GET /path?q=words HTTP/1.1\r\n…"; what is missing stays empty. */
static void parse_head(const char *head, struct request *r)
{
	*r = (struct request){.tenant = "none"};
	const char *target = strchr(head, ' ');
	if (!target)
		return;
	copy_until(r->path, sizeof(r->path), target + 1, "? \r");
	const char *q = strstr(target, "?q=");
	if (q && q < strchr(head, '\r'))
		copy_until(r->query, sizeof(r->query), q + 3, "& \r");
	const char *tenant = strcasestr(head, "\r\nX-Tenant: ");
	if (tenant)
		copy_until(r->tenant, sizeof(r->tenant), tenant + 12, "\r");
}

static void answer(int fd, const char *head)
{
	struct request r;
	char body[MAX_BODY];
	char out[MAX_BODY + 256];
	parse_head(head, &r);
	size_t n = 0;
	if (!strcmp(r.path, "/leak")) {
		handlers_set_leak(r.query[0] == '1');
		n = (size_t)snprintf(body, sizeof(body), "{\"leak\":%s}",
				     r.query[0] == '1' ? "true" : "false");
	} else {
		n = handle_request(&r, body, sizeof(body));
	}
	int len = snprintf(out, sizeof(out),
			   "HTTP/1.1 %s\r\nContent-Length: %zu\r\n"
			   "Content-Type: application/json\r\n\r\n%.*s",
			   n ? "200 OK" : "404 Not Found", n, (int)n, body);
	for (int at = 0; at < len;) {
		ssize_t w = write(fd, out + at, (size_t)(len - at));
		if (w <= 0)
			return;
		at += (int)w;
	}
}

static void serve(int fd)
{
	char head[MAX_HEAD];
	size_t n = 0;
	for (;;) {
		ssize_t got = read(fd, head + n, sizeof(head) - 1 - n);
		if (got <= 0)
			return;
		n += (size_t)got;
		head[n] = '\0';
		char *end = strstr(head, "\r\n\r\n");
		if (!end && n == sizeof(head) - 1)
			return;
		if (!end)
			continue;
		answer(fd, head);
		n -= (size_t)(end + 4 - head);
		memmove(head, end + 4, n);
	}
}

static void *work(void *arg)
{
	(void)arg;
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0) {
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			return NULL;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		serve(fd);
		close(fd);
	}
}

static int listen_on(int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 128)) {
		fprintf(stderr, "shop: can't listen on 127.0.0.1:%d: %s; pick another with --listen\n",
			port, strerror(errno));
		return -1;
	}
	return 0;
}

static const char usage[] =
	"usage: shop [--listen PORT] [--workers N] [--leak]\n"
	"A small web shop on 127.0.0.1, profiled by libeverprof from inside.\n"
	"  --listen PORT   8080\n"
	"  --workers N     threads that serve, 1 to 1000; 8\n"
	"  --leak          lose some memory with each request\n";

/* A number of [1, max], or 0. */
static int parse_number(const char *s, long max)
{
	char *end;
	long v = strtol(s, &end, 10);
	return end != s && !*end && v >= 1 && v <= max ? (int)v : 0;
}

/* Flags to options; -1: go on, else the exit code. */
static int parse_flags(int argc, char **argv, int *port, int *workers)
{
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			fputs(usage, stdout);
			return 0;
		}
		if (!strcmp(argv[i], "--leak")) {
			handlers_set_leak(1);
			continue;
		}
		bool known = true;
		if (!strcmp(argv[i], "--listen"))
			known = (*port = parse_number(value, 65535)) != 0;
		else if (!strcmp(argv[i], "--workers"))
			known = (*workers = parse_number(value, 1000)) != 0;
		else
			known = false;
		if (!known) {
			fprintf(stderr, "shop: can't use \"%s%s%s\"\n%s", argv[i],
				*value ? " " : "", value, usage);
			return 2;
		}
		i++;
	}
	return -1;
}

int main(int argc, char **argv)
{
	int port = 8080, workers = 8;
	int code = parse_flags(argc, argv, &port, &workers);
	if (code >= 0)
		return code;
	signal(SIGPIPE, SIG_IGN);

	everprof_start(NULL); /* configured by EVERPROF_NAME, EVERPROF_SERVER, … */

	catalog_fill(N_PRODUCTS);
	database_open(N_CONNECTIONS);
	if (listen_on(port) < 0)
		return 1;
	sigset_t stop;
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	for (int i = 0; i < workers; i++) {
		pthread_t t;
		if (pthread_create(&t, NULL, work, NULL))
			return 1;
	}
	printf("shop: http://127.0.0.1:%d\n", port);
	fflush(stdout);
	int sig;
	sigwait(&stop, &sig);
	everprof_stop();
	return 0;
}
