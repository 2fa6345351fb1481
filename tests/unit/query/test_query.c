/*
 * test_query.c - answers against brute force over the same profiles, and the
 * rules of each question.
 */
#include "query/query.h"

#include "../store/gen.h"
#include "base/clock.h"
#include "profile/decode.h"
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPU "process_cpu:cpu:nanoseconds:cpu:nanoseconds"

struct world {
	char *dir;
	struct ep_store *s;
	struct ep_query_env env;
	uint64_t now_ns;
};

static struct world new_world(void)
{
	struct world w = {.dir = gen_folder()};
	gen_seal_every = 3;
	assert_int_equal(ep_store_open(w.dir, &w.s, NULL), 0);
	w.env.store = w.s;
	/* A whole second, so that milliseconds are easy. */
	w.now_ns = ep_clock_wall_ns() / EP_NS_PER_S * EP_NS_PER_S;
	return w;
}

static void end_world(struct world *w)
{
	ep_store_close(w->s);
	gen_remove(w->dir);
}

static struct ep_query ask(const struct world *w, const char *selector)
{
	return (struct ep_query){.type = ep_slice_of(CPU),
				 .selector = ep_slice_of(selector),
				 .from_ms = (int64_t)(w->now_ns / EP_NS_PER_MS) - 3600000,
				 .until_ms = (int64_t)(w->now_ns / EP_NS_PER_MS)};
}

static void put(struct world *w, const char *folded, const char *service, const char *labels,
		uint64_t ago_s)
{
	struct ep_profile *p = gen_folded(folded);
	gen_append(w->s, p, service, labels, w->now_ns - ago_s * EP_NS_PER_S);
	ep_profile_free(p);
}

static struct ep_tree *tree(const struct world *w, const struct ep_query *q,
			    const struct ep_tree_opts *o)
{
	struct ep_tree *t = NULL;
	struct ep_err err = {0};
	if (ep_query_tree(&w->env, q, o, &t, &err) < 0)
		fail_msg("tree: %s", err.text);
	return t;
}

/* "total 60/0; a 60/10;…": name total/self by depth, in units of 10 ms. */
static void check_tree(const struct ep_tree *t, const char *want)
{
	char text[4096] = "";
	size_t n = 0;
	for (uint32_t i = 0; i < t->n_nodes; i++) {
		struct ep_slice name = t->fns[t->fn[i]].name;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s%.*s %lld/%lld", i ? "; " : "",
				      (int)t->depth[i], "........", EP_SLICE_ARG(name),
				      (long long)t->total[i] / 10000000, (long long)t->self[i] / 10000000);
		if (t->total_b)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "|%lld/%lld",
					      (long long)t->total_b[i] / 10000000,
					      (long long)t->self_b[i] / 10000000);
		if (t->more[i])
			n += (size_t)snprintf(text + n, sizeof(text) - n, "+%lld",
					      (long long)t->more[i] / 10000000);
	}
	assert_string_equal(text, want);
}

static void check(const struct world *w, const char *selector, const char *want)
{
	struct ep_query q = ask(w, selector);
	struct ep_tree *t = tree(w, &q, &(struct ep_tree_opts){0});
	check_tree(t, want);
	ep_tree_free(t);
}

TEST(tree_sums_profiles_under_a_selector_of_series_and_sample_labels)
{
	struct world w = new_world();
	put(&w, "main;work 3 tenant=a\nmain;idle 1 tenant=b", "shop", "host=h1", 60);
	put(&w, "main;work 2 tenant=b\nmain;other 4", "shop", "host=h2", 50);
	put(&w, "boot 7", "cart", "host=h1", 40);
	check(&w, "{service_name=\"shop\"}",
	      "total 10/0; .main 10/0; ..idle 1/1; ..other 4/4; ..work 5/5");
	check(&w, "{tenant=\"b\"}", "total 3/0; .main 3/0; ..idle 1/1; ..work 2/2");
	check(&w, "{host=\"h1\",tenant=\"a\"}", "total 3/0; .main 3/0; ..work 3/3");
	check(&w, "{service_name=\"shop\",tenant=\"\"}", "total 4/0; .main 4/0; ..other 4/4");
	check(&w, "{tenant!=\"a\",service_name=~\"sh.*\"}",
	      "total 7/0; .main 7/0; ..idle 1/1; ..other 4/4; ..work 2/2");
	check(&w, "{tenant!~\"a|b\"}", "total 11/0; .boot 7/7; .main 4/0; ..other 4/4");
	check(&w, "{__name__=\"process_cpu\",tenant=~\".+\"}",
	      "total 6/0; .main 6/0; ..idle 1/1; ..work 5/5");
	check(&w, "{nobody=\"x\"}", "total 0/0");
	end_world(&w);
}

