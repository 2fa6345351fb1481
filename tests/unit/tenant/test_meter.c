#include "test.h"

#include "base/clock.h"
#include "tenant/meter.h"
#include "tenant/tenant.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define S EP_NS_PER_S
#define DAY (86400 * S)

static struct ep_tenant tenant;

static struct ep_tenant *fresh(struct ep_limits limits)
{
	ep_meter_free(tenant.meter);
	tenant = (struct ep_tenant){.name = "shop", .limits = limits, .meter = ep_meter_new()};
	assert_non_null(tenant.meter);
	return &tenant;
}

TEST(a_rate_lets_a_burst_through_then_waits_until_the_debt_is_paid)
{
	struct ep_tenant *t = fresh((struct ep_limits){.rate = 100, .burst = 500});
	struct ep_err err = {0};
	uint64_t retry = 0;
	assert_int_equal(ep_meter_admit(t, 10 * S, DAY, &retry, NULL), 0);
	ep_meter_charge(t, 800, 10 * S, DAY); /* 300 over */
	assert_int_equal(ep_meter_admit(t, 10 * S, DAY, &retry, &err), -EAGAIN);
	assert_int_equal(retry, 4);
	static const char *const words[] = {"rate: 300 bytes over", "100 bytes/s", "tenants: shop: rate:"};
	for (unsigned i = 0; i < 3; i++)
		assert_non_null(strstr(err.text, words[i]));
	assert_int_equal(ep_meter_admit(t, 13 * S, DAY, &retry, NULL), -EAGAIN);
	assert_int_equal(ep_meter_admit(t, 14 * S, DAY, &retry, NULL), 0);
	/* It never holds more than the burst. */
	ep_meter_charge(t, 499, 1000 * S, DAY);
	assert_int_equal(ep_meter_admit(t, 1000 * S, DAY, &retry, NULL), 0);
	ep_meter_charge(t, 1, 1000 * S, DAY);
	assert_int_equal(ep_meter_admit(t, 1000 * S, DAY, &retry, NULL), -EAGAIN);
}

TEST(without_limits_everything_passes_and_is_counted)
{
	struct ep_tenant *t = fresh((struct ep_limits){0});
	struct ep_meter_stats stats;
	uint64_t retry;
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(ep_meter_admit(t, S, DAY, &retry, NULL), 0);
		ep_meter_charge(t, 1 << 20, S, DAY);
	}
	ep_meter_get_stats(t, &stats);
	assert_int_equal(stats.bytes, 1000ull << 20);
	assert_int_equal(stats.refused, 0);
}

TEST(a_day_begins_anew)
{
	struct ep_tenant *t = fresh((struct ep_limits){.daily = 1000});
	struct ep_err err = {0};
	uint64_t retry = 0;
	ep_meter_charge(t, 1000, S, 5 * DAY + 86000 * S);
	assert_int_equal(ep_meter_admit(t, S, 5 * DAY + 86000 * S, &retry, &err), -EAGAIN);
	assert_int_equal(retry, 401);
	assert_non_null(strstr(err.text, "daily: 1000 bytes today, the limit is 1000"));
	assert_int_equal(ep_meter_admit(t, 2 * S, 6 * DAY, &retry, NULL), 0);
}

static int labels_at(struct ep_tenant *t, uint64_t set, const char *value, uint64_t now_ns,
		     struct ep_err *err)
{
	struct ep_meter_label v[2] = {{ep_slice_of("service_name"), ep_slice_of("a")},
				      {ep_slice_of("pod"), ep_slice_of(value)}};
	return ep_meter_labels(t, v, 2, set, now_ns, err);
}

TEST(known_series_go_on_past_the_limit_and_are_forgotten_after_an_hour_or_two)
{
	struct ep_tenant *t = fresh((struct ep_limits){.series = 1000});
	struct ep_err err = {0};
	for (uint64_t i = 1; i <= 1000; i++)
		assert_int_equal(labels_at(t, i * 0x9e3779b97f4a7c15, "x", S, NULL), 0);
	assert_int_equal(labels_at(t, 5, "x", S, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "series: 1000 label sets within the hour, the limit is 1000"));
	for (uint64_t i = 1; i <= 1000; i++)
		assert_int_equal(labels_at(t, i * 0x9e3779b97f4a7c15, "x", 2 * S, NULL), 0);
	/* In the next hour half of them come again: the others still count, and then not. */
	for (uint64_t i = 1; i <= 500; i++)
		assert_int_equal(labels_at(t, i * 0x9e3779b97f4a7c15, "x", 3700 * S, NULL), 0);
	assert_int_equal(labels_at(t, 5, "x", 3700 * S, NULL), -EAGAIN);
	assert_int_equal(labels_at(t, 5, "x", 7400 * S, NULL), 0);
}

TEST(label_limits_name_the_label)
{
	static const struct {
		struct ep_limits limits;
		int rc;
		const char *words;
	} cases[] = {
		{{.label_names = 1}, -EINVAL, "label-names): 2 labels, the limit is 1"},
		{{.label_name_size = 5}, -EINVAL, "label-name-size): 12 bytes, the limit is 5"},
		{{.label_value_size = 3}, -EINVAL, "label-value-size): pod has 4 bytes, the limit is 3"},
		{{.label_names = 2, .label_name_size = 12, .label_value_size = 4}, 0, ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ep_err err = {0};
		struct ep_tenant *t = fresh(cases[i].limits);
		assert_int_equal(labels_at(t, 1, "1234", S, &err), cases[i].rc);
		assert_non_null(strstr(err.text, cases[i].words));
	}
}

TEST(values_of_one_label_are_bounded_and_known_ones_pass)
{
	struct ep_tenant *t = fresh((struct ep_limits){.label_values = 100});
	struct ep_err err = {0};
	char value[16];
	for (unsigned i = 0; i < 100; i++) {
		snprintf(value, sizeof(value), "%u", i);
		assert_int_equal(labels_at(t, i, value, S, NULL), 0);
	}
	assert_int_equal(labels_at(t, 1, "new", S, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "label-values: pod has 100 values within the hour, the limit is 100"));
	assert_int_equal(labels_at(t, 1, "7", S, NULL), 0);
}
