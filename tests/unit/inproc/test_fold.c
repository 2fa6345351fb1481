#include "inproc/fold.h"

#include "../test.h"

static const struct everprof_labels *const SET = (const void *)0x1000;

TEST(fold_adds_equal_samples_and_keeps_others_apart)
{
	ep_auto(ep_fold) f = ep_fold_new();
	struct ep_fold_frame a[] = {{0x10, 0}, {0x20, 0}}, b[] = {{0x10, 1}, {0x20, 0}};
	ep_fold_add(f, a, 2, &(struct ep_fold_row){.tid = 1, .weight = 2});
	ep_fold_add(f, a, 2, &(struct ep_fold_row){.tid = 1, .weight = 3});
	ep_fold_add(f, a, 2, &(struct ep_fold_row){.tid = 2, .weight = 1});
	ep_fold_add(f, a, 2, &(struct ep_fold_row){.tid = 1, .labels = SET, .weight = 1});
	ep_fold_add(f, b, 2, &(struct ep_fold_row){.tid = 1, .weight = 1}); /* reused address */
	ep_fold_add(f, a, 1, &(struct ep_fold_row){.tid = 1, .weight = 1});
	assert_int_equal(f->n_rows, 5);
	assert_int_equal(f->rows[0].weight, 5);
	assert_int_equal(f->n_frames, 3);
	assert_int_equal(f->n_stacks, 3);
	assert_int_equal(f->weight, 9);
	assert_int_equal(f->dropped, 0);
}

TEST(fold_merge_keeps_every_weight)
{
	ep_auto(ep_fold) f = ep_fold_new();
	ep_auto(ep_fold) g = ep_fold_new();
	for (uint64_t i = 0; i < 1000; i++) {
		struct ep_fold_frame s[] = {{i % 50, 0}, {100 + i % 7, 1}, {7, 2}};
		struct ep_fold_row row = {.tid = (uint32_t)(i % 3), .weight = 1 + i % 4};
		ep_fold_add(i % 2 ? f : g, s, 1 + (uint32_t)(i % 3), &row);
	}
	uint64_t sum = f->weight + g->weight, rows = 0;
	ep_fold_merge(f, g);
	for (uint32_t i = 0; i < f->n_rows; i++)
		rows += f->rows[i].weight;
	assert_int_equal(f->weight, sum);
	assert_int_equal(rows, sum);
}

TEST(fold_counts_what_it_can_not_hold)
{
	ep_auto(ep_fold) f = ep_fold_new();
	static struct ep_fold_frame s[EP_FOLD_MAX_FRAMES + 1];
	ep_fold_add(f, s, EP_FOLD_MAX_FRAMES + 1, &(struct ep_fold_row){.weight = 4});
	assert_int_equal(f->dropped, 4);
	assert_int_equal(f->weight, 0);
}
