#include "fetch/fetch.h"

#include "../test.h"

#include <stdlib.h>

TEST(wholefile_reads_all_of_it_or_says_why)
{
	struct ep_buf out;
	struct ep_err err = {0};
	size_t n;
	char *data = ep_test_read_data("sigsafe.txt", &n);
	const char *path = ep_test_data_path("sigsafe.txt");
	ep_buf_init(&out, (size_t)1 << 32);
	assert_int_equal(ep_fetch_file(path, 0, &out, &err), 0);
	assert_int_equal(out.len, n);
	assert_memory_equal(out.data, data, n);
	ep_buf_clear(&out);
	assert_int_equal(ep_fetch_file(path, n, &out, &err), 0);
	ep_buf_clear(&out);
	assert_int_equal(ep_fetch_file(path, n - 1, &out, &err), -E2BIG);
	ep_buf_fini(&out);
	free(data);
}

TEST(wholefile_names_the_file_it_cannot_open)
{
	struct ep_buf out;
	struct ep_err err = {0};
	ep_buf_init(&out, 1 << 20);
	assert_int_equal(ep_fetch_file("/nonexistent/x", 0, &out, &err), -ENOENT);
	assert_string_equal(err.text, "open /nonexistent/x: no such file or directory");
	err = (struct ep_err){0};
	assert_int_equal(ep_fetch_file("/", 0, &out, &err), -EIO);
	assert_string_equal(err.text, "read /: is a directory");
	ep_buf_fini(&out);
}
