#include "test.h"

#include "profile/build.h"
#include "profile/decode.h"
#include "profile/ledger.h"
#include "profile/merge.h"
#include "profile/scale.h"
#include "raw.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_LIMIT = 1 << 30 };

static struct ep_profile *finish(struct ep_build *b)
{
	struct ep_profile *p = NULL;
	assert_int_equal(ep_build_finish(b, &p, NULL), 0);
	return p;
}

static struct ep_profile *merge(const struct ep_profile *a, const struct ep_profile *b)
{
	struct ep_err err = {0};
	struct ep_profile *p = NULL;
	const struct ep_profile *both[] = {a, b};
	if (ep_merge(both, b ? 2 : 1, 0, &p, &err) < 0)
		fail_msg("%s", err.text);
	return p;
}

static struct ep_profile *read_real(const char *path)
{
	size_t n;
	void *data = ep_test_read_data(path, &n);
	struct ep_profile *p = NULL;
	assert_int_equal(ep_decode(data, n, 0, &p, NULL), 0);
	free(data);
	return p;
}

static void same_raw(const struct ep_profile *a, const struct ep_profile *b)
{
	ep_auto_buf x, y;
	ep_buf_init(&x, NO_LIMIT);
	ep_buf_init(&y, NO_LIMIT);
	raw_format(a, (struct raw_ids){0}, &x);
	raw_format(b, (struct raw_ids){0}, &y);
	assert_string_equal(ep_buf_cstr(&x), ep_buf_cstr(&y));
}

TEST(merge_with_itself_doubles_and_with_its_negative_is_empty)
{
	ep_auto(ep_profile) p = read_real("pprof/real/delta_heap.1.pb.gz");
	ep_auto(ep_profile) once = merge(p, NULL);
	ep_auto(ep_profile) twice = merge(p, p);
	assert_true(once->n_samples > 100);
	assert_int_equal(once->n_samples, twice->n_samples);
	for (size_t i = 0; i < (size_t)once->n_samples * once->n_sample_types; i++)
		assert_true(twice->values[i] == 2 * once->values[i]);
	assert_true(twice->duration_ns == 2 * p->duration_ns);

	ep_auto(ep_profile) none = NULL;
	assert_int_equal(ep_scale_diff(p, p, EP_SCALE_SUBTRACT, &none, NULL), 0);
	assert_int_equal(none->n_samples, 0);
	assert_int_equal(none->n_locations, 0);
	assert_int_equal(none->n_functions, 0);
	assert_int_equal(none->n_mappings, 1); /* the main binary stays */
}

TEST(merge_of_a_compact_profile_changes_nothing)
{
	static const char *const files[] = {
		"pprof/real/cpu1.pb.gz", "pprof/real/heap.pb.gz", "pprof/real/rs1.pb"};
	for (size_t i = 0; i < 3; i++) {
		ep_auto(ep_profile) p = read_real(files[i]);
		ep_auto(ep_profile) once = merge(p, NULL);
		ep_auto(ep_profile) again = merge(once, NULL);
		same_raw(once, again);
	}
}

/* One sample at `address` in a mapping of one page more than `start`. */
static struct ep_profile *at(uint64_t start, uint64_t size, const char *build_id,
			     uint64_t address, int64_t value)
{
	ep_auto(ep_build) b = NULL;
	assert_int_equal(ep_build_new(0, &b), 0);
	ep_build_sample_type(b, "cpu", "ns");
	struct ep_mapping m = {.start = start,
			       .limit = start + size,
			       .filename = ep_build_cstr(b, "/bin/x"),
			       .build_id = ep_build_cstr(b, build_id)};
	uint32_t l = ep_build_location(b, address, ep_build_mapping(b, &m), NULL, 0);
	ep_build_sample(b, &l, 1, NULL, 0, &value);
	return finish(b);
}

TEST(merge_knows_code_by_its_place_in_the_mapping)
{
	ep_auto(ep_profile) a = at(0x400000, 0x1800, "id", 0x400123, 3);
	ep_auto(ep_profile) moved = at(0x7f0000, 0x1fff, "id", 0x7f0123, 4);
	ep_auto(ep_profile) p = merge(a, moved);
	assert_int_equal(p->n_mappings, 1);
	assert_int_equal(p->n_locations, 1);
	assert_int_equal(p->locations[0].address, 0x400123);
	assert_int_equal(p->n_samples, 1);
	assert_int_equal(p->values[0], 7);

	ep_auto(ep_profile) other_id = at(0x400000, 0x1800, "di", 0x400123, 3);
	ep_auto(ep_profile) q = merge(a, other_id);
	assert_int_equal(q->n_mappings, 2);
	assert_int_equal(q->n_samples, 2);

	ep_auto(ep_profile) other_size = at(0x400000, 0x2001, "id", 0x400123, 3);
	ep_auto(ep_profile) r = merge(a, other_size);
	assert_int_equal(r->n_mappings, 2);
}