TEST(tree_takes_profiles_that_start_within_the_range_ends_included)
{
	struct world w = new_world();
	put(&w, "a 1", "shop", NULL, 100);
	put(&w, "b 2", "shop", NULL, 90);
	put(&w, "c 4", "shop", NULL, 80);
	struct ep_query q = ask(&w, "{}");
	int64_t now = q.until_ms;
	q.from_ms = now - 90000;
	q.until_ms = now - 80000;
	struct ep_tree *t = tree(&w, &q, &(struct ep_tree_opts){0});
	check_tree(t, "total 6/0; .b 2/2; .c 4/4");
	assert_int_equal(t->ledger.profiles, 2);
	assert_int_equal(t->ledger.samples, 6);
	assert_int_equal(t->ledger.span_ms, 10000);
	assert_int_equal(t->ledger.covered_ms, 10000); /* the second lasts beyond the range */
	ep_tree_free(t);
	end_world(&w);
}

TEST(tree_cuts_the_light_and_refines_along_a_path)
{
	struct world w = new_world();
	put(&w, "a;b;c 5\na;b;d 1\na;b 1\na;e 2\nf 1\nf;g 1", "shop", NULL, 60);
	struct ep_query q = ask(&w, "{}");
	struct ep_tree *t = tree(&w, &q, &(struct ep_tree_opts){.max_nodes = 4});
	check_tree(t, "total 11/0+2; .a 9/0+2; ..b 7/1+1; ...c 5/5");
	ep_tree_free(t);
	struct ep_slice path[] = {ep_slice_of("a"), ep_slice_of("b")};
	t = tree(&w, &q, &(struct ep_tree_opts){.path = path, .n_path = 2});
	check_tree(t, "total 11/0+2; .a 9/0+2; ..b 7/1; ...c 5/5; ...d 1/1");
	ep_tree_free(t);
	path[1] = ep_slice_of("nothing");
	t = tree(&w, &q, &(struct ep_tree_opts){.path = path, .n_path = 2});
	check_tree(t, "total 11/0+2; .a 9/0+9");
	ep_tree_free(t);
	end_world(&w);
}

TEST(diff_unites_both_sides)
{
	struct world w = new_world();
	put(&w, "a;b 2\na;c 3", "x", NULL, 60);
	put(&w, "a;c 4\nd 1", "y", NULL, 60);
	struct ep_query a = ask(&w, "{service_name=\"x\"}"), b = ask(&w, "{service_name=\"y\"}");
	struct ep_tree *t = NULL;
	assert_int_equal(ep_query_diff(&w.env, &a, &b, &(struct ep_tree_opts){0}, &t, NULL), 0);
	check_tree(t, "total 5/0|5/0; .a 5/0|4/0; ..b 2/2|0/0; ..c 3/3|4/4; .d 0/0|1/1");
	assert_int_equal(t->total_a_sum, 50000000);
	assert_int_equal(t->total_b_sum, 50000000);
	ep_tree_free(t);
	end_world(&w);
}

