#include "inproc/labels.h"

#include "../test.h"
#include "everprof.h"

#include <pthread.h>
#include <stdatomic.h>
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

TEST(labels_a_full_set_takes_replacements_and_counts_what_it_refuses)
{
	char key[] = "key_a";
	const everprof_labels *s = NULL;
	for (int i = 0; i < EP_LABELS_MAX_PAIRS; i++, key[4]++)
		s = everprof_labels_derive(s, key, "1");
	assert_int_equal(s->n, EP_LABELS_MAX_PAIRS);
	uint64_t folded = ep_labels_n_folded();
	const everprof_labels *t = everprof_labels_derive(s, "key_c", "2");
	assert_int_equal(t->n, EP_LABELS_MAX_PAIRS);
	assert_string_equal(value(t, "key_c"), "2");
	assert_ptr_equal(everprof_labels_derive(t, "key_c", "1"), s);
	assert_int_equal(ep_labels_n_folded(), folded);
	assert_ptr_equal(everprof_labels_derive(s, "a_seventeenth", "3"), s);
	assert_int_equal(ep_labels_n_folded(), folded + 1);
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

/* ---- admission by weight: uses are counted here, time is a call ----------------- */

static uint64_t uses[EP_LABELS_ALL_SETS];

static uint64_t used(uint32_t set)
{
	return uses[set];
}

static void age(int n)
{
	while (n-- > 0)
		ep_labels_age(used);
}

/* Use the label n times; is it known by its name at the last one? */
static bool use(const char *key, const char *prefix, int i, int n)
{
	char v[32];
	const everprof_labels *s = NULL;
	snprintf(v, sizeof(v), "%s%d", prefix, i);
	for (int k = 0; k < n; k++) {
		s = everprof_labels_derive(NULL, key, v);
		uses[s->index]++;
	}
	return !strcmp(value(s, key), v);
}

static int n_known(const char *key, const char *prefix, int from, int to, int each)
{
	int known = 0;
	for (int i = from; i < to; i++)
		known += use(key, prefix, i, each);
	return known;
}

TEST(labels_a_flood_of_values_that_come_once_displaces_none_that_are_used)
{
	ep_labels_on_limit(tell);
	n_told = 0;
	for (int second = 0; second < 40; second++) {
		/* Some heavy, many light, and the flood. */
		assert_int_equal(n_known("one-offs", "heavy", 0, 10, 500), 10);
		assert_int_equal(n_known("one-offs", "light", 0, 40, 2), 40);
		int once = n_known("one-offs", "id", second * 3000, second * 3000 + 3000, 1);
		assert_int_equal(once, second ? 0 : 256 - 50);
		age(1);
	}
	assert_int_equal(n_told, 1);
}

TEST(labels_a_heavy_new_value_gets_in_through_a_flood)
{
	int second = 0, id = 0;
	assert_int_equal(n_known("late", "id", 0, 300, 1), 256); /* full of what came first */
	for (; second < 5 && n_known("late", "new", 0, 10, 200) < 10; second++) {
		for (int i = 0; i < 2000; i++)
			assert_false(use("late", "id", 1000 + id++, 1));
		age(1);
	}
	assert_in_range(second, 1, 3);
	assert_int_equal(n_known("late", "new", 0, 10, 1), 10);
}

/* All of the load moves to other values, and back; nobody says when. */
static int seconds_until_known(const char *prefix, int n)
{
	int second = 0;
	for (; second < 100 && n_known("load", prefix, 0, n, 50) < n; second++)
		age(1);
	return second;
}

TEST(labels_follow_a_load_that_moves_and_reuse_what_they_had)
{
	assert_int_equal(seconds_until_known("a", 256), 0);
	age(3);
	assert_in_range(seconds_until_known("b", 256), 16, 60);
	assert_int_equal(n_known("load", "b", 0, 256, 1), 256);
	assert_int_equal(n_known("load", "a", 0, 256, 1), 0);
	uint32_t n_sets = ep_labels_n_sets();
	assert_in_range(seconds_until_known("a", 256), 16, 60);
	assert_int_equal(ep_labels_n_sets(), n_sets);
}

TEST(labels_retired_sets_keep_what_they_say)
{
	const everprof_labels *held = everprof_labels_derive(NULL, "held", "0");
	(void)n_known("held", "x", 0, 300, 1);
	for (int second = 0; second < 10 && !use("held", "y", 0, 50); second++)
		age(1);
	for (int i = 0; i < 300; i++)
		(void)use("held", "z", i, 20);
	age(5);
	for (int i = 0; i < 300; i++)
		(void)use("held", "z", i, 20);
	assert_string_equal(value(held, "held"), "0");
}

static void *derive_while_ageing(void *stop)
{
	char v[16];
	for (int i = 0; !atomic_load((atomic_int *)stop); i++) {
		snprintf(v, sizeof(v), "%d", i % 400);
		const char *got = value(everprof_labels_derive(NULL, "raced", v), "raced");
		if (strcmp(got, v) != 0 && strcmp(got, "__other__") != 0)
			return stop;
	}
	return NULL;
}

TEST(labels_may_be_derived_while_places_change)
{
	pthread_t t[3];
	atomic_int stop = 0;
	void *bad;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&t[i], NULL, derive_while_ageing, &stop), 0);
	for (int i = 0; i < 30; i++) {
		(void)n_known("raced", "", 200 + i * 5, 205 + i * 5, 40);
		age(1);
	}
	atomic_store(&stop, 1);
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], &bad);
		assert_null(bad);
	}
}

/* The last two: the table of sets gets full. */
static void fill_sets(void)
{
	char a[16], b[16];
	for (int i = 0; i < 200; i++)
		for (int k = 0; k < 60; k++) {
			snprintf(a, sizeof(a), "%d", i);
			snprintf(b, sizeof(b), "%d", k);
			assert_non_null(everprof_labels_derive(NULL, "x", a, "y", b));
		}
}

TEST(labels_past_4096_sets_never_grow_and_never_fail)
{
	fill_sets();
	assert_string_equal(value(everprof_labels_derive(NULL, "x", "199", "y", "59"), "x"),
			    "__other__");
	assert_string_equal(value(everprof_labels_derive(NULL, "x", "0", "y", "0"), "y"), "0");
}

TEST(labels_a_heavy_new_combination_gets_in_when_all_places_are_taken)
{
	bool in = false;
	int second = 0;
	fill_sets();
	for (; second < 10 && !in; second++) {
		for (int i = 0; i < 300; i++) {
			const everprof_labels *s =
				everprof_labels_derive(NULL, "x", "0", "late", "new1");
			uses[s->index]++;
			in = !strcmp(value(s, "x"), "0") && !strcmp(value(s, "late"), "new1");
		}
		age(1);
	}
	assert_true(in);
	assert_in_range(second, 2, 5);
}