static struct ep_profile *named(int64_t time, int64_t duration, int64_t period,
				const char *comment, const char *url)
{
	ep_auto(ep_build) b = NULL;
	assert_int_equal(ep_build_new(0, &b), 0);
	ep_build_sample_type(b, "cpu", "ns");
	struct ep_profile *p = ep_build_profile(b);
	p->time_ns = time;
	p->duration_ns = duration;
	p->period = period;
	p->drop_frames = ep_build_cstr(b, comment);
	p->doc_url = ep_build_cstr(b, url);
	ep_build_comment(b, ep_slice_of("both"));
	ep_build_comment(b, ep_slice_of(comment));
	return finish(b);
}

TEST(merge_joins_headers_by_the_rules)
{
	ep_auto(ep_profile) a = named(50, 5, 10, "first", "");
	ep_auto(ep_profile) b = named(0, 6, 20, "second", "http://b");
	ep_auto(ep_profile) c = named(40, 7, 15, "third", "http://c");
	const struct ep_profile *all[] = {a, b, c};
	ep_auto(ep_profile) p = NULL;
	assert_int_equal(ep_merge(all, 3, 0, &p, NULL), 0);
	assert_int_equal(p->time_ns, 40);
	assert_int_equal(p->duration_ns, 18);
	assert_int_equal(p->period, 20);
	assert_int_equal(p->n_comments, 4);
	assert_true(ep_slice_is(p->strings[p->comments[0]], "both"));
	assert_true(ep_slice_is(p->strings[p->comments[3]], "third"));
	assert_true(ep_slice_is(p->strings[p->drop_frames], "first"));
	assert_true(ep_slice_is(p->strings[p->doc_url], "http://b"));
}

TEST(merge_adds_ledgers_up)
{
	static const char text[] = "#everprof ledger asked=7 taken=5 lost=2 truncated=1";
	ep_auto(ep_profile) a = named(1, 1, 1, text, "");
	ep_auto(ep_profile) p = merge(a, a);
	struct ep_ledger l = {0};
	assert_int_equal(p->n_comments, 2); /* "both" and one ledger */
	assert_true(ep_ledger_of_profile(p, &l));
	assert_int_equal(l.asked, 14);
	assert_int_equal(l.taken, 10);
	assert_int_equal(l.lost, 4);
	assert_int_equal(l.truncated, 2);
}

TEST(merge_refuses_other_types_by_name)
{
	ep_auto(ep_profile) cpu = read_real("pprof/real/cpu1.pb.gz");
	ep_auto(ep_profile) heap = read_real("pprof/real/heap.pb.gz");
	const struct ep_profile *both[] = {cpu, heap};
	ep_auto(ep_profile) p = NULL;
	struct ep_err err = {0};
	assert_int_equal(ep_merge(both, 2, 0, &p, &err), -EINVAL);
	assert_string_equal(
		err.text, "incompatible period types &{cpu nanoseconds 0 0} and &{space bytes 0 0}");
	assert_int_equal(ep_merge(both, 0, 0, &p, NULL), -EINVAL);
	assert_null(p);
}

TEST(merge_one_by_one_gives_what_merging_all_at_once_gives)
{
	ep_auto(ep_profile) a = read_real("pprof/real/delta_heap.1.pb.gz");
	ep_auto(ep_profile) b = read_real("pprof/real/delta_heap.2.pb.gz");
	ep_auto(ep_profile) all = merge(a, b);
	ep_auto(ep_profile) other = read_real("pprof/real/cpu1.pb.gz");
	ep_auto(ep_profile) sum = NULL;
	ep_auto(ep_merge) m = NULL;
	struct ep_err err = {0};
	assert_int_equal(ep_merge_start(0, &m), 0);
	assert_int_equal(ep_merge_finish(m, &sum, &err), -EINVAL);
	assert_int_equal(ep_merge_take(m, &a, &err), 0);
	assert_null(a);
	assert_int_equal(ep_merge_take(m, &other, &err), -EINVAL);
	assert_non_null(other);
	assert_int_equal(ep_merge_take(m, &b, &err), 0);
	assert_int_equal(ep_merge_finish(m, &sum, &err), 0);
	same_raw(all, sum);
}

TEST(merge_keeps_to_its_bound)
{
	ep_auto(ep_profile) heap = read_real("pprof/real/heap.pb.gz");
	const struct ep_profile *one = heap;
	ep_auto(ep_profile) p = NULL;
	assert_int_equal(ep_merge(&one, 1, 5000, &p, NULL), -E2BIG);
	assert_null(p);
}