TEST(top_counts_recursion_once)
{
	struct world w = new_world();
	put(&w, "a;b;a;b 3\na;c 2\nb 1", "shop", NULL, 60);
	struct ep_query q = ask(&w, "{}");
	struct ep_top *t = NULL;
	assert_int_equal(ep_query_top(&w.env, &q, &(struct ep_top_opts){0}, &t, NULL), 0);
	assert_int_equal(t->n_rows, 3);
	const struct {
		const char *name;
		int64_t self, total;
	} want[] = {{"b", 4, 4}, {"c", 2, 2}, {"a", 0, 5}};
	for (int i = 0; i < 3; i++) {
		assert_true(ep_slice_is(t->rows[i].fn.name, want[i].name));
		assert_int_equal(t->rows[i].self, want[i].self * 10000000);
		assert_int_equal(t->rows[i].total, want[i].total * 10000000);
	}
	assert_int_equal(t->total, 60000000);
	ep_top_free(t);
	struct ep_top_opts o = {.limit = 1, .search = ep_slice_of("B")};
	assert_int_equal(ep_query_top(&w.env, &q, &o, &t, NULL), 0);
	assert_int_equal(t->n_rows, 1);
	assert_int_equal(t->n_all, 1);
	assert_true(ep_slice_is(t->rows[0].fn.name, "b"));
	ep_top_free(t);
	end_world(&w);
}

TEST(series_points_cover_the_step_before_them)
{
	struct world w = new_world();
	put(&w, "a 1 t=x\na 2 t=y", "shop", "host=h1", 100);
	put(&w, "a 4 t=x", "shop", "host=h2", 95);
	put(&w, "a 8 t=y", "shop", "host=h1", 90);
	struct ep_query q = ask(&w, "{}");
	int64_t now = q.until_ms;
	q.from_ms = now - 100000;
	struct ep_series *s = NULL;
	struct ep_series_opts o = {.step_ms = 10000};
	assert_int_equal(ep_query_series(&w.env, &q, &o, &s, NULL), 0);
	assert_int_equal(s->n_rows, 1);
	assert_int_equal(s->rows[0].n_points, 2);
	assert_int_equal(s->rows[0].points[0].t_ms, now - 100000);
	assert_int_equal(s->rows[0].points[0].value, 30000000);
	assert_int_equal(s->rows[0].points[1].t_ms, now - 90000);
	assert_int_equal(s->rows[0].points[1].value, 120000000);
	assert_int_equal(s->rows[0].points[1].n, 2);
	ep_series_free(s);
	struct ep_slice by[] = {ep_slice_of("t"), ep_slice_of("host")};
	o = (struct ep_series_opts){.step_ms = 10000, .by = by, .n_by = 1};
	assert_int_equal(ep_query_series(&w.env, &q, &o, &s, NULL), 0);
	assert_int_equal(s->n_rows, 2);
	assert_true(ep_slice_is(s->rows[0].labels[0].value, "y"));
	assert_int_equal(s->rows[0].total, 100000000);
	assert_int_equal(s->rows[1].total, 50000000);
	ep_series_free(s);
	o = (struct ep_series_opts){.step_ms = 10000, .by = by + 1, .n_by = 1, .limit = 1};
	assert_int_equal(ep_query_series(&w.env, &q, &o, &s, NULL), 0);
	assert_int_equal(s->n_all, 2);
	assert_int_equal(s->n_rows, 1);
	assert_true(ep_slice_is(s->rows[0].labels[0].value, "h1"));
	assert_int_equal(s->rows[0].total, 110000000);
	ep_series_free(s);
	end_world(&w);
}

TEST(a_tree_by_a_label_has_its_values_first)
{
	struct world w = new_world();
	put(&w, "main;work 3 t=x\nmain;idle 1 t=y\nmain 7", "shop", "host=h1", 60);
	put(&w, "main;work 2 t=y", "cart", "host=h1", 50);
	struct ep_query q = ask(&w, "{}");
	struct ep_tree *t = tree(&w, &q, &(struct ep_tree_opts){.by = ep_slice_of("t")});
	check_tree(t, "total 13/0; . 7/0; ..main 7/7; .x 3/0; ..main 3/0; ...work 3/3; "
		      ".y 3/0; ..main 3/0; ...idle 1/1; ...work 2/2");
	assert_int_equal(t->fns[t->fn[1]].kind, EP_KIND_LABEL);
	assert_true(ep_slice_is(t->fns[t->fn[1]].file, "t"));
	ep_tree_free(t);
	struct ep_slice path[] = {ep_slice_of("y"), ep_slice_of("main")};
	struct ep_tree_opts o = {.by = ep_slice_of("t"), .path = path, .n_path = 2};
	t = tree(&w, &q, &o);
	check_tree(t, "total 13/0+10; .y 3/0; ..main 3/0; ...idle 1/1; ...work 2/2");
	ep_tree_free(t);
	o = (struct ep_tree_opts){.by = ep_slice_of("service_name")};
	t = tree(&w, &q, &o);
	check_tree(t, "total 13/0; .cart 2/0; ..main 2/0; ...work 2/2; "
		      ".shop 11/0; ..main 11/7; ...idle 1/1; ...work 3/3");
	ep_tree_free(t);
	end_world(&w);
}

