/* accept.c - see accept.h. */
#include "ingest/accept.h"

#include "base/clock.h"
#include "base/hash.h"
#include "codec/json.h"
#include "net/connect.h"
#include "profile/decode.h"
#include "profile/ledger.h"
#include "tenant/meter.h"
#include "tenant/tenant.h"

#include <string.h>

enum { MAX_TYPE_TEXT = 200 };
/* Before 1971 means the producer's clock was not set. */
#define MIN_TIME_NS (365 * 86400 * EP_NS_PER_S)

static bool has_control(struct ep_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return true;
	return false;
}

int ep_accept_label(struct ep_labelset_in *l, struct ep_slice name, struct ep_slice value,
		    struct ep_err *err)
{
	if (!name.n || has_control(name) || !ep_json_is_utf8(name))
		return ep_fail(err, -EINVAL, 0,
			       "invalid_labels: a label name is empty, or holds control "
			       "characters, or is not UTF-8");
	if (name.n > EP_ACCEPT_MAX_LABEL_NAME)
		return ep_fail(err, -EINVAL, 0,
			       "label_name_too_long: %zu bytes, the limit is %d", name.n,
			       EP_ACCEPT_MAX_LABEL_NAME);
	if (!ep_json_is_utf8(value))
		return ep_fail(err, -EINVAL, 0, "invalid_labels: the value of %.*s is not UTF-8",
			       (int)(name.n > 64 ? 64 : name.n), name.p);
	if (value.n > EP_ACCEPT_MAX_LABEL_VALUE)
		return ep_fail(err, -EINVAL, 0,
			       "label_value_too_long: %.*s has %zu bytes, the limit is %d",
			       (int)(name.n > 64 ? 64 : name.n), name.p, value.n,
			       EP_ACCEPT_MAX_LABEL_VALUE);
	uint32_t i = 0;
	while (i < l->n && !ep_slice_eq(l->v[i].key, name))
		i++;
	if (i == EP_ACCEPT_MAX_LABELS)
		return ep_fail(err, -EINVAL, 0,
			       "max_label_names_per_series: over %d labels on one series",
			       EP_ACCEPT_MAX_LABELS);
	l->n += i == l->n;
	l->v[i] = (struct ep_kv){name, value};
	return 0;
}

struct ep_slice ep_accept_find(const struct ep_labelset_in *l, const char *name)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (ep_slice_is(l->v[i].key, name))
			return l->v[i].value;
	return (struct ep_slice){0};
}

/* Types become parts of an id that is split at colons. */
static int check_types(const struct ep_profile *p, struct ep_err *err)
{
	for (uint32_t i = 0; i < p->n_sample_types; i++) {
		struct ep_slice type = ep_profile_str(p, p->sample_types[i].type);
		struct ep_slice unit = ep_profile_str(p, p->sample_types[i].unit);
		bool bad = !type.n || type.n > MAX_TYPE_TEXT || unit.n > MAX_TYPE_TEXT ||
			   memchr(type.p, '-', type.n) || memchr(type.p, ':', type.n) ||
			   (unit.n && memchr(unit.p, ':', unit.n)) || has_control(type) ||
			   has_control(unit) || !ep_json_is_utf8(type) ||
			   !ep_json_is_utf8(unit);
		if (bad)
			return ep_fail(err, -EINVAL, 0,
				       "malformed_profile: sample type %u is empty, over %d "
				       "bytes, or holds -, : or control characters",
				       i, MAX_TYPE_TEXT);
	}
	return 0;
}

/* The profile's own time counts, unless its clock was not set. */
static void pick_time(const struct ep_accept *a, const struct ep_profile *p,
		      struct ep_store_profile *out)
{
	uint64_t t = p->time_ns > 0 ? (uint64_t)p->time_ns : 0;
	if (t < MIN_TIME_NS)
		t = a->from_ns;
	if (t < MIN_TIME_NS)
		t = ep_clock_wall_ns();
	out->time_ns = t;
	out->duration_ns = p->duration_ns > 0 ? (uint64_t)p->duration_ns : 0;
	if (!out->duration_ns && a->until_ns > a->from_ns && a->from_ns)
		out->duration_ns = a->until_ns - a->from_ns;
}

