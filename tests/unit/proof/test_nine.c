#include "test.h"

#include "proof/nine.h"

#include <string.h>

#define NOW 1700000000000ll

/* A service that is in order, as far as the server knows. */
static struct ep_shelf good(void)
{
	struct ep_shelf s = {
		.known = true,
		.last_ms = NOW - 8000,
		.n_profiles = 90,
		.has_live_heap = true,
		.n_scopes = 5,
		.asked = 1000,
		.taken = 1000,
		.total = 1000000000,
		.version_samples = 10000,
		.labels = {.weight = 1000000000,
			   .labelled = 900000000,
			   .n_threads = 4,
			   .n_values = 5},
	};
	strcpy(s.profilers, "library");
	strcpy(s.open, "connections");
	strcpy(s.version, "1.2");
	strcpy(s.labels.names, "endpoint (5 values)");
	strcpy(s.labels.widest, "endpoint");
	return s;
}

static struct ep_nines answer(const struct ep_shelf *s, const char *server_error)
{
	static const struct ep_here nobody;
	struct ep_nine_facts f = {.service = "shop",
				  .server_error = server_error,
				  .shelf = s,
				  .now_ms = NOW,
				  .range_ms = 900000,
				  .here = &nobody};
	struct ep_nines n;
	ep_nine_answer(&f, &n);
	return n;
}

/* Exactly this one is a no, and says what to do. */
static void assert_only_no(const struct ep_shelf *s, enum ep_nine which)
{
	struct ep_nines n = answer(s, NULL);
	assert_int_equal(ep_nine_count(&n, EP_REPLY_NO), 1);
	assert_int_equal(n.of[which].reply, EP_REPLY_NO);
	assert_true(*n.of[which].todo);
}

TEST(a_service_in_order_has_seven_yes_from_the_server)
{
	struct ep_shelf s = good();
	struct ep_nines n = answer(&s, NULL);
	assert_int_equal(ep_nine_count(&n, EP_REPLY_YES), 7);
	assert_int_equal(n.of[EP_NINE_PRIVATE].reply, EP_REPLY_UNKNOWN);
	assert_int_equal(n.of[EP_NINE_CLAMPED].reply, EP_REPLY_UNKNOWN);
}

TEST(each_fault_is_one_no)
{
	struct ep_shelf s = good();
	s.last_ms = NOW - 91000;
	assert_only_no(&s, EP_NINE_WIRED);
	s = good();
	s.labels.labelled = 499000000;
	assert_only_no(&s, EP_NINE_LABELS);
	s = good();
	s.labels.n_without = 1;
	assert_only_no(&s, EP_NINE_PROPAGATED);
	s = good();
	s.labels.other = 1;
	assert_only_no(&s, EP_NINE_BOUNDED);
	s = good();
	s.labels.n_values = 257;
	assert_only_no(&s, EP_NINE_BOUNDED);
	s = good();
	s.has_live_heap = false;
	assert_only_no(&s, EP_NINE_LEAKS);
	s = good();
	*s.open = '\0';
	assert_only_no(&s, EP_NINE_LEAKS);
	s = good();
	s.version_samples = 9999;
	assert_only_no(&s, EP_NINE_PGO);
	s = good();
	*s.version = '\0';
	assert_only_no(&s, EP_NINE_PGO);
	s = good();
	s.lost = 11;
	assert_only_no(&s, EP_NINE_WHOLE);
	s = good();
	s.truncated = 51;
	assert_only_no(&s, EP_NINE_WHOLE);
	s = good();
	s.unnamed = 51000000;
	assert_only_no(&s, EP_NINE_WHOLE);
}

TEST(too_little_cpu_time_is_no_evidence_about_labels)
{
	struct ep_shelf s = good();
	s.labels.weight = s.labels.labelled = 499000000;
	struct ep_nines n = answer(&s, NULL);
	assert_int_equal(n.of[EP_NINE_LABELS].reply, EP_REPLY_UNKNOWN);
	assert_int_equal(n.of[EP_NINE_PROPAGATED].reply, EP_REPLY_UNKNOWN);
	assert_int_equal(n.of[EP_NINE_BOUNDED].reply, EP_REPLY_UNKNOWN);
	assert_int_equal(ep_nine_count(&n, EP_REPLY_NO), 0);
}

TEST(a_server_that_is_not_there_leaves_all_unknown)
{
	struct ep_shelf s = {.known = false};
	struct ep_nines n = answer(&s, "nobody there");
	assert_int_equal(ep_nine_count(&n, EP_REPLY_UNKNOWN), EP_NINES);
	assert_string_equal(n.of[EP_NINE_WIRED].evidence, "nobody there");
}

TEST(every_answer_has_a_line)
{
	struct ep_shelf s = good();
	struct ep_nines n = answer(&s, NULL);
	struct ep_buf b;
	size_t lines = 0;
	ep_buf_init(&b, 1 << 16);
	ep_nine_format(&n, false, &b);
	for (const char *p = ep_buf_cstr(&b); (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_int_equal(lines, EP_NINES + 1); /* one of them says what to do */
	assert_null(strchr(ep_buf_cstr(&b), '\033'));
	ep_buf_fini(&b);
}
