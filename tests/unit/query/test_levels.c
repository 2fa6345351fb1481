/* test_levels.c - trees as rows of bars, on the spec's example. */
#include "base/clock.h"
#include "../store/gen.h"
#include "query/levels.h"
#include "query/query.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define CPU "process_cpu:samples:count:cpu:nanoseconds"

/* "[0,6,0,0] [0,6,1,1]" */
static void check_levels(const struct ep_levels *l, const char *want)
{
	char text[2048] = "";
	size_t n = 0;
	for (uint32_t i = 0; i < l->n_levels; i++) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s[", i ? " " : "");
		for (uint32_t k = 0; k < l->levels[i].n; k++)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%lld", k ? "," : "",
					      (long long)l->levels[i].values[k]);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "]");
	}
	assert_string_equal(text, want);
}

static struct ep_levels *levels_of(const struct ep_tree *t)
{
	struct ep_levels *l = NULL;
	assert_int_equal(ep_levels_new(t, &l), 0);
	return l;
}

static struct ep_tree *tree_of(struct ep_store *s, const char *a, const char *b, uint32_t max_nodes)
{
	struct ep_query_env env = {s, NULL};
	struct ep_query qa = {.type = ep_slice_of(CPU), .selector = ep_slice_of(a),
			      .until_ms = (int64_t)(ep_clock_wall_ns() / EP_NS_PER_MS)};
	struct ep_query qb = qa;
	struct ep_tree_opts o = {.max_nodes = max_nodes};
	struct ep_tree *t = NULL;
	struct ep_err err = {0};
	qb.selector = ep_slice_of(b ? b : "");
	int rc = b ? ep_query_diff(&env, &qa, &qb, &o, &t, &err) : ep_query_tree(&env, &qa, &o, &t, &err);
	if (rc < 0)
		fail_msg("tree: %s", err.text);
	return t;
}

static struct ep_store *store_of(const char *dir, const char *x, const char *y)
{
	struct ep_store *s = NULL;
	uint64_t now = ep_clock_wall_ns();
	assert_int_equal(ep_store_open(dir, &s, NULL), 0);
	struct ep_profile *p = gen_folded(x);
	gen_append(s, p, "x", NULL, now - EP_NS_PER_S);
	ep_profile_free(p);
	if (y) {
		p = gen_folded(y);
		gen_append(s, p, "y", NULL, now - EP_NS_PER_S);
		ep_profile_free(p);
	}
	return s;
}

TEST(levels_are_those_of_the_specification)
{
	char *dir = gen_folder();
	struct ep_store *s = store_of(dir, "a;b 2\na;c 3\na 1", NULL);
	struct ep_tree *t = tree_of(s, "{}", NULL, 0);
	struct ep_levels *l = levels_of(t);
	check_levels(l, "[0,6,0,0] [0,6,1,1] [1,2,2,2,0,3,3,3]");
	assert_int_equal(l->n_names, 4);
	assert_true(ep_slice_is(l->names[0], "total"));
	assert_true(ep_slice_is(l->names[3], "c"));
	assert_int_equal(l->total, 6);
	assert_int_equal(l->max_self, 3);
	ep_levels_free(l);
	ep_tree_free(t);
	ep_store_close(s);
	gen_remove(dir);
}

TEST(levels_show_what_was_cut_as_other_last)
{
	char *dir = gen_folder();
	struct ep_store *s = store_of(dir, "a;b 2\na;c 5\na;d 1\ne 1", NULL);
	struct ep_tree *t = tree_of(s, "{}", NULL, 3); /* total, a, c */
	struct ep_levels *l = levels_of(t);
	/* names: total, a, c, other */
	check_levels(l, "[0,9,0,0] [0,8,0,1,0,1,1,3] [0,5,5,2,0,3,3,3]");
	ep_levels_free(l);
	ep_tree_free(t);
	ep_store_close(s);
	gen_remove(dir);
}

TEST(levels_of_a_diff_have_both_sides)
{
	char *dir = gen_folder();
	struct ep_store *s = store_of(dir, "a;b 2\na;c 3", "a;c 4\nd 1");
	struct ep_tree *t = tree_of(s, "{service_name=\"x\"}", "{service_name=\"y\"}", 0);
	struct ep_levels *l = levels_of(t);
	/* names: total, a, b, c, d */
	check_levels(l, "[0,5,0,0,5,0,0] [0,5,0,0,4,0,1,0,0,0,0,1,1,4] "
			"[0,2,2,0,0,0,2,0,3,3,0,4,4,3]");
	assert_int_equal(l->left_ticks, 5);
	assert_int_equal(l->right_ticks, 5);
	assert_int_equal(l->total, 10);
	ep_levels_free(l);
	ep_tree_free(t);
	ep_store_close(s);
	gen_remove(dir);
}

TEST(levels_of_nothing_are_none)
{
	char *dir = gen_folder();
	struct ep_store *s = store_of(dir, "a 1", NULL);
	struct ep_tree *t = tree_of(s, "{service_name=\"nobody\"}", NULL, 0);
	struct ep_levels *l = levels_of(t);
	assert_int_equal(t->n_nodes, 1);
	assert_int_equal(l->n_levels, 0);
	assert_int_equal(l->n_names, 0);
	ep_levels_free(l);
	ep_tree_free(t);
	ep_store_close(s);
	gen_remove(dir);
}