static int decode(struct ep_ingest *in, const struct ep_accept *a, struct ep_profile **ret_p,
		  struct ep_err *err)
{
	uint64_t own = a->x->tenant->limits.profile_size;
	bool is_own = own && own < in->cfg.max_profile_bytes;
	size_t max = is_own ? (size_t)own : in->cfg.max_profile_bytes;
	char advice[160];
	int rc = ep_decode(a->pprof.p, a->pprof.n, max, ret_p, err);
	if (rc != -E2BIG)
		return rc;
	ep_meter_advice(a->x->tenant, "profile-size", advice, sizeof(advice));
	if (is_own)
		ep_err_context(err, "profile-size: the limit is %zu bytes unpacked; %s", max, advice);
	else
		ep_err_context(err, "profile too large (--max-profile is %zu)", max);
	return rc;
}

/* The metric's name is among the labels by now. */
static int check_limits(const struct ep_accept *a, struct ep_err *err)
{
	struct ep_meter_label v[EP_ACCEPT_MAX_LABELS];
	uint64_t set = 0; /* whatever the order */
	for (uint32_t i = 0; i < a->labels->n; i++) {
		const struct ep_kv *l = &a->labels->v[i];
		v[i] = (struct ep_meter_label){l->key, l->value};
		set += ep_hash_mix(ep_hash64(l->key.p, l->key.n), ep_hash64(l->value.p, l->value.n));
	}
	return ep_meter_labels(a->x->tenant, v, a->labels->n, set, ep_clock_mono_ns(), err);
}

static int take(struct ep_ingest *in, const struct ep_accept *a, struct ep_err *err)
{
	ep_auto(ep_profile) p = NULL;
	char metric[MAX_TYPE_TEXT + 1];
	if (!a->pprof.n)
		return 0;
	EP_TRY(decode(in, a, &p, err));
	if (!p->n_samples)
		return 0;
	EP_TRY(check_types(p, err));
	if (!ep_accept_find(a->labels, "__name__").n) {
		const char *name = ep_metric_name(p, a->types, metric, sizeof(metric));
		EP_TRY(ep_accept_label(a->labels, ep_slice_of("__name__"), ep_slice_of(name),
				       err));
	}
	EP_TRY(check_limits(a, err));
	struct ep_store_profile sp = {.p = p, .labels = a->labels->v, .n_labels = a->labels->n};
	pick_time(a, p, &sp);
	(void)ep_ledger_of_profile(p, &sp.ledger); /* foreign profiles have none */
	EP_TRY(ep_store_append(atomic_load(&a->x->tenant->store), &sp, err));
	atomic_fetch_add(&in->samples, p->n_samples);
	if (in->cfg.on_profile)
		in->cfg.on_profile(in->cfg.arg, a->x, p);
	return 0;
}

int ep_accept(struct ep_ingest *in, const struct ep_accept *a, struct ep_err *err)
{
	int rc = take(in, a, err);
	atomic_fetch_add(rc < 0 ? &in->rejected : &in->profiles, 1);
	if (rc >= 0)
		atomic_fetch_add(&in->bytes, a->pprof.n);
	return rc;
}

void ep_accept_fail(struct ep_http *x, int rc, const struct ep_err *err)
{
	const char *code = ep_connect_code_of(rc);
	int status = ep_connect_status(code);
	if (rc == -EBADMSG || rc == -ENODATA || rc == -EINVAL)
		status = 422;
	else if (rc == -E2BIG)
		status = 413;
	else if (rc == -EAGAIN)
		status = 429, code = "resource_exhausted";
	else if (rc == -ENOSPC)
		status = 507;
	ep_http_fail(x, status, code, "%s", err->text[0] ? err->text : strerror(-rc));
}