TEST(a_tree_by_a_label_of_many_values_keeps_the_heaviest_apart)
{
	struct world w = new_world();
	char text[4096];
	size_t n = 0;
	for (int i = 1; i <= 60; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "f %d t=v%d\n", i, i);
	put(&w, text, "shop", NULL, 60);
	struct ep_query q = ask(&w, "{}");
	struct ep_tree *t = tree(&w, &q, &(struct ep_tree_opts){.by = ep_slice_of("t")});
	assert_int_equal(t->n_nodes, 1 + 2 * 51);
	assert_true(ep_slice_is(t->fns[t->fn[1]].name, "other values"));
	assert_int_equal(t->fns[t->fn[1]].file.n, 0);
	assert_int_equal(t->total[1], 10 * 11 / 2 * 10000000LL);
	assert_int_equal(t->total[0], 60 * 61 / 2 * 10000000LL);
	ep_tree_free(t);
	end_world(&w);
}

TEST(a_spread_series_counts_a_profile_over_its_time)
{
	struct world w = new_world();
	put(&w, "a 10", "shop", NULL, 98); /* lasts 10 s */
	put(&w, "a 1", "shop", NULL, 2);
	struct ep_query q = ask(&w, "{}");
	int64_t now = q.until_ms;
	q.from_ms = now - 100000;
	struct ep_series *s = NULL;
	struct ep_series_opts o = {.step_ms = 5000, .spread = true};
	assert_int_equal(ep_query_series(&w.env, &q, &o, &s, NULL), 0);
	static const int64_t want[][2] = {{95, 3}, {90, 5}, {85, 2}};
	assert_int_equal(s->rows[0].n_points, 4);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(s->rows[0].points[i].t_ms, now - want[i][0] * 1000);
		assert_int_equal(s->rows[0].points[i].value, want[i][1] * 10000000);
	}
	assert_int_equal(s->rows[0].points[3].t_ms, now);
	assert_int_equal(s->rows[0].points[3].value, 2000000); /* what lies within the range */
	ep_series_free(s);
	end_world(&w);
}

