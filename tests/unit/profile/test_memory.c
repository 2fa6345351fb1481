/* test_memory.c - what happens when memory is short, at each allocation in turn. */
#include "test.h"

#include "mem_failing.h"
#include "profile/build.h"
#include "profile/decode.h"
#include "profile/encode.h"
#include "profile/merge.h"
#include "profile/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NO_LIMIT = 1 << 30, MOST_ALLOCATIONS = 100000 };

struct input {
	void *data;
	size_t n;
	struct ep_profile *p; /* the same, decoded */
};

/* Makes a profile of the input; fails as the function it is about. */
typedef int make_fn(const struct input *in, struct ep_profile **ret_p);

static int decode(const struct input *in, struct ep_profile **ret_p)
{
	struct ep_err err = {0};
	return ep_decode(in->data, in->n, 0, ret_p, &err);
}

static int merge(const struct input *in, struct ep_profile **ret_p)
{
	struct ep_err err = {0};
	const struct ep_profile *twice[] = {in->p, in->p};
	return ep_merge(twice, 2, 0, ret_p, &err);
}

static uint32_t build_location(struct ep_build *b, uint32_t i)
{
	char name[] = {(char)('a' + i % 26), (char)('a' + i / 26), 0};
	struct ep_function f = {.name = ep_build_cstr(b, name)};
	f.system_name = f.name;
	struct ep_line l = {.function = ep_build_function(b, &f), .line = i};
	return ep_build_location(b, 0x1000 + i, EP_NONE, &l, 1);
}

/* Failures on the way are kept for the end. */
static int build(const struct input *in, struct ep_profile **ret_p)
{
	(void)in;
	struct ep_err err = {0};
	ep_auto(ep_build) b = NULL;
	EP_TRY(ep_build_new(0, &b));
	ep_build_sample_type(b, "samples", "count");
	for (uint32_t i = 0; i < 300; i++) {
		uint32_t stack[] = {build_location(b, i), build_location(b, i / 2)};
		struct ep_label l = {.key = ep_build_cstr(b, "key"), .num = i};
		ep_build_sample(b, stack, 2, &l, 1, (int64_t[]){i + 1});
	}
	ep_build_comment(b, ep_slice_of("one"));
	ep_build_comment(b, ep_slice_of("two"));
	return ep_build_finish(b, ret_p, &err);
}

/* Decodes first, since names change a profile. */
static int name(const struct input *in, struct ep_profile **ret_p)
{
	struct ep_err err = {0};
	ep_auto(ep_profile) p = NULL;
	ep_auto(ep_names) names = NULL;
	EP_TRY(decode(in, &p));
	for (uint32_t i = 0; i < p->n_locations; i++)
		p->locations[i].n_lines = 0;
	EP_TRY(ep_names_new(p, &names));
	for (uint32_t i = 0; i < p->n_locations; i++)
		ep_names_set(names, i, ep_slice_of("name"), ep_slice_of("system"),
			     ep_slice_of(""));
	EP_TRY(ep_names_finish(names, &err));
	*ret_p = ep_take(&p);
	return 0;
}

static void same_bytes(const struct ep_profile *a, const struct ep_profile *b)
{
	ep_auto_buf x, y;
	ep_buf_init(&x, NO_LIMIT);
	ep_buf_init(&y, NO_LIMIT);
	assert_int_equal(ep_encode(a, &x, NULL), 0);
	assert_int_equal(ep_encode(b, &y, NULL), 0);
	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.data, y.data, x.len);
}

/* One attempt, at whose nth allocation there is none.  False once all are there. */
static bool attempt(make_fn *make, const struct input *in, size_t nth,
		    const struct ep_profile *want)
{
	struct ep_profile *untouched = (void *)&untouched, *p = untouched;
	size_t live = mem_n_live();
	mem_fail_at(nth);
	int rc = make(in, &p);
	bool failed = mem_failed();
	if (rc < 0) {
		assert_true(failed);
		assert_int_equal(rc, -ENOMEM);
		assert_ptr_equal(p, untouched);
	} else {
		same_bytes(p, want); /* it did without */
		ep_profile_free(p);
	}
	assert_int_equal(mem_n_live(), live);
	return failed;
}

static void fails_cleanly_of(make_fn *make, void *data, size_t n)
{
	struct input in = {.data = data, .n = n};
	ep_auto(ep_profile) want = NULL;
	assert_int_equal(decode(&in, &in.p), 0);
	assert_int_equal(make(&in, &want), 0);
	size_t nth = 1;
	while (attempt(make, &in, nth, want))
		assert_true(++nth < MOST_ALLOCATIONS);
	assert_true(nth > 3); /* some did fail */
	ep_profile_free(in.p);
}

static void fails_cleanly(make_fn *make, const char *path)
{
	size_t n;
	void *data = ep_test_read_data(path, &n);
	fails_cleanly_of(make, data, n);
	free(data);
}

TEST(decode_without_memory_leaves_nothing_behind)
{
	fails_cleanly(decode, "pprof/real/delta_heap.1.pb.gz");
	fails_cleanly(decode, "pprof/real/datadog-node-008.part-wall.pprof.pb.gz");
	fails_cleanly(decode, "fuzz/decode/open_connections.pb");
}

TEST(merge_without_memory_leaves_nothing_behind)
{
	fails_cleanly(merge, "pprof/real/delta_heap.1.pb.gz");
	fails_cleanly(merge, "pprof/real/datadog-node-008.part-wall.pprof.pb.gz");
}

/* Of comments, which few real profiles have. */
TEST(merge_of_comments_without_memory_leaves_nothing_behind)
{
	ep_auto(ep_profile) p = NULL;
	ep_auto_buf bytes;
	ep_buf_init(&bytes, NO_LIMIT);
	assert_int_equal(build(NULL, &p), 0);
	assert_int_equal(p->n_comments, 2);
	assert_int_equal(ep_encode(p, &bytes, NULL), 0);
	fails_cleanly_of(merge, bytes.data, bytes.len);
}

TEST(build_without_memory_leaves_nothing_behind)
{
	fails_cleanly(build, "pprof/real/goroutine.pb.gz");
}

TEST(names_without_memory_leave_nothing_behind)
{
	fails_cleanly(name, "pprof/real/goroutine.pb.gz");
}

/* The buffer remembers, so it is looked at besides. */
TEST(encode_without_memory_says_so)
{
	struct input in = {0};
	in.data = ep_test_read_data("pprof/real/delta_heap.1.pb.gz", &in.n);
	assert_int_equal(decode(&in, &in.p), 0);
	size_t live = mem_n_live(), nth = 0;
	for (bool failed = true; failed;) {
		struct ep_err err = {0};
		ep_auto_buf out;
		ep_buf_init(&out, NO_LIMIT);
		mem_fail_at(++nth);
		int rc = ep_encode_gzip(in.p, &out, &err);
		failed = mem_failed();
		assert_int_equal(rc, failed ? -ENOMEM : 0);
		assert_int_equal(out.len > 0, !failed);
		ep_buf_fini(&out);
		assert_int_equal(mem_n_live(), live);
		assert_true(nth < MOST_ALLOCATIONS);
	}
	assert_true(nth > 2);
	ep_profile_free(in.p);
	free(in.data);
}
