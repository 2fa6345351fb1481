/* What `top` shows, as a profile. */
#include "profile/decode.h"
#include "report/report.h"
#include "small.h"
#include "test.h"

TEST(topproto_has_a_sample_of_cum_and_flat_for_each_row)
{
	struct small s;
	struct ep_report_options o;
	ep_report_options_init(&o);
	o.kind = EP_REPORT_TOPPROTO;
	o.unit = "us";
	small_start(&s, "cpu", "nanoseconds");
	small_add(&s, "main work", 5000);
	small_add(&s, "main", 1000);
	struct ep_buf out;
	ep_buf_init(&out, 1 << 20);
	assert_int_equal(ep_report_write(small_finish(&s), &o, NULL, NULL, &out, NULL), 0);
	ep_auto(ep_profile) p = NULL;
	assert_int_equal(ep_decode(out.data, out.len, 0, &p, NULL), 0);
	assert_int_equal(p->n_sample_types, 2);
	assert_true(ep_slice_is(ep_profile_str(p, p->sample_types[0].type), "cum"));
	assert_true(ep_slice_is(ep_profile_str(p, p->sample_types[1].type), "flat"));
	assert_true(ep_slice_is(ep_profile_str(p, p->sample_types[1].unit), "us"));
	assert_int_equal(p->n_samples, 2);
	assert_int_equal(ep_profile_values(p, 0)[0], 5);
	assert_int_equal(ep_profile_values(p, 0)[1], 5);
	assert_int_equal(ep_profile_values(p, 1)[0], 6);
	assert_int_equal(ep_profile_values(p, 1)[1], 1);
	assert_true(ep_slice_is(ep_profile_str(p, p->functions[1].name), "main"));
	ep_buf_fini(&out);
	small_fini(&s);
}