TEST(lists_say_what_there_is)
{
	struct world w = new_world();
	put(&w, "a 1 t=x\na 2 t=y", "shop", "host=h1", 100);
	put(&w, "a 4 t=x", "shop", "host=h2", 95);
	put(&w, "a 8", "cart", "host=h1", 90);
	struct ep_query q = ask(&w, "");
	q.type = (struct ep_slice){0};
	struct ep_services *s = NULL;
	assert_int_equal(ep_query_services(&w.env, &q, &s, NULL), 0);
	assert_int_equal(s->n, 2);
	assert_true(ep_slice_is(s->v[0].name, "cart"));
	assert_int_equal(s->v[1].n_types, 2);
	assert_true(ep_slice_is(s->v[1].types[0].id, CPU));
	assert_int_equal(s->v[1].types[0].total, 70000000);
	assert_int_equal(s->v[1].profiles, 2);
	assert_int_equal(s->v[1].last_ms, q.until_ms - 95000);
	assert_int_equal(s->v[1].first_ms, q.until_ms - 100000);
	ep_services_free(s);

	struct ep_types *t = NULL;
	assert_int_equal(ep_query_types(&w.env, &q, &t, NULL), 0);
	assert_int_equal(t->n, 2);
	assert_true(ep_slice_is(t->v[0].sample_unit, "nanoseconds"));
	ep_types_free(t);

	struct ep_labels *l = NULL;
	assert_int_equal(ep_query_labels(&w.env, &q, &l, NULL), 0);
	bool seen = false;
	for (uint32_t i = 0; i < l->n; i++) {
		if (ep_slice_is(l->v[i].name, "t")) {
			seen = true;
			assert_int_equal(l->v[i].n_values, 2);
			assert_true(l->v[i].is_sample);
		}
		if (ep_slice_is(l->v[i].name, "host"))
			assert_false(l->v[i].is_sample);
	}
	assert_true(seen);
	ep_labels_free(l);

	q = ask(&w, "{service_name=\"shop\"}");
	struct ep_values *v = NULL;
	struct ep_values_opts o = {.name = ep_slice_of("t")};
	assert_int_equal(ep_query_values(&w.env, &q, &o, &v, NULL), 0);
	assert_int_equal(v->n, 2);
	assert_true(ep_slice_is(v->v[0].value, "x"));
	assert_int_equal(v->v[0].total, 50000000);
	ep_values_free(v);
	o = (struct ep_values_opts){.name = ep_slice_of("host"), .prefix = ep_slice_of("h"), .limit = 1};
	assert_int_equal(ep_query_values(&w.env, &q, &o, &v, NULL), 0);
	assert_int_equal(v->n, 1);
	assert_true(v->more);
	assert_true(ep_slice_is(v->v[0].value, "h2"));
	ep_values_free(v);

	struct ep_labelsets *ls = NULL;
	struct ep_slice names[] = {ep_slice_of("service_name"), ep_slice_of("host")};
	q.type = q.selector = (struct ep_slice){0};
	assert_int_equal(ep_query_labelsets(&w.env, &q, names, 2, &ls, NULL), 0);
	assert_int_equal(ls->n, 3);
	assert_true(ep_slice_is(ls->v[0].v[0].key, "host"));
	assert_true(ep_slice_is(ls->v[0].v[1].value, "cart"));
	ep_labelsets_free(ls);
	end_world(&w);
}

TEST(a_process_that_pushes_itself_counts_once)
{
	struct world w = new_world();
	put(&w, "main;work 10 pid=7", "shop", "profiler=library,host=h", 60);
	put(&w, "main;work 9 pid=7\nmain;work 4 pid=8", "shop", "profiler=agent,host=h", 58);
	put(&w, "main;late 5 pid=7", "shop", "profiler=agent,host=h", 30); /* nobody pushed then */
	put(&w, "main 3 pid=7", "shop", "profiler=agent,host=elsewhere", 58);
	put(&w, "main 2 pid=7", "cart", "profiler=agent,host=h", 58);
	check(&w, "{service_name=\"shop\"}",
	      "total 22/0; .main 22/3; ..late 5/5; ..work 14/14");
	check(&w, "{profiler=\"agent\",service_name=\"shop\",host=\"h\"}",
	      "total 18/0; .main 18/0; ..late 5/5; ..work 13/13");
	struct ep_query q = ask(&w, "{service_name=\"shop\"}");
	struct ep_tree *t = tree(&w, &q, &(struct ep_tree_opts){0});
	assert_int_equal(t->ledger.copies, 90000000);
	ep_tree_free(t);
	q.include_copies = true;
	t = tree(&w, &q, &(struct ep_tree_opts){0});
	assert_int_equal(t->total_a_sum, 310000000);
	assert_int_equal(t->ledger.copies, 0);
	ep_tree_free(t);
	end_world(&w);
}

TEST(a_client_without_pid_stands_for_its_service)
{
	struct world w = new_world();
	put(&w, "go 10", "shop", "profiler=pyroscope-go", 60);
	put(&w, "native 9 pid=7\nnative 4 pid=8", "shop", "profiler=agent,host=h", 58);
	put(&w, "native 5 pid=7", "shop", "profiler=agent,host=h", 30);
	check(&w, "{}", "total 15/0; .go 10/10; .native 5/5");
	end_world(&w);
}

/* --- brute force --------------------------------------------------------------------------- */

