#include "inproc/tally.h"

#include "../test.h"

static const struct everprof_labels *const SET = (const void *)0x1000;

TEST(tally_adds_equal_samples_and_keeps_others_apart)
{
	ep_auto(ep_tally) f = ep_tally_new();
	struct ep_tally_frame a[] = {{0x10, 0}, {0x20, 0}}, b[] = {{0x10, 1}, {0x20, 0}};
	ep_tally_add(f, a, 2, &(struct ep_tally_row){.tid = 1, .values = {2}});
	ep_tally_add(f, a, 2, &(struct ep_tally_row){.tid = 1, .values = {3}});
	ep_tally_add(f, a, 2, &(struct ep_tally_row){.tid = 2, .values = {1}});
	ep_tally_add(f, a, 2, &(struct ep_tally_row){.tid = 1, .labels = SET, .values = {1}});
	ep_tally_add(f, b, 2, &(struct ep_tally_row){.tid = 1, .values = {1}}); /* reused address */
	ep_tally_add(f, a, 1, &(struct ep_tally_row){.tid = 1, .values = {1}});
	assert_int_equal(f->n_rows, 5);
	assert_int_equal(f->rows[0].values[0], 5);
	assert_int_equal(f->n_frames, 3);
	assert_int_equal(f->n_stacks, 3);
	assert_int_equal(f->weight, 9);
	assert_int_equal(f->dropped, 0);
}

TEST(tally_merge_keeps_every_weight)
{
	ep_auto(ep_tally) f = ep_tally_new();
	ep_auto(ep_tally) g = ep_tally_new();
	for (uint64_t i = 0; i < 1000; i++) {
		struct ep_tally_frame s[] = {{i % 50, 0}, {100 + i % 7, 1}, {7, 2}};
		struct ep_tally_row row = {.tid = (uint32_t)(i % 3), .values = {1 + i % 4}};
		ep_tally_add(i % 2 ? f : g, s, 1 + (uint32_t)(i % 3), &row);
	}
	int64_t sum = f->weight + g->weight, rows = 0;
	ep_tally_merge(f, g);
	for (uint32_t i = 0; i < f->n_rows; i++)
		rows += f->rows[i].values[0];
	assert_int_equal(f->weight, sum);
	assert_int_equal(rows, sum);
}

TEST(tally_counts_what_it_can_not_hold)
{
	ep_auto(ep_tally) f = ep_tally_new();
	static struct ep_tally_frame s[EP_TALLY_MAX_FRAMES + 1];
	ep_tally_add(f, s, EP_TALLY_MAX_FRAMES + 1, &(struct ep_tally_row){.values = {4}});
	assert_int_equal(f->dropped, 4);
	assert_int_equal(f->weight, 0);
}
