/* test_dict.c - dictionaries: interning, records, lost records, content hashes. */
#include "store/dict.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static uint32_t named(struct ep_dict *d, const char *name)
{
	struct ep_dict_function fn = {.name = ep_dict_string(d, ep_slice_of(name))};
	struct ep_dict_line l = {.function = ep_dict_add_function(d, &fn), .line = 3};
	struct ep_dict_frame f = {.mapping = EP_DICT_NONE, .n_lines = 1};
	return ep_dict_add_frame(d, &f, &l);
}

static struct ep_dict *fresh(void)
{
	struct ep_dict *d = ep_dict_new();
	assert_non_null(d);
	assert_int_equal(ep_dict_index(d), 0);
	return d;
}

TEST(dict_gives_equal_things_one_id)
{
	struct ep_dict *d = fresh();
	uint32_t a = named(d, "a"), b = named(d, "b");
	assert_int_not_equal(a, b);
	assert_int_equal(a, named(d, "a"));
	uint32_t s = ep_dict_add_stack(d, ep_dict_add_stack(d, 0, a), b);
	assert_int_equal(s, ep_dict_add_stack(d, ep_dict_add_stack(d, 0, a), b));
	uint32_t k = ep_dict_string(d, ep_slice_of("k")), v = ep_dict_string(d, ep_slice_of("v"));
	struct ep_dict_label one[] = {{.key = k, .str = v}, {.key = v, .str = k}};
	struct ep_dict_label two[] = {{.key = v, .str = k}, {.key = k, .str = v}};
	assert_int_equal(ep_dict_add_set(d, one, 2), ep_dict_add_set(d, two, 2));
	ep_dict_free(d);
}

TEST(dict_hashes_stacks_by_content_not_by_id)
{
	struct ep_dict *x = fresh(), *y = fresh();
	(void)named(y, "something else first");
	uint32_t sx = ep_dict_add_stack(x, ep_dict_add_stack(x, 0, named(x, "a")), named(x, "b"));
	uint32_t sy = ep_dict_add_stack(y, ep_dict_add_stack(y, 0, named(y, "a")), named(y, "b"));
	struct ep_hash128 hx[8], hy[8];
	assert_true(sx < 8 && sy < 8);
	assert_int_equal(ep_dict_hash_stacks(x, sx + 1, hx), 0);
	assert_int_equal(ep_dict_hash_stacks(y, sy + 1, hy), 0);
	assert_memory_equal(&hx[sx], &hy[sy], sizeof(hx[0]));
	uint32_t parent = ep_dict_stack(y, sy)->parent;
	assert_memory_not_equal(&hx[sx], &hy[parent], sizeof(hx[0]));
	ep_dict_free(x);
	ep_dict_free(y);
}

static void encode(struct ep_dict *d, struct ep_dict_mark *from, struct ep_buf *out)
{
	struct ep_dict_mark to;
	ep_dict_mark(d, &to);
	ep_buf_init(out, SIZE_MAX / 2);
	ep_dict_encode(d, from, &to, out);
	*from = to;
}

/* Three records: "a", a stack of a and "b", a stack of those and "c". */
static void three_records(struct ep_buf out[3])
{
	struct ep_dict *d = fresh();
	struct ep_dict_mark at = d->stored;
	uint32_t s = ep_dict_add_stack(d, 0, named(d, "a"));
	encode(d, &at, &out[0]);
	s = ep_dict_add_stack(d, s, named(d, "b"));
	encode(d, &at, &out[1]);
	struct ep_dict_label l = {.key = ep_dict_string(d, ep_slice_of("bytes")),
				  .str = EP_DICT_NONE, .num = -5,
				  .unit = ep_dict_string(d, ep_slice_of("B"))};
	(void)ep_dict_add_set(d, &l, 1);
	(void)ep_dict_add_stack(d, s, named(d, "c"));
	encode(d, &at, &out[2]);
	ep_dict_free(d);
}

static struct ep_slice leaf_name(const struct ep_dict *d, uint32_t stack)
{
	const struct ep_dict_frame *f = ep_dict_frame(d, ep_dict_stack(d, stack)->frame);
	return ep_dict_str(d, ep_dict_function(d, ep_dict_line(d, f->first_line)->function)->name);
}

TEST(dict_records_bring_everything_back)
{
	struct ep_buf rec[3];
	three_records(rec);
	struct ep_dict *d = ep_dict_new();
	for (int i = 0; i < 3; i++)
		assert_int_equal(ep_dict_decode(d, rec[i].data, rec[i].len, NULL), 0);
	assert_true(ep_slice_is(leaf_name(d, 3), "c"));
	assert_true(ep_slice_is(leaf_name(d, ep_dict_stack(d, 3)->parent), "b"));
	assert_int_equal(ep_dict_label(d, ep_dict_set(d, 1)->first)->num, -5);
	assert_int_equal(ep_dict_index(d), 0);
	assert_int_equal(ep_dict_add_stack(d, 0, named(d, "a")), 1);
	assert_int_equal(ep_dict_decode(d, rec[2].data, rec[2].len, NULL), -EBADMSG);
	for (int i = 0; i < 3; i++)
		ep_buf_fini(&rec[i]);
	ep_dict_free(d);
}

TEST(dict_marks_what_a_lost_record_held)
{
	struct ep_buf rec[3];
	three_records(rec);
	struct ep_dict *d = ep_dict_new();
	assert_int_equal(ep_dict_decode(d, rec[0].data, rec[0].len, NULL), 0);
	assert_int_equal(ep_dict_decode(d, rec[2].data, rec[2].len, NULL), 0);
	assert_true(ep_slice_is(leaf_name(d, 3), "c"));
	uint32_t lost = ep_dict_stack(d, 3)->parent;
	assert_true(ep_dict_frame(d, ep_dict_stack(d, lost)->frame)->flags & EP_FRAME_DAMAGED);
	for (int i = 0; i < 3; i++)
		ep_buf_fini(&rec[i]);
	ep_dict_free(d);
}

TEST(dict_survives_any_flipped_byte)
{
	struct ep_buf rec[3];
	three_records(rec);
	for (size_t i = 0; i < rec[0].len; i++)
		for (int bit = 0; bit < 8; bit++) {
			struct ep_dict *d = ep_dict_new();
			rec[0].data[i] ^= (uint8_t)(1 << bit);
			(void)ep_dict_decode(d, rec[0].data, rec[0].len, NULL);
			rec[0].data[i] ^= (uint8_t)(1 << bit);
			ep_dict_free(d);
		}
	for (int i = 0; i < 3; i++)
		ep_buf_fini(&rec[i]);
}
