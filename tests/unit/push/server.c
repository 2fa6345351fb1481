/* server.c - see server.h. */
#include "server.h"

#include "../test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void take(struct test_server *s, int fd)
{
	size_t n = 0, cap = 1 << 20, want = 0;
	char *buf = malloc(cap + 1);
	for (;;) {
		ssize_t k = recv(fd, buf + n, cap - n, 0);
		if (k <= 0)
			break;
		n += (size_t)k;
		buf[n] = '\0';
		char *end = strstr(buf, "\r\n\r\n"), *len = strstr(buf, "Content-Length: ");
		if (end && !want)
			want = (size_t)(end - buf) + 4 + (len ? strtoul(len + 16, NULL, 10) : 0);
		if (want && n >= want)
			break;
	}
	if (s->n_requests == MAX_REQUESTS) {
		free(buf);
		return;
	}
	size_t i = s->n_requests++;
	s->requests[i] = buf;
	s->request_bytes[i] = n;
	const char *a = s->answers[i < s->n_answers ? i : s->n_answers - 1];
	if (a)
		(void)!send(fd, a, strlen(a), MSG_NOSIGNAL);
}

static void *serve(void *arg)
{
	struct test_server *s = arg;
	for (;;) {
		int fd = accept(s->fd, NULL, NULL);
		if (fd < 0)
			return NULL;
		take(s, fd);
		close(fd);
	}
}

void test_server_start(struct test_server *s, const char *const *answers, size_t n)
{
	*s = (struct test_server){.answers = answers, .n_answers = n};
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (void *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s->fd, 16), 0);
	assert_int_equal(getsockname(s->fd, (void *)&a, &len), 0);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u", ntohs(a.sin_port));
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

void test_server_stop(struct test_server *s)
{
	shutdown(s->fd, SHUT_RDWR); /* wakes accept() */
	pthread_join(s->thread, NULL);
	close(s->fd);
}

void test_server_free(struct test_server *s)
{
	for (size_t i = 0; i < s->n_requests; i++)
		free(s->requests[i]);
}
