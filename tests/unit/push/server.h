/*
 * server.h - a server on loopback that plays a script: one answer a connection.
 */
#ifndef EP_TEST_PUSH_SERVER_H
#define EP_TEST_PUSH_SERVER_H

#include <pthread.h>
#include <stddef.h>

enum { MAX_REQUESTS = 32 };

struct test_server {
	int fd;
	char url[64];
	const char *const *answers; /* whole answers; the last one repeats; NULL: hang up */
	size_t n_answers;
	pthread_t thread;
	char *requests[MAX_REQUESTS]; /* head and body as received */
	size_t request_bytes[MAX_REQUESTS];
	size_t n_requests;
};

void test_server_start(struct test_server *s, const char *const *answers, size_t n);
/* Ends the thread; requests stay readable until test_server_free(). */
void test_server_stop(struct test_server *s);
void test_server_free(struct test_server *s);

#endif
