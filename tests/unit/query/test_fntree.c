/* test_fntree.c - trees of functions that are kept answer as those made for one query. */
#include "query/fntree.h"

#include "../store/gen.h"
#include "base/clock.h"
#include "query/query.h"
#include "test.h"

#include <glob.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPU "process_cpu:cpu:nanoseconds:cpu:nanoseconds"

struct world {
	char *dir;
	struct ep_query_env plain, kept; /* the same store */
	uint64_t now_ns, random;
};

static struct world new_world(unsigned seal_every, size_t budget)
{
	struct world w = {.dir = gen_folder(), .now_ns = ep_clock_wall_ns()};
	gen_seal_every = seal_every;
	assert_int_equal(ep_store_open(w.dir, &w.plain.store, NULL), 0);
	w.kept = w.plain;
	assert_int_equal(ep_fntrees_new(budget, &w.kept.trees), 0);
	return w;
}

static void end_world(struct world *w)
{
	ep_store_close(w->plain.store);
	ep_fntrees_free(w->kept.trees);
	gen_remove(w->dir);
}

static void append(struct world *w, const char *service)
{
	struct gen g = {.seed = gen_random(&w->random), .n_stacks = 60, .n_functions = 90,
			.depth = 14, .n_sets = 5, .native = true};
	struct ep_profile *p = gen_profile(&g);
	gen_append(w->plain.store, p, service, NULL,
		   w->now_ns - gen_random(&w->random) % 7200 * EP_NS_PER_S);
	ep_profile_free(p);
}

static struct ep_query ask(const struct world *w, const char *selector)
{
	struct ep_query q = {.type = ep_slice_of(CPU), .selector = ep_slice_of(selector)};
	q.until_ms = (int64_t)(w->now_ns / EP_NS_PER_MS);
	q.from_ms = q.until_ms - 7200000;
	return q;
}

static struct ep_tree *tree(const struct ep_query_env *env, const struct ep_query *a,
			    const struct ep_query *b, const struct ep_tree_opts *o)
{
	struct ep_tree *t = NULL;
	struct ep_err err = {0};
	int rc = b ? ep_query_diff(env, a, b, o, &t, &err) : ep_query_tree(env, a, o, &t, &err);
	if (rc < 0)
		fail_msg("tree: %s", err.text);
	return t;
}

static void same_fn(const struct ep_fn *a, const struct ep_fn *b)
{
	assert_true(ep_slice_eq(a->name, b->name) && ep_slice_eq(a->file, b->file));
	assert_int_equal(a->kind, b->kind);
}

static void same_numbers(const int64_t *a, const int64_t *b, uint32_t n)
{
	assert_true(!a == !b);
	if (a)
		assert_memory_equal(a, b, n * sizeof(*a));
}

static void same_ledger(const struct ep_query_ledger *a, const struct ep_query_ledger *b)
{
	assert_int_equal(a->profiles, b->profiles);
	assert_int_equal(a->unsymbolised, b->unsymbolised);
	assert_int_equal(a->damaged, b->damaged);
}

static void same_tree(const struct ep_tree *a, const struct ep_tree *b)
{
	assert_int_equal(a->n_nodes, b->n_nodes);
	for (uint32_t i = 0; i < a->n_nodes; i++)
		same_fn(&a->fns[a->fn[i]], &b->fns[b->fn[i]]);
	assert_memory_equal(a->depth, b->depth, a->n_nodes * sizeof(*a->depth));
	same_numbers(a->self, b->self, a->n_nodes);
	same_numbers(a->total, b->total, a->n_nodes);
	same_numbers(a->self_b, b->self_b, a->n_nodes);
	same_numbers(a->total_b, b->total_b, a->n_nodes);
	same_numbers(a->more, b->more, a->n_nodes);
	same_ledger(&a->ledger, &b->ledger);
	same_ledger(&a->ledger_b, &b->ledger_b);
}

