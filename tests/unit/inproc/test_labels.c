#include "inproc/labels.h"

#include "../test.h"
#include "everprof.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const char *value(const everprof_labels *s, const char *key)
{
	for (uint32_t i = 0; s && i < s->n; i++)
		if (ep_slice_is(s->pairs[i].key, key))
			return s->pairs[i].value.p;
	return NULL;
}

TEST(labels_equal_sets_are_one_pointer_in_any_order)
{
	const everprof_labels *a = everprof_labels_derive(NULL, "k", "1", "l", "2");
	const everprof_labels *b = everprof_labels_derive(NULL, "l", "2", "k", "1");
	const everprof_labels *c =
		everprof_labels_derive(everprof_labels_derive(NULL, "l", "2"), "k", "1");
	assert_ptr_equal(a, b);
	assert_ptr_equal(a, c);
	assert_string_equal(value(a, "k"), "1");
	assert_string_equal(value(a, "l"), "2");
}

TEST(labels_derive_replaces_and_leaves_the_base_alone)
{
	const everprof_labels *a = everprof_labels_derive(NULL, "k", "1", "l", "2");
	const everprof_labels *b = everprof_labels_derive(a, "k", "3");
	assert_string_equal(value(a, "k"), "1");
	assert_string_equal(value(b, "k"), "3");
	assert_string_equal(value(b, "l"), "2");
	assert_int_equal(b->n, 2);
}

TEST(labels_leave_out_pairs_with_null)
{
	const char *none = NULL;
	assert_null(everprof_labels_derive(NULL, "k", none));
	assert_ptr_equal(everprof_labels_derive(NULL, "k", none, "l", "2"),
			 everprof_labels_derive(NULL, "l", "2"));
}

TEST(labels_cut_long_values_between_characters)
{
	char v[300];
	memset(v, 'a', sizeof(v));
	memcpy(v + 199, "\xc3\xa9", 2); /* the limit is within this é */
	v[299] = '\0';
	const everprof_labels *s = everprof_labels_derive(NULL, "long", v);
	assert_int_equal(strlen(value(s, "long")), 199);
}

TEST(labels_scope_restores_however_it_is_left)
{
	const everprof_labels *base = everprof_labels_derive(NULL, "base", "x");
	everprof_labels_attach(base);
	EVERPROF_LABELS("a", "1")
	{
		assert_string_equal(value(everprof_labels_current(), "base"), "x");
		EVERPROF_LABELS("b", "2")
		{
			assert_int_equal(everprof_labels_current()->n, 3);
			goto out;
		}
	}
out:
	assert_ptr_equal(everprof_labels_current(), base);
	for (int i = 0; i < 2; i++)
		EVERPROF_LABELS("a", "1")
			continue;
	EVERPROF_WITH(NULL)
		assert_null(everprof_labels_current());
	assert_ptr_equal(everprof_labels_attach(NULL), base);
}

static void *report_labels(void *ret)
{
	*(const everprof_labels **)ret = everprof_labels_current();
	return NULL;
}

TEST(labels_go_along_with_everprof_thread_create_only)
{
	pthread_t t;
	const everprof_labels *s = everprof_labels_derive(NULL, "job", "7"), *seen = NULL;
	everprof_labels_attach(s);
	assert_int_equal(everprof_thread_create(&t, NULL, report_labels, &seen), 0);
	pthread_join(t, NULL);
	assert_ptr_equal(seen, s);
	assert_int_equal(pthread_create(&t, NULL, report_labels, &seen), 0);
	pthread_join(t, NULL);
	assert_null(seen);
	everprof_labels_attach(NULL);
}

static char told[64];
static int n_told;

static void tell(const char *key)
{
	snprintf(told, sizeof(told), "%s", key);
	n_told++;
}

TEST(labels_past_256_values_become_other_and_are_told_once)
{
	char v[16];
	ep_labels_on_limit(tell);
	n_told = 0;
	uint64_t before = ep_labels_n_folded();
	const everprof_labels *last = NULL;
	for (int i = 0; i < 300; i++) {
		snprintf(v, sizeof(v), "v%d", i);
		last = everprof_labels_derive(NULL, "flood", v);
		assert_non_null(last);
	}
	assert_string_equal(value(last, "flood"), "__other__");
	assert_int_equal(ep_labels_n_folded() - before, 300 - 256);
	assert_int_equal(n_told, 1);
	assert_string_equal(told, "flood");
	assert_string_equal(value(everprof_labels_derive(NULL, "flood", "v9"), "flood"), "v9");
}

static void *derive_many(void *arg)
{
	char v[16];
	for (int i = 0; i < 20000; i++) {
		snprintf(v, sizeof(v), "%d", i % 97);
		const everprof_labels *s = everprof_labels_derive(NULL, "shared", v);
		if (s != everprof_labels_derive(NULL, "shared", v))
			*(int *)arg = 1;
	}
	return NULL;
}

TEST(labels_are_one_pointer_for_all_threads)
{
	pthread_t t[4];
	int bad = 0;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, derive_many, &bad), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(bad, 0);
}

/* The last one: it fills the table of sets. */
TEST(labels_past_4096_sets_never_grow_and_never_fail)
{
	char a[16], b[16];
	for (int i = 0; i < 200; i++)
		for (int k = 0; k < 60; k++) {
			snprintf(a, sizeof(a), "%d", i);
			snprintf(b, sizeof(b), "%d", k);
			assert_non_null(everprof_labels_derive(NULL, "x", a, "y", b));
		}
	assert_string_equal(value(everprof_labels_derive(NULL, "x", "199", "y", "59"), "x"),
			    "__other__");
	assert_string_equal(value(everprof_labels_derive(NULL, "x", "0", "y", "0"), "y"), "0");
}