static int64_t brute_total(struct ep_profile *const *v, uint32_t n, const char *function, bool leaf)
{
	int64_t sum = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct ep_profile *p = v[i];
		for (uint32_t s = 0; s < p->n_samples; s++) {
			const uint32_t *st = ep_profile_stack(p, &p->samples[s]);
			bool has = false;
			for (uint32_t k = 0; k < (leaf ? 1 : p->samples[s].n_locations); k++) {
				const struct ep_location *l = &p->locations[st[k]];
				for (uint32_t j = 0; j < (leaf ? l->n_lines > 0 : l->n_lines); j++) {
					uint32_t f = p->lines[l->first_line + j].function;
					has |= ep_slice_is(ep_profile_str(p, p->functions[f].name), function);
				}
			}
			sum += has ? ep_profile_values(p, s)[1] : 0;
		}
	}
	return sum;
}

TEST(top_equals_brute_force_on_random_profiles)
{
	enum { N = 25 };
	struct world w = new_world();
	struct ep_profile *v[N];
	for (uint32_t i = 0; i < N; i++) {
		struct gen g = {.seed = i * 77 + 1, .n_stacks = 200, .n_functions = 60, .depth = 20,
				.n_sets = 7, .native = i % 2};
		v[i] = gen_profile(&g);
		gen_append(w.s, v[i], i % 3 ? "shop" : "cart", NULL, w.now_ns - (i + 1) * EP_NS_PER_S);
	}
	struct ep_query q = ask(&w, "{}");
	struct ep_top *t = NULL;
	assert_int_equal(ep_query_top(&w.env, &q, &(struct ep_top_opts){0}, &t, NULL), 0);
	int64_t self = 0;
	uint32_t named = 0;
	for (uint32_t i = 0; i < t->n_rows; i++) {
		char name[128];
		self += t->rows[i].self;
		if (t->rows[i].fn.kind == EP_KIND_UNNAMED)
			continue;
		named++;
		snprintf(name, sizeof(name), "%.*s", EP_SLICE_ARG(t->rows[i].fn.name));
		assert_int_equal(t->rows[i].total, brute_total(v, N, name, false));
		assert_int_equal(t->rows[i].self, brute_total(v, N, name, true));
	}
	assert_true(named > 20);
	assert_int_equal(self, t->total);
	assert_true(t->ledger.unsymbolised > 0);
	ep_top_free(t);
	for (uint32_t i = 0; i < N; i++)
		ep_profile_free(v[i]);
	end_world(&w);
}

TEST(a_cut_tree_keeps_every_total)
{
	struct world w = new_world();
	struct gen g = {.seed = 3, .n_stacks = 3000, .n_functions = 400, .depth = 25, .n_sets = 5};
	struct ep_profile *p = gen_profile(&g);
	gen_append(w.s, p, "shop", NULL, w.now_ns - EP_NS_PER_S);
	ep_profile_free(p);
	struct ep_query q = ask(&w, "{}");
	const uint32_t sizes[] = {1, 2, 17, 500, 5000, 1000000};
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		struct ep_tree *t = tree(&w, &q, &(struct ep_tree_opts){.max_nodes = sizes[k]});
		assert_true(t->n_nodes <= sizes[k]);
		for (uint32_t i = 0; i < t->n_nodes; i++) {
			int64_t sum = t->self[i] + t->more[i];
			for (uint32_t c = i + 1; c < t->n_nodes && t->depth[c] > t->depth[i]; c++)
				sum += t->depth[c] == t->depth[i] + 1 ? t->total[c] : 0;
			assert_int_equal(sum, t->total[i]);
		}
		ep_tree_free(t);
	}
	end_world(&w);
}

/* --- export ------------------------------------------------------------------------------------ */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_text(char **at, const char *end, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	*at += vsnprintf(*at, (size_t)(end - *at), fmt, args);
	va_end(args);
}

