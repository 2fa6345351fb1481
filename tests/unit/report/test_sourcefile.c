#include "test.h"

#include "report/sourcefile.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void trims_to(const char *path, const char *trim, const char *search,
		     const char *want)
{
	struct ep_slice got = ep_sourcefile_trim(ep_slice_of(path), trim, search);
	if (!ep_slice_is(got, want))
		fail_msg("%s became %.*s, not %s", path, EP_SLICE_ARG(got), want);
}

TEST(prefixes_of_trim_path_are_taken_away)
{
	trims_to("/build/src/a.c", "/build", "", "src/a.c");
	trims_to("/build/src/a.c", "/x:/build/src/", "", "a.c");
	trims_to("/buildings/a.c", "/build", "", "/buildings/a.c");
	trims_to("/proc/self/cwd/./a.c", "/x", "", "a.c");
	trims_to("/proc/self/cwd/a.c", "", "", "a.c");
	trims_to("/build", "/build", "", "/build");
	trims_to("/a.c", "x:", "", "a.c"); /* an empty prefix is a slash */
}

TEST(without_trim_path_a_folder_of_the_same_name_is_taken_for_ours)
{
	trims_to("/remote/project/foo/bar.c", "", "/home/me/project", "foo/bar.c");
	trims_to("/remote/project/foo/bar.c", "", "/nothing:/home/me/project/",
		 "foo/bar.c");
	trims_to("/remote/project/project/a.c", "", "/me/project", "project/a.c");
	trims_to("/remote/project/foo/bar.c", "/x", "/home/me/project",
		 "/remote/project/foo/bar.c");
}

/* A folder with a/b/ and files in it. */
struct tree {
	char dir[64];
};

static void write_file(const struct tree *t, const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static struct tree tree_new(void)
{
	struct tree t = {"/tmp/test-sourcefile-XXXXXX"};
	char path[128];
	assert_non_null(mkdtemp(t.dir));
	snprintf(path, sizeof(path), "%s/a", t.dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/a/b", t.dir);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file(&t, "top.c", "one\ntwo\n");
	write_file(&t, "a/mid.c", "crlf\r\nlast without a newline");
	write_file(&t, "a/b/deep.c", "\n\n\r\r\nx\r");
	return t;
}

static void tree_free(const struct tree *t)
{
	static const char *const names[] = {"a/b/deep.c", "a/fifo", "a/mid.c",
					    "top.c",	  "a/b",    "a"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[128];
		snprintf(path, sizeof(path), "%s/%s", t->dir, names[i]);
		(void)remove(path); /* the FIFO is there in one test only */
	}
	assert_int_equal(rmdir(t->dir), 0);
}

static const struct ep_sourcefile *get(struct ep_sourcefile_reader *r, const char *path)
{
	const struct ep_sourcefile *f = NULL;
	assert_int_equal(ep_sourcefile_open(r, ep_slice_of(path), &f), 0);
	return f;
}

static void has_line(const struct ep_sourcefile *f, int64_t number, const char *want)
{
	struct ep_slice line = {0};
	assert_true(ep_sourcefile_line(f, number, &line));
	if (!ep_slice_is(line, want))
		fail_msg("line %d is '%.*s'", (int)number, EP_SLICE_ARG(line));
}

TEST(a_relative_name_is_found_below_a_folder_and_its_parents)
{
	struct tree t = tree_new();
	char path[256];
	snprintf(path, sizeof(path), "/nowhere:%s/a/b", t.dir);
	ep_auto(ep_sourcefile_reader) r = NULL;
	assert_int_equal(ep_sourcefile_reader_new(path, "/build", &r, NULL), 0);
	has_line(get(r, "deep.c"), 4, "x");
	has_line(get(r, "mid.c"), 1, "crlf");
	has_line(get(r, "b/deep.c"), 4, "x");
	has_line(get(r, "/build/top.c"), 2, "two");
	assert_ptr_equal(get(r, "top.c"), get(r, "top.c"));

	const struct ep_sourcefile *none = get(r, "none.c");
	char want[512];
	assert_false(none->found);
	snprintf(want, sizeof(want), "could not find file none.c on path %s", path);
	assert_string_equal(none->error, want);
	assert_string_equal(get(r, "/none.c")->error,
			    "open /none.c: no such file or directory");
	assert_string_equal(get(r, "/etc/passwd/x")->error,
			    "open /etc/passwd/x: not a directory");
	tree_free(&t);
}

TEST(lines_end_as_go_splits_them)
{
	struct tree t = tree_new();
	struct ep_slice line;
	ep_auto(ep_sourcefile_reader) r = NULL;
	assert_int_equal(ep_sourcefile_reader_new(t.dir, "", &r, NULL), 0);
	const struct ep_sourcefile *f = get(r, "top.c");
	assert_int_equal(f->n_lines, 2);
	assert_false(ep_sourcefile_line(f, 0, &line));
	assert_false(ep_sourcefile_line(f, -1, &line));
	assert_false(ep_sourcefile_line(f, 3, &line));
	f = get(r, "a/mid.c");
	assert_int_equal(f->n_lines, 2);
	has_line(f, 1, "crlf");
	has_line(f, 2, "last without a newline");
	f = get(r, "a/b/deep.c");
	assert_int_equal(f->n_lines, 4);
	has_line(f, 1, "");
	has_line(f, 3, "\r");
	has_line(f, 4, "x");
	tree_free(&t);
}

TEST(what_is_no_regular_file_has_no_lines_and_holds_nobody_up)
{
	struct tree t = tree_new();
	char path[128];
	snprintf(path, sizeof(path), "%s/a/fifo", t.dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	ep_auto(ep_sourcefile_reader) r = NULL;
	assert_int_equal(ep_sourcefile_reader_new(t.dir, "", &r, NULL), 0);
	static const char *const names[] = {"a/fifo", "a", ".", "/dev/zero"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_true(get(r, names[i])->found);
		assert_int_equal(get(r, names[i])->n_lines, 0);
	}
	tree_free(&t);
}

TEST(a_name_too_long_or_with_a_nul_is_only_not_found)
{
	ep_auto(ep_sourcefile_reader) r = NULL;
	assert_int_equal(ep_sourcefile_reader_new("/tmp", "", &r, NULL), 0);
	char name[PATH_MAX + 100];
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_false(get(r, name)->found);
	name[0] = '/';
	assert_false(get(r, name)->found);
	const struct ep_sourcefile *f;
	assert_int_equal(ep_sourcefile_open(r, (struct ep_slice){"/tmp\0x", 6}, &f), 0);
	assert_false(f->found);
	memset(name, '/', sizeof(name) - 1);
	assert_false(get(r, name)->found);
}
