/*
 * kit.h - filling a store and counting all that it has, for its tests.
 */
#ifndef EP_TEST_STORE_KIT_H
#define EP_TEST_STORE_KIT_H

#include "base/clock.h"
#include "gen.h"
#include "store/inside.h"
#include "store/read.h"
#include "test.h"

static inline struct ep_store *open_store(const char *dir)
{
	struct ep_store *s = NULL;
	struct ep_err err = {0};
	if (ep_store_open(dir, &s, &err) < 0)
		fail_msg("open: %s", err.text);
	return s;
}

static inline struct ep_profile *small(uint64_t seed)
{
	struct gen g = {.seed = seed, .n_stacks = 30, .n_functions = 100, .depth = 9,
			.n_sets = 4, .native = true};
	return gen_profile(&g);
}

static inline void append_n(struct ep_store *s, uint32_t n)
{
	uint64_t now = ep_clock_wall_ns();
	for (uint32_t i = 0; i < n; i++) {
		struct ep_profile *p = small(i);
		gen_append(s, p, "shop", "host=a", now - (n - i) * EP_NS_PER_S);
		ep_profile_free(p);
	}
}

struct tally {
	struct ep_read *r;
	const struct ep_read_series *s;
	struct ep_blob blob;
	uint64_t points, rows;
	int64_t total, rows_total;
};

static inline int count_point(void *ctx, const struct ep_head_point *p, struct ep_err *err)
{
	struct tally *t = ctx;
	t->points++;
	int rc = ep_read_blob(t->r, t->s, p, &t->blob, err);
	if (rc != 1)
		return rc;
	rc = ep_read_rows(t->r, t->s, p, &t->blob, err);
	if (rc != 1)
		return rc;
	t->total += p->total;
	for (uint32_t i = 0; i < t->blob.n_rows; i++)
		t->rows_total += t->blob.values[i];
	t->rows += t->blob.n_rows;
	return 0;
}

static inline struct tally read_all(struct ep_store *s, uint64_t *ret_damaged)
{
	struct tally t = {0};
	uint32_t n = 0;
	struct ep_err err = {0};
	if (ep_read_open(s, 0, UINT64_MAX, &t.r, &err) < 0)
		fail_msg("read: %s", err.text);
	assert_int_equal(ep_blob_init(&t.blob), 0);
	const struct ep_read_series *v = ep_read_series(t.r, &n);
	for (uint32_t i = 0; i < n; i++) {
		t.s = &v[i];
		if (ep_read_points(t.r, &v[i], count_point, &t, &err) < 0)
			fail_msg("points: %s", err.text);
	}
	*ret_damaged = ep_read_damaged(t.r);
	ep_blob_fini(&t.blob);
	ep_read_close(t.r);
	return t;
}

#endif