/* A sample as text, whole: what must survive push, store and export. */
static char *describe(const struct ep_profile *p, uint32_t s)
{
	char buf[16384], *at = buf, *end = buf + sizeof(buf);
	const uint32_t *st = ep_profile_stack(p, &p->samples[s]);
	for (uint32_t k = 0; k < p->samples[s].n_locations; k++) {
		const struct ep_location *l = &p->locations[st[k]];
		add_text(&at, end, "0x%llx%s", (unsigned long long)l->address, l->is_folded ? "F" : "");
		if (l->mapping != EP_NONE) {
			const struct ep_mapping *m = &p->mappings[l->mapping];
			add_text(&at, end, "@%llx-%llx+%llx:%.*s:%.*s:%d%d%d%d",
				 (unsigned long long)m->start, (unsigned long long)m->limit,
				 (unsigned long long)m->file_offset,
				 EP_SLICE_ARG(ep_profile_str(p, m->filename)),
				 EP_SLICE_ARG(ep_profile_str(p, m->build_id)), m->has_functions,
				 m->has_filenames, m->has_line_numbers, m->has_inline_frames);
		}
		for (uint32_t j = 0; j < l->n_lines; j++) {
			const struct ep_line *n = &p->lines[l->first_line + j];
			const struct ep_function *f = &p->functions[n->function];
			add_text(&at, end, "(%.*s|%.*s|%.*s|%lld:%lld:%lld)",
				 EP_SLICE_ARG(ep_profile_str(p, f->name)),
				 EP_SLICE_ARG(ep_profile_str(p, f->system_name)),
				 EP_SLICE_ARG(ep_profile_str(p, f->filename)), (long long)f->start_line,
				 (long long)n->line, (long long)n->column);
		}
		add_text(&at, end, ";");
	}
	char *labels[64];
	uint32_t n = p->samples[s].n_labels;
	for (uint32_t k = 0; k < n; k++) {
		const struct ep_label *l = &p->labels[p->samples[s].first_label + k];
		assert_true(asprintf(&labels[k], " %.*s=%.*s#%lld%.*s",
				     EP_SLICE_ARG(ep_profile_str(p, l->key)),
				     EP_SLICE_ARG(ep_profile_str(p, l->str)), (long long)l->num,
				     EP_SLICE_ARG(ep_profile_str(p, l->num_unit))) > 0);
	}
	qsort(labels, n, sizeof(*labels), by_text);
	for (uint32_t k = 0; k < n; k++) {
		add_text(&at, end, "%s", labels[k]);
		free(labels[k]);
	}
	assert_true(at < end);
	return strdup(buf);
}

struct told {
	char *text;
	int64_t value;
};

static int by_told(const void *a, const void *b)
{
	return strcmp(((const struct told *)a)->text, ((const struct told *)b)->text);
}

/* Equal samples are one, as for every reader of pprof. */
static struct told *describe_all(const struct ep_profile *p, uint32_t col, uint32_t *ret_n)
{
	struct told *v = malloc((p->n_samples + 1) * sizeof(*v));
	uint32_t n = 0, out = 0;
	for (uint32_t i = 0; i < p->n_samples; i++)
		if (ep_profile_values(p, i)[col])
			v[n++] = (struct told){describe(p, i), ep_profile_values(p, i)[col]};
	qsort(v, n, sizeof(*v), by_told);
	for (uint32_t i = 0; i < n; i++) {
		if (out && !strcmp(v[out - 1].text, v[i].text)) {
			v[out - 1].value += v[i].value;
			free(v[i].text);
		} else {
			v[out++] = v[i];
		}
	}
	*ret_n = out;
	return v;
}

/* What went in comes out, sample by sample, up to ids and order. */
static void check_round_trip(const struct ep_profile *p, const char *name)
{
	struct world w = new_world();
	gen_append(w.s, p, "shop", NULL, w.now_ns - EP_NS_PER_S);
	for (uint32_t col = 0; col < p->n_sample_types; col++) {
		char type[512];
		struct ep_query q = ask(&w, "{}");
		snprintf(type, sizeof(type), "process_cpu:%.*s:%.*s:%.*s:%.*s",
			 EP_SLICE_ARG(ep_profile_str(p, p->sample_types[col].type)),
			 EP_SLICE_ARG(ep_profile_str(p, p->sample_types[col].unit)),
			 EP_SLICE_ARG(ep_profile_str(p, p->period_type.type)),
			 EP_SLICE_ARG(ep_profile_str(p, p->period_type.unit)));
		q.type = ep_slice_of(type);
		struct ep_profile *out = NULL;
		struct ep_err err = {0};
		if (ep_query_profile(&w.env, &q, &out, &err) < 0)
			fail_msg("%s: %s", name, err.text);
		uint32_t n_in = 0, n_out = 0;
		struct told *in = describe_all(p, col, &n_in), *got = describe_all(out, 0, &n_out);
		if (n_in != n_out)
			fail_msg("%s: %u samples in, %u out", name, n_in, n_out);
		for (uint32_t i = 0; i < n_in; i++) {
			assert_string_equal(in[i].text, got[i].text);
			assert_int_equal(in[i].value, got[i].value);
			free(in[i].text);
			free(got[i].text);
		}
		free(in);
		free(got);
		assert_int_equal(out->period, p->period);
		ep_profile_free(out);
	}
	end_world(&w);
}

