/*
 * server.c - a program with /debug/pprof: burns CPU on a thread, holds memory, connections.
 *
 * server [clamped | mounted]: prints "ADDRESS" (captures of a second at most, when clamped);
 * or, mounted, answers one request a line of standard
 * input ("PEER AUTHORIZATION METHOD PATH QUERY", '-' for nothing) through
 * everprof_http_handle().  Ends with standard input.
 */
#include <everprof.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile unsigned long sum;
static volatile int stop;

static __attribute__((noinline)) void burn(void)
{
	for (int i = 0; i < 1000000; i++)
		sum += (unsigned long)i;
}

static void *work(void *arg)
{
	while (!stop)
		EVERPROF_LABELS("part", "burning") burn();
	return arg;
}

static __attribute__((noinline)) void hold_memory(void)
{
	static void *volatile kept;
	kept = malloc(8 << 20); /* not all that is allocated stays */
	free(kept);
	kept = NULL;
	for (int i = 0; i < 20000; i++) {
		void **p = malloc(1000);
		*p = kept;
		kept = p;
	}
}

static __attribute__((noinline)) void open_connections(void)
{
	static char things[10];
	everprof_profile *p = everprof_profile_new("connections");
	for (int i = 0; i < 10; i++)
		everprof_profile_add(p, &things[i], 0);
}

/* ---- mounted ---------------------------------------------------------------------------- */

static int head(void *ctx, int status, const char *const *headers, size_t n_body)
{
	(void)ctx;
	printf("%d %zu", status, n_body);
	for (int i = 0; headers[i]; i += 2)
		if (!strcmp(headers[i], "WWW-Authenticate"))
			printf(" asks");
	printf("\n");
	return 0;
}

static int body(void *ctx, const void *p, size_t n)
{
	(void)ctx;
	(void)p;
	(void)n;
	return 0;
}

static char *or_null(char *s)
{
	return s[0] == '-' && !s[1] ? NULL : s;
}

static void mounted(void)
{
	char line[1024], peer[256], token[256], method[32], path[256], query[256], bearer[300];
	while (fgets(line, sizeof(line), stdin) &&
	       sscanf(line, "%255s %255s %31s %255s %255s", peer, token, method, path, query) == 5) {
		snprintf(bearer, sizeof(bearer), "Bearer %s", token);
		everprof_http_request rq = {.method = method,
					    .path = path,
					    .query = or_null(query),
					    .peer = or_null(peer),
					    .authorization = or_null(token) ? bearer : NULL};
		everprof_http_writer w = {.head = head, .write = body};
		if (everprof_http_handle(&rq, &w) < 0)
			printf("negative\n");
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	pthread_t t;
	int rc = everprof_start(NULL);
	if (rc == 0 && argc > 1 && !strcmp(argv[1], "clamped"))
		rc = everprof_http_start(&(everprof_http_config){.listen = "127.0.0.1:0",
								 .max_profile_seconds = 1});
	if (rc < 0 || pthread_create(&t, NULL, work, NULL))
		return 1;
	hold_memory();
	open_connections();
	if (argc > 1 && !strcmp(argv[1], "mounted")) {
		mounted();
	} else {
		const char *address = everprof_http_address();
		printf("%s\n", address ? address : "none");
		fflush(stdout);
		while (getchar() != EOF)
			;
	}
	stop = 1;
	pthread_join(t, NULL);
	return 0;
}
