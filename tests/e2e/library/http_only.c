/*
 * http_only.c - everprof_http_start() without a server or a file to tell.
 *
 *   http_only alone | before | after     everprof_start() is not called, before it, or after
 *
 * Prints which profiles there are, and the heap as text.
 */
#include <everprof.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const everprof_config config = {.types = "cpu,heap,mutex"};

static __attribute__((noinline)) void *keep(size_t n)
{
	void *p = malloc(n);
	__asm__ volatile("" : "+r"(p));
	return p;
}

int main(int argc, char **argv)
{
	const char *when = argc > 1 ? argv[1] : "";
	everprof_profile *all[32];
	int rc = 0;
	if (!strcmp(when, "before"))
		rc |= everprof_start(&config);
	rc |= everprof_http_start(&(everprof_http_config){.listen = "127.0.0.1:0"});
	if (!strcmp(when, "after"))
		rc |= everprof_start(&config);
	if (rc || !everprof_http_address())
		return 1;
	for (int i = 0; i < 64; i++)
		if (!keep(1 << 20))
			return 1;
	size_t n = everprof_profile_list(all, 32);
	for (size_t i = 0; i < n && i < 32; i++)
		printf("%s ", everprof_profile_name(all[i]));
	printf("\n");
	fflush(stdout);
	if (everprof_profile_write(everprof_profile_lookup("heap"), STDOUT_FILENO, 1) < 0)
		return 1;
	everprof_http_stop();
	return everprof_stop();
}