static void compare_trees(const struct ep_query_env *x, const struct ep_query_env *y,
			  const struct ep_query *a, const struct ep_query *b,
			  const struct ep_tree_opts *o)
{
	struct ep_tree *s = tree(x, a, b, o), *t = tree(y, a, b, o);
	same_tree(s, t);
	ep_tree_free(s);
	ep_tree_free(t);
}

static void compare_tops(const struct ep_query_env *x, const struct ep_query_env *y,
			 const struct ep_query *q)
{
	struct ep_top *s = NULL, *t = NULL;
	assert_int_equal(ep_query_top(x, q, &(struct ep_top_opts){0}, &s, NULL), 0);
	assert_int_equal(ep_query_top(y, q, &(struct ep_top_opts){0}, &t, NULL), 0);
	assert_int_equal(s->n_rows, t->n_rows);
	assert_int_equal(s->total, t->total);
	for (uint32_t i = 0; i < s->n_rows; i++) {
		same_fn(&s->rows[i].fn, &t->rows[i].fn);
		assert_int_equal(s->rows[i].self, t->rows[i].self);
		assert_int_equal(s->rows[i].total, t->rows[i].total);
	}
	ep_top_free(s);
	ep_top_free(t);
}

/* Whole, along a path, by a label, both sides, under all kinds of selectors. */
static void compare(const struct world *w, const struct ep_query_env *x, const struct ep_query_env *y)
{
	static const char *const selectors[] = {"{}", "{service_name=\"shop\"}",
						"{service_name=\"cart\",endpoint=~\".*/[12]\"}",
						"{endpoint=\"/api/3\"}", "{nobody=\"x\"}"};
	for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
		struct ep_query q = ask(w, selectors[i]), before = q;
		before.until_ms -= 3600000;
		compare_trees(x, y, &q, NULL, &(struct ep_tree_opts){0});
		compare_trees(x, y, &before, &q, &(struct ep_tree_opts){0});
		compare_trees(x, y, &q, NULL, &(struct ep_tree_opts){.by = ep_slice_of("endpoint")});
		compare_tops(x, y, &q);
	}
}

static void grow_and_compare(unsigned seal_every)
{
	struct world w = new_world(seal_every, 16 << 20);
	for (int i = 0; i < 24; i++) {
		append(&w, i % 3 ? "shop" : "cart");
		compare(&w, &w.plain, &w.kept);
	}
	assert_true(ep_fntrees_trim(w.kept.trees, UINT64_MAX) > 0);
	end_world(&w);
}

TEST(kept_trees_grow_with_a_head)
{
	grow_and_compare(0);
}

TEST(kept_trees_of_heads_and_segments_are_united)
{
	grow_and_compare(7);
}

TEST(how_a_tree_grew_does_not_show)
{
	struct world w = new_world(0, 16 << 20);
	struct ep_tree_opts cut = {.max_nodes = 60};
	for (int i = 0; i < 20; i++) {
		append(&w, "shop");
		struct ep_query q = ask(&w, "{}");
		struct ep_query_env fresh = w.plain;
		assert_int_equal(ep_fntrees_new(16 << 20, &fresh.trees), 0);
		compare_trees(&fresh, &w.kept, &q, NULL, &cut); /* ties, too */
		ep_fntrees_free(fresh.trees);
	}
	end_world(&w);
}

TEST(a_cut_has_the_heaviest_nodes)
{
	struct world w = new_world(0, 16 << 20);
	for (int i = 0; i < 8; i++)
		append(&w, "shop");
	struct ep_query q = ask(&w, "{}");
	struct ep_tree *all = tree(&w.plain, &q, NULL, &(struct ep_tree_opts){0});
	for (uint32_t n = 1; n < all->n_nodes + 3; n += 1 + n / 5) {
		struct ep_tree *t = tree(&w.kept, &q, NULL, &(struct ep_tree_opts){.max_nodes = n});
		uint32_t want = n < all->n_nodes ? n : all->n_nodes, heavier = 0;
		int64_t least = INT64_MAX;
		assert_int_equal(t->n_nodes, want);
		for (uint32_t i = 0; i < want; i++)
			least = t->total[i] < least ? t->total[i] : least;
		for (uint32_t i = 0; i < all->n_nodes; i++)
			heavier += all->total[i] > least;
		assert_true(heavier < want); /* the least of them is one of the heaviest */
		ep_tree_free(t);
	}
	ep_tree_free(all);
	end_world(&w);
}

