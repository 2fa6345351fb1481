/* test_main.c - run, list, or pick tests.  See test.h. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TESTS = 2000 };

static struct CMUnitTest tests[MAX_TESTS];
static size_t n_tests;

void ep_test_register(const char *name, CMUnitTestFunction fn)
{
	if (n_tests == MAX_TESTS)
		abort();
	tests[n_tests++] = (struct CMUnitTest){.name = name, .test_func = fn};
}

const char *ep_test_data_path(const char *path_below_data)
{
	static char path[4096];
	snprintf(path, sizeof(path), "%s/%s", EP_TEST_DATA, path_below_data);
	return path;
}

void *ep_test_read_data(const char *path_below_data, size_t *ret_n)
{
	FILE *f = fopen(ep_test_data_path(path_below_data), "rb");
	if (!f)
		fail_msg("tests/data/%s is not there", path_below_data);
	fseek(f, 0, SEEK_END);
	long n = ftell(f);
	rewind(f);
	char *data = malloc((size_t)n + 1);
	if (!data || fread(data, 1, (size_t)n, f) != (size_t)n)
		fail_msg("tests/data/%s can't be read", path_below_data);
	fclose(f);
	data[n] = '\0';
	*ret_n = (size_t)n;
	return data;
}

static size_t pick(int argc, char **argv)
{
	size_t n = 0;
	for (size_t i = 0; i < n_tests; i++)
		for (int a = 1; a < argc; a++)
			if (!strcmp(tests[i].name, argv[a]))
				tests[n++] = tests[i];
	return n;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (size_t i = 0; i < n_tests; i++)
			puts(tests[i].name);
		return 0;
	}
	if (argc > 1)
		n_tests = pick(argc, argv);
	if (!n_tests)
		return 2;
	return _cmocka_run_group_tests("", tests, n_tests, NULL, NULL) ? 1 : 0;
}