TEST(export_gives_back_what_was_pushed)
{
	struct gen g = {.seed = 11, .n_stacks = 300, .n_functions = 200, .depth = 15, .n_sets = 6,
			.native = true};
	struct ep_profile *p = gen_profile(&g);
	check_round_trip(p, "made up");
	ep_profile_free(p);
	static const char *const files[] = {
		"cpu1.pb.gz",	 "heap.pb.gz",
		"block.pb.gz",	 "goroutine.pb.gz",
		"allocs.pb.gz",	 "rs1.pb",
		"mutex.pb.gz",	 "datadog-node-008.part-wall.pprof.pb.gz",
		"threadcreate.pb.gz", "pyroscope-go-001.part-profile.pprof.pb.gz",
		"delta_heap.2.pb.gz", "parca-writeraw-001.series0-sample0.pb.gz",
		"pyroscope-python-001.series0-sample0.pb", "pyroscope-rust-001.series0-sample0.pb"};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t n = 0;
		char path[128];
		snprintf(path, sizeof(path), "pprof/real/%s", files[i]);
		void *bytes = ep_test_read_data(path, &n);
		struct ep_err err = {0};
		if (ep_decode(bytes, n, 0, &p, &err) < 0)
			fail_msg("%s: %s", files[i], err.text);
		free(bytes);
		check_round_trip(p, files[i]);
		ep_profile_free(p);
	}
}

/* --- all at once ---------------------------------------------------------------------------------- */

struct busy {
	struct world *w;
	atomic_bool stop;
	atomic_uint appended;
};

static void *keep_appending(void *arg)
{
	struct busy *b = arg;
	for (uint32_t i = 0; i < 40; i++) {
		struct gen g = {.seed = i, .n_stacks = 50, .n_functions = 300, .depth = 12, .n_sets = 5};
		struct ep_profile *p = gen_profile(&g);
		gen_append(b->w->s, p, i % 2 ? "shop" : "cart", NULL, b->w->now_ns - (i + 1) * EP_NS_PER_S);
		ep_profile_free(p);
		atomic_fetch_add(&b->appended, 1);
	}
	return NULL;
}

static void *keep_asking(void *arg)
{
	struct busy *b = arg;
	struct ep_query q = ask(b->w, "{endpoint=~\".*1|.*2\"}");
	uint64_t least = 0;
	while (!atomic_load(&b->stop)) {
		struct ep_tree *t = tree(b->w, &q, &(struct ep_tree_opts){.max_nodes = 100});
		assert_true(t->ledger.profiles >= least); /* what was seen stays */
		least = t->ledger.profiles;
		ep_tree_free(t);
		struct ep_labels *l = NULL;
		assert_int_equal(ep_query_labels(&b->w->env, &q, &l, NULL), 0);
		ep_labels_free(l);
	}
	return NULL;
}

TEST(queries_and_appends_run_side_by_side)
{
	struct world w = new_world();
	struct busy b = {.w = &w};
	pthread_t writers[3], readers[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&readers[i], NULL, keep_asking, &b);
	for (int i = 0; i < 3; i++)
		pthread_create(&writers[i], NULL, keep_appending, &b);
	for (int i = 0; i < 3; i++)
		pthread_join(writers[i], NULL);
	atomic_store(&b.stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(readers[i], NULL);
	struct ep_query q = ask(&w, "{}");
	struct ep_tree *t = tree(&w, &q, &(struct ep_tree_opts){0});
	assert_int_equal(t->ledger.profiles, 120);
	ep_tree_free(t);
	struct ep_store_stats st;
	ep_store_stats(w.s, &st);
	assert_int_equal(st.appended, 120);
	assert_true(st.commits <= 120);
	end_world(&w);
}
