#include "inproc/write.h"

#include "../test.h"
#include "everprof.h"
#include "profile/decode.h"

#include <string.h>

TEST(write_makes_a_profile_that_reads_back)
{
	ep_auto(ep_tally) f = ep_tally_new();
	struct ep_code_mapping m[] = {
		{.start = 0x1000, .limit = 0x2000, .path = "/bin/x", .build_id = "ab12"},
		{.start = 0x8000, .limit = 0x9000, .file_offset = 0x500, .path = "/lib/y.so"}};
	struct ep_tally_frame s[] = {{0x8010, 1}, {0x1010, 0}, {0x7777, EP_CODE_NONE}};
	struct ep_tally_row row = {
		.tid = 0,
		.values = {3, 30},
		.labels = everprof_labels_derive(NULL, "k", "v", "bad", "a\xff" "b")};
	ep_tally_add(f, s, 3, &row);
	struct ep_write w = {.shape = &ep_write_cpu_shape,
			     .tally = f,
			     .mappings = m,
			     .n_mappings = 2,
			     .period = 10,
			     .from_ns = 1700000000000000000ull,
			     .until_ns = 1700000000000000500ull,
			     .ledger = {.asked = 4, .taken = 3, .lost = 1}};
	ep_auto_buf out;
	ep_buf_init(&out, 1 << 20);
	struct ep_err err = {0};
	assert_int_equal(ep_write(&w, &out, &err), 0);
	ep_auto(ep_profile) p = NULL;
	assert_int_equal(ep_decode(out.data, out.len, 0, &p, &err), 0);
	assert_int_equal(p->n_samples, 1);
	assert_int_equal(p->samples[0].n_locations, 3);
	assert_int_equal(ep_profile_values(p, 0)[0], 3);
	assert_int_equal(ep_profile_values(p, 0)[1], 30);
	assert_int_equal(p->duration_ns, 500);
	assert_int_equal(p->n_mappings, 2);
	assert_true(ep_slice_is(ep_profile_str(p, p->mappings[0].build_id), "ab12"));
	assert_int_equal(p->mappings[1].file_offset, 0x500);
	struct ep_ledger l;
	assert_true(ep_ledger_of_profile(p, &l));
	assert_int_equal(l.lost, 1);
	bool seen = false;
	for (uint32_t i = 0; i < p->n_labels; i++)
		seen |= ep_slice_is(ep_profile_str(p, p->labels[i].str), "a?b");
	assert_true(seen);
}