/* --- scale.h ------------------------------------------------------------------ */

static struct ep_profile *columns(const int64_t (*rows)[2], uint32_t n)
{
	ep_auto(ep_build) b = NULL;
	assert_int_equal(ep_build_new(0, &b), 0);
	ep_build_sample_type(b, "n", "count");
	ep_build_sample_type(b, "t", "ns");
	for (uint32_t i = 0; i < n; i++) {
		uint32_t l = ep_build_location(b, i + 1, EP_NONE, NULL, 0);
		ep_build_sample(b, &l, 1, NULL, 0, rows[i]);
	}
	return finish(b);
}

TEST(scale_rounds_half_away_and_drops_what_became_zero)
{
	const int64_t rows[][2] = {{1, 5}, {2, -5}, {3, 1}, {4, 0}};
	ep_auto(ep_profile) p = columns(rows, 4);
	assert_int_equal(ep_scale(p, (double[]){1, 1}, NULL), 0);
	assert_int_equal(p->n_samples, 4);
	const int64_t *before = p->values;
	assert_int_equal(ep_scale(p, (double[]){1, 0.3}, NULL), 0);
	assert_int_equal(before[1], 5); /* a table found is not written */
	assert_int_equal(p->n_samples, 2);
	assert_int_equal(p->values[1], 2);  /* 1.5 */
	assert_int_equal(p->values[2], 2);  /* its row's count is untouched */
	assert_int_equal(p->values[3], -2); /* -1.5 */
	assert_int_equal(ep_scale(p, (double[]){1, 1e30}, NULL), 0);
	assert_true(p->values[1] == INT64_MAX && p->values[3] == INT64_MIN);
}

TEST(merge_takes_values_away_exactly_and_marks_a_base_once)
{
	const int64_t rows[][2] = {{INT64_MAX, INT64_MIN}};
	ep_auto(ep_profile) p = columns(rows, 1);
	ep_auto(ep_profile) none = NULL;
	ep_auto(ep_profile) diff = NULL;
	ep_auto(ep_profile) again = NULL;
	assert_int_equal(ep_scale_diff(p, p, EP_SCALE_SUBTRACT, &none, NULL), 0);
	assert_int_equal(none->n_samples, 0);
	assert_int_equal(ep_scale_diff(none, p, EP_SCALE_COMPARE, &diff, NULL), 0);
	assert_true(diff->values[0] == -INT64_MAX && diff->values[1] == INT64_MIN);
	/* A base that is a comparison itself. */
	assert_int_equal(ep_scale_diff(none, diff, EP_SCALE_COMPARE, &again, NULL), 0);
	assert_int_equal(again->n_samples, 1);
	assert_int_equal(again->samples[0].n_labels, 1);
}

TEST(scale_normalizes_to_the_base)
{
	const int64_t small[][2] = {{1, 0}, {3, 0}}, large[][2] = {{10, 7}, {30, 7}};
	ep_auto(ep_profile) p = columns(small, 2);
	ep_auto(ep_profile) base = columns(large, 2);
	assert_int_equal(ep_scale_normalize(p, base, NULL), 0);
	assert_int_equal(p->values[0], 10);
	assert_int_equal(p->values[2], 30);
	assert_int_equal(p->values[3], 0);
}

TEST(scale_compares_by_labelled_samples_that_never_meet)
{
	const int64_t now[][2] = {{5, 50}, {3, 30}}, then[][2] = {{2, 20}, {3, 30}};
	ep_auto(ep_profile) a = columns(now, 2);
	ep_auto(ep_profile) b = columns(then, 2);
	ep_auto(ep_profile) minus = NULL;
	ep_auto(ep_profile) diff = NULL;
	assert_int_equal(ep_scale_diff(a, b, EP_SCALE_SUBTRACT, &minus, NULL), 0);
	assert_int_equal(minus->n_samples, 1);
	assert_int_equal(minus->values[0], 3);
	assert_int_equal(minus->values[1], 30);
	assert_int_equal(minus->n_locations, 1);
	assert_int_equal(ep_scale_diff(a, b, EP_SCALE_COMPARE, &diff, NULL), 0);
	assert_int_equal(diff->n_samples, 4);
	assert_int_equal(diff->values[4], -2);
	assert_int_equal(diff->samples[2].n_labels, 1);
	const struct ep_label *l = &diff->labels[diff->samples[2].first_label];
	assert_true(ep_slice_is(diff->strings[l->key], "pprof::base"));
	assert_true(ep_slice_is(diff->strings[l->str], "true"));
	assert_int_equal(b->n_labels, 0); /* unchanged */
	assert_int_equal(b->values[0], 2);
}
