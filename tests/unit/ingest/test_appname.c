#include "test.h"

#include "ingest/appname.h"
#include "profile/build.h"

#include "codec/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

TEST(appname_splits_names_and_labels)
{
	struct ep_labelset_in *l = calloc(1, sizeof(*l));
	struct ep_slice app;
	assert_int_equal(ep_appname_parse(ep_slice_of("shop.backend{ region = eu west , a.b/c-d=1,"
						      "__session_id__=7,__name__=x,e=\xc3\xbc,"
						      "region=us}rest"),
					  false, &app, l, NULL),
			 0);
	assert_true(ep_slice_is(app, "shop.backend"));
	assert_int_equal(l->n, 4);
	assert_true(ep_slice_is(ep_accept_find(l, "region"), "us"));
	assert_true(ep_slice_is(ep_accept_find(l, "a.b/c-d"), "1"));
	assert_true(ep_slice_is(ep_accept_find(l, "__session_id__"), "7"));
	assert_true(ep_slice_is(ep_accept_find(l, "e"), "\xc3\xbc"));
	free(l);
}

TEST(appname_refuses_what_is_malformed)
{
	static const char *const table[] = {"", "{a=b}", "a{", "a{b=c", "a{b}", "a{=c}", "a{b c=d}",
					    "a\nb", "a}b", "a\xff", "a{b=\xff}"};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct ep_labelset_in *l = calloc(1, sizeof(*l));
		struct ep_slice app;
		struct ep_err err = {0};
		if (ep_appname_parse(ep_slice_of(table[i]), false, &app, l, &err) != -EINVAL)
			fail_msg("row %zu is taken", i);
		assert_true(err.text[0] != '\0');
		free(l);
	}
}

static void check_metric(const char *const *types, const char *config, const char *want)
{
	ep_auto(ep_build) b = NULL;
	ep_auto(ep_profile) p = NULL;
	ep_auto(ep_json) json = NULL;
	char buf[64];
	assert_int_equal(ep_build_new(0, &b), 0);
	for (; *types; types++)
		ep_build_sample_type(b, *types, "count");
	assert_int_equal(ep_build_finish(b, &p, NULL), 0);
	if (config)
		assert_int_equal(ep_json_parse(ep_slice_of(config), &json, NULL), 0);
	assert_string_equal(ep_metric_name(p, json, buf, sizeof(buf)), want);
}

TEST(metric_names_are_those_of_pyroscope)
{
	check_metric((const char *[]){"samples", "cpu", NULL}, NULL, "process_cpu");
	check_metric((const char *[]){"samples", "wall", "cpu", NULL}, NULL, "wall");
	check_metric((const char *[]){"inuse_objects", "inuse_space", NULL}, NULL, "memory");
	check_metric((const char *[]){"objects", "space", NULL}, NULL, "memory");
	check_metric((const char *[]){"goroutine", NULL}, NULL, "goroutines");
	check_metric((const char *[]){"contentions", "delay", NULL}, NULL, "mutex");
	check_metric((const char *[]){"contentions", "delay", NULL},
		     "{\"contentions\":{\"display-name\":\"block_count\"},"
		     "\"delay\":{\"display-name\":\"block_duration\"}}",
		     "block");
	check_metric((const char *[]){"off_cpu", NULL}, NULL, "off_cpu");
	check_metric((const char *[]){"threads", NULL}, NULL, "threads");
}
