#include "test.h"

#include "profile/build.h"
#include "proof/shelf.h"

#include <stdio.h>
#include <string.h>

/* Samples of {weight, key, value, tid}; a NULL key: no label of its own. */
struct row {
	int64_t ns;
	const char *key, *value, *tid;
};

static struct ep_shelf_labels read_rows(const struct row *rows, size_t n)
{
	ep_auto(ep_build) b = NULL;
	ep_auto(ep_profile) p = NULL;
	struct ep_shelf_labels l;
	struct ep_err err = {0};
	assert_int_equal(ep_build_new(0, &b), 0);
	ep_build_sample_type(b, "cpu", "nanoseconds");
	for (size_t i = 0; i < n; i++) {
		struct ep_label labels[4] = {
			{.key = ep_build_cstr(b, "pid"), .str = ep_build_cstr(b, "42")},
			{.key = ep_build_cstr(b, "tid"), .str = ep_build_cstr(b, rows[i].tid)},
			{.key = ep_build_cstr(b, "comm"), .str = ep_build_cstr(b, "worker")},
		};
		if (rows[i].key)
			labels[3] = (struct ep_label){.key = ep_build_cstr(b, rows[i].key),
						      .str = ep_build_cstr(b, rows[i].value)};
		ep_build_sample(b, NULL, 0, labels, rows[i].key ? 4 : 3, &rows[i].ns);
	}
	assert_int_equal(ep_build_finish(b, &p, &err), 0);
	assert_int_equal(ep_shelf_read_labels(p, &l), 0);
	return l;
}

TEST(weights_with_and_without_labels_add_up)
{
	const struct row rows[] = {{30, "endpoint", "/a", "1"}, {20, NULL, NULL, "1"},
				   {50, "endpoint", "/b", "1"}};
	struct ep_shelf_labels l = read_rows(rows, 3);
	assert_int_equal(l.weight, 100);
	assert_int_equal(l.labelled, 80);
	assert_string_equal(l.names, "endpoint (2 values)");
	assert_int_equal(l.n_pids, 1);
	assert_int_equal(l.pids[0], 42);
}

TEST(a_busy_thread_without_labels_is_named_and_an_idle_one_is_not)
{
	const struct row rows[] = {{50, "endpoint", "/a", "1"}, {30, NULL, NULL, "2"},
				   {1, NULL, NULL, "3"},	  {19, "endpoint", "/a", "4"},
				   {10, NULL, NULL, "4"}};
	struct ep_shelf_labels l = read_rows(rows, 5);
	assert_int_equal(l.n_threads, 3);
	assert_int_equal(l.n_without, 1);
	assert_int_equal(l.without_weight, 30);
	assert_string_equal(l.without, "worker");
}

TEST(the_key_with_values_left_out_is_the_widest)
{
	const struct row rows[] = {{1, "many", "a", "1"}, {1, "many", "b", "1"}, {1, "many", "c", "1"},
				   {1, "few", "a", "1"}, {7, "few", "__other__", "1"}};
	struct ep_shelf_labels l = read_rows(rows, 5);
	assert_string_equal(l.widest, "few");
	assert_int_equal(l.other, 7);
	assert_int_equal(l.n_values, 2);
	l = read_rows(rows, 4);
	assert_string_equal(l.widest, "many");
	assert_int_equal(l.n_values, 3);
	assert_int_equal(l.other, 0);
}

TEST(nothing_is_nothing)
{
	struct ep_shelf_labels l = read_rows(NULL, 0);
	assert_int_equal(l.weight, 0);
	assert_string_equal(l.names, "");
	assert_int_equal(l.n_threads, 0);
}