TEST(kept_trees_stay_within_their_budget)
{
	struct world w = new_world(4, 40000);
	for (int i = 0; i < 16; i++) {
		append(&w, "shop");
		compare(&w, &w.plain, &w.kept);
		assert_true(ep_fntrees_trim(w.kept.trees, UINT64_MAX) <= 40000);
	}
	assert_int_equal(ep_fntrees_trim(w.kept.trees, 0), 0);
	compare(&w, &w.plain, &w.kept);
	end_world(&w);
}

/* --- damage --------------------------------------------------------------------------------- */

static void damage_heads(const struct world *w)
{
	char pattern[4096];
	glob_t found;
	snprintf(pattern, sizeof(pattern), "%s/heads/*.head", w->dir);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		sqlite3 *db = NULL;
		assert_int_equal(sqlite3_open(found.gl_pathv[i], &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, "UPDATE chunks SET data = x'00'||substr(data,2) "
						  "WHERE seq IN (2, 5)",
					      NULL, NULL, NULL),
				 SQLITE_OK);
		assert_int_equal(sqlite3_changes(db), 2);
		sqlite3_close(db);
	}
	globfree(&found);
}

TEST(kept_trees_have_damaged_records_as_damaged)
{
	struct world w = new_world(0, 16 << 20);
	for (int i = 0; i < 8; i++)
		append(&w, "shop");
	ep_store_close(w.plain.store);
	damage_heads(&w);
	assert_int_equal(ep_store_open(w.dir, &w.plain.store, NULL), 0);
	w.kept.store = w.plain.store;
	compare(&w, &w.plain, &w.kept);
	append(&w, "shop");
	compare(&w, &w.plain, &w.kept);
	struct ep_query q = ask(&w, "{}");
	struct ep_tree *t = tree(&w.kept, &q, NULL, &(struct ep_tree_opts){0});
	uint32_t lost = 0;
	for (uint32_t i = 0; i < t->n_fns; i++)
		lost += ep_slice_is(t->fns[i].name, "[damaged]");
	assert_int_equal(lost, 1);
	ep_tree_free(t);
	end_world(&w);
}

/* --- all at once ---------------------------------------------------------------------------- */

struct busy {
	struct world *w;
	atomic_bool stop;
};

static void *keep_asking(void *arg)
{
	struct busy *b = arg;
	struct ep_query q = ask(b->w, "{}"), shop = ask(b->w, "{service_name=\"shop\"}");
	uint64_t least = 0;
	while (!atomic_load(&b->stop)) {
		struct ep_tree *t = tree(&b->w->kept, &shop, NULL, &(struct ep_tree_opts){0});
		int64_t selfs = 0;
		for (uint32_t i = 0; i < t->n_nodes; i++)
			selfs += t->self[i];
		assert_int_equal(selfs, t->total[0]);
		assert_int_equal(selfs, (int64_t)t->ledger.samples * 10000000);
		assert_true(t->ledger.profiles >= least);
		least = t->ledger.profiles;
		ep_tree_free(t);
		ep_tree_free(tree(&b->w->kept, &shop, &q, &(struct ep_tree_opts){.max_nodes = 50}));
	}
	return NULL;
}

static void *keep_trimming(void *arg)
{
	struct busy *b = arg;
	while (!atomic_load(&b->stop)) {
		(void)ep_fntrees_trim(b->w->kept.trees, 0);
		sched_yield();
	}
	return NULL;
}

TEST(trees_grow_are_asked_and_dropped_side_by_side)
{
	struct world w = new_world(11, 200000);
	struct busy b = {.w = &w};
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, i ? keep_asking : keep_trimming, &b);
	for (int i = 0; i < 60; i++)
		append(&w, i % 2 ? "shop" : "cart");
	atomic_store(&b.stop, true);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	compare(&w, &w.plain, &w.kept);
	end_world(&w);
}
