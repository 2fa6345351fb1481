/*
 * append.c - from a profile and its labels to a record for the writer.
 *
 * Folding and packing are done by the caller's thread; only the transaction is
 * the writer's.
 */
#include "base/clock.h"
#include "codec/zstd.h"
#include "store/inside.h"
#include "store/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LABELS = 256, MAX_TEXT = 64 << 10, MAX_COLUMNS = 64, N_TYPE_LABELS = 6 };

static const struct ep_slice unknown_service = {"unknown_service", 15};

/* --- labels --------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
	return ep_slice_cmp(((const struct ep_kv *)a)->key, ((const struct ep_kv *)b)->key);
}

static bool is_type_label(struct ep_slice key)
{
	static const char *const names[] = {"__profile_type__", "__name__",	   "__type__",
					    "__unit__",		"__period_type__", "__period_unit__"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (ep_slice_is(key, names[i]))
			return true;
	return false;
}

static int check_label(const struct ep_kv *kv, struct ep_err *err)
{
	if (!kv->key.n)
		return ep_fail(err, -EINVAL, 0, "a label has no name");
	if (kv->key.n > MAX_TEXT || kv->value.n > MAX_TEXT)
		return ep_fail(err, -E2BIG, 0, "label %.*s… has %zu bytes, the limit is %d",
			       (int)(kv->key.n < 40 ? kv->key.n : 40), kv->key.p,
			       kv->key.n + kv->value.n, MAX_TEXT);
	return 0;
}

struct labels {
	struct ep_kv *v; /* own and type labels; room for both */
	uint32_t n;
	struct ep_slice name, service; /* __name__, service_name */
};

/* An empty value is the same as no label. */
static int take_labels(const struct ep_store_profile *in, struct ep_arena *a, struct labels *ret,
		       struct ep_err *err)
{
	if (in->n_labels > MAX_LABELS)
		return ep_fail(err, -E2BIG, 0, "%u series labels, the limit is %d", in->n_labels,
			       MAX_LABELS);
	struct labels l = {.service = unknown_service};
	l.v = ep_arena_array(a, struct ep_kv, (size_t)in->n_labels + N_TYPE_LABELS + 1);
	if (!l.v)
		return ep_fail(err, -ENOMEM, 0, "no memory for labels");
	bool has_service = false;
	for (uint32_t i = 0; i < in->n_labels; i++) {
		const struct ep_kv *kv = &in->labels[i];
		EP_TRY(check_label(kv, err));
		if (ep_slice_is(kv->key, "__name__"))
			l.name = kv->value;
		if (is_type_label(kv->key) || !kv->value.n)
			continue;
		if (ep_slice_is(kv->key, "service_name")) {
			l.service = kv->value;
			has_service = true;
		}
		l.v[l.n++] = *kv;
	}
	if (!has_service)
		l.v[l.n++] = (struct ep_kv){ep_slice_of("service_name"), unknown_service};
	qsort(l.v, l.n, sizeof(*l.v), by_key);
	for (uint32_t i = 1; i < l.n; i++)
		if (ep_slice_eq(l.v[i].key, l.v[i - 1].key))
			return ep_fail(err, -EINVAL, 0, "label %.*s is given twice",
				       EP_SLICE_ARG(l.v[i].key));
	*ret = l;
	return 0;
}

/* A series' labels: the profile's own and those of the column's type. */
static int column_labels(const struct labels *own, const struct ep_profile *p, uint32_t col,
			 struct ep_arena *a, struct labels *ret)
{
	struct ep_slice type = ep_profile_str(p, p->sample_types[col].type);
	struct ep_slice unit = ep_profile_str(p, p->sample_types[col].unit);
	struct ep_slice ptype = ep_profile_str(p, p->period_type.type);
	struct ep_slice punit = ep_profile_str(p, p->period_type.unit);
	struct ep_slice name = own->name.n ? own->name : type;
	size_t n = name.n + type.n + unit.n + ptype.n + punit.n + 8;
	char *id = ep_arena_alloc(a, n);
	struct labels l = *own;
	l.v = ep_arena_array(a, struct ep_kv, (size_t)own->n + N_TYPE_LABELS + 1);
	if (!l.v || !id)
		return -ENOMEM;
	int len = snprintf(id, n, "%.*s:%.*s:%.*s:%.*s:%.*s", EP_SLICE_ARG(name), EP_SLICE_ARG(type),
			   EP_SLICE_ARG(unit), EP_SLICE_ARG(ptype), EP_SLICE_ARG(punit));
	const struct ep_kv of_type[N_TYPE_LABELS] = {
		{ep_slice_of("__profile_type__"), {id, (size_t)len}},
		{ep_slice_of("__name__"), name},
		{ep_slice_of("__type__"), type},
		{ep_slice_of("__unit__"), unit},
		{ep_slice_of("__period_type__"), ptype},
		{ep_slice_of("__period_unit__"), punit},
	};
	memcpy(l.v, own->v, own->n * sizeof(*l.v));
	for (uint32_t i = 0; i < N_TYPE_LABELS; i++)
		if (of_type[i].value.n)
			l.v[l.n++] = of_type[i];
	qsort(l.v, l.n, sizeof(*l.v), by_key);
	*ret = l;
	return 0;
}

/* --- time --------------------------------------------------------------------------------- */

static int check_time(uint64_t time_ns, uint64_t duration_ns, struct ep_err *err)
{
	uint64_t now = ep_clock_wall_ns();
	if (duration_ns > EP_STORE_MAX_AGE_NS)
		return ep_fail(err, -EINVAL, 0,
			       "the profile is over %llu days long, the limit is %llu days",
			       (unsigned long long)(duration_ns / EP_NS_PER_S / 86400),
			       EP_STORE_MAX_AGE_NS / EP_NS_PER_S / 86400);
	if (time_ns > now + EP_STORE_MAX_AHEAD_NS)
		return ep_fail(err, -EINVAL, 0,
			       "the profile's time is %llu s in the future, the limit is %llu s: "
			       "check the sender's clock",
			       (unsigned long long)((time_ns - now) / EP_NS_PER_S),
			       EP_STORE_MAX_AHEAD_NS / EP_NS_PER_S);
	if (time_ns + EP_STORE_MAX_AGE_NS < now)
		return ep_fail(err, -EINVAL, 0,
			       "the profile is %llu days old, the limit is %llu days (longest "
			       "retention tier)",
			       (unsigned long long)((now - time_ns) / EP_NS_PER_S / 86400),
			       EP_STORE_MAX_AGE_NS / EP_NS_PER_S / 86400);
	return 0;
}

/* --- columns ------------------------------------------------------------------------------- */

/* Columns of one type would be one series with two profiles at one time. */
static int check_columns(const struct ep_profile *p, struct ep_err *err)
{
	uint32_t n = p->n_sample_types;
	if (!n || n > MAX_COLUMNS)
		return ep_fail(err, n ? -E2BIG : -EINVAL, 0,
			       "%u sample types, 1 to %d can be stored", n, MAX_COLUMNS);
	for (uint32_t i = 1; i < n; i++) {
		struct ep_slice type = ep_profile_str(p, p->sample_types[i].type);
		struct ep_slice unit = ep_profile_str(p, p->sample_types[i].unit);
		for (uint32_t k = 0; k < i; k++)
			if (ep_slice_eq(type, ep_profile_str(p, p->sample_types[k].type)) &&
			    ep_slice_eq(unit, ep_profile_str(p, p->sample_types[k].unit)))
				return ep_fail(err, -EINVAL, 0, "sample type %.*s/%.*s is given twice",
					       EP_SLICE_ARG(type), EP_SLICE_ARG(unit));
	}
	return 0;
}

/* --- the record ------------------------------------------------------------------------------ */

static int sum_column(const struct ep_rows *r, uint32_t col, struct ep_head_point *to,
		      struct ep_err *err)
{
	for (uint32_t i = 0; i < r->n; i++) {
		int64_t v = r->values[(size_t)i * r->n_cols + col];
		if (__builtin_add_overflow(to->total, v, &to->total))
			return ep_fail(err, -E2BIG, 0,
				       "the values of a profile add up to over 2^63");
		to->samples += v != 0;
	}
	return 0;
}

/* Samples taken are counted by a column samples/count, if there is one. */
static uint32_t samples_column(const struct ep_profile *p)
{
	for (uint32_t c = 0; c < p->n_sample_types; c++)
		if (ep_slice_is(ep_profile_str(p, p->sample_types[c].type), "samples") &&
		    ep_slice_is(ep_profile_str(p, p->sample_types[c].unit), "count"))
			return c;
	return EP_NONE;
}

struct record {
	struct ep_arena *a;
	const struct ep_store_profile *in;
	struct labels labels;
	struct ep_rows rows;
	struct ep_buf blob;
};

static int make_points(struct ep_head *h, struct record *r, struct ep_job *job, struct ep_err *err)
{
	uint32_t n = r->in->p->n_sample_types;
	struct ep_head_point *points = ep_arena_array(r->a, struct ep_head_point, (size_t)n + 1);
	if (!points)
		return ep_fail(err, -ENOMEM, 0, "no memory for a profile");
	uint32_t counts = samples_column(r->in->p);
	for (uint32_t c = 0; c < n; c++) {
		points[c].col = c;
		points[c].time_ns = r->in->time_ns;
		points[c].duration_ns = r->in->duration_ns;
		points[c].ledger = r->in->ledger;
		EP_TRY(sum_column(&r->rows, c, &points[c], err));
	}
	/* Last, since a series stays, whatever becomes of its profile. */
	for (uint32_t c = 0; c < n; c++) {
		struct labels l = {0};
		if (column_labels(&r->labels, r->in->p, c, r->a, &l) < 0 ||
		    ep_head_series(h, l.v, l.n, job->w.service, &points[c].series) < 0)
			return ep_fail(err, -ENOMEM, 0, "no memory for a series");
	}
	for (uint32_t c = 0; counts != EP_NONE && c < n; c++)
		points[c].samples = (uint64_t)points[counts].total;
	job->w.points = points;
	job->w.n_points = n;
	return 0;
}

static int fold(struct ep_dict *d, struct record *r, struct ep_err *err)
{
	pthread_mutex_lock(&d->lock);
	int rc = ep_rows_fold(d, r->in->p, r->a, &r->rows, err);
	pthread_mutex_unlock(&d->lock);
	EP_TRY(rc);
	ep_auto(ep_zstd) z = ep_zstd_new();
	if (!z)
		return ep_fail(err, -ENOMEM, 0, "no memory to pack a profile");
	return ep_blob_encode(&r->rows, z, &r->blob, err);
}

static int write_record(struct ep_store *s, struct ep_head *h, struct record *r, struct ep_err *err)
{
	struct ep_job job = {.head = h};
	if (ep_head_service(h, r->labels.service, &job.w.service) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for a service");
	EP_TRY(ep_head_dict(h, job.w.service, &job.w.dict, err));
	if (atomic_load(&h->damaged))
		return -EAGAIN; /* loading found it: another head is needed */
	ep_buf_clear(&r->blob);
	EP_TRY(fold(job.w.dict, r, err));
	EP_TRY(make_points(h, r, &job, err));
	job.w.blob = r->blob.data;
	job.w.n_blob = r->blob.len;
	return ep_store_write(s, &job, err);
}

static int append(struct ep_store *s, struct record *r, struct ep_err *err)
{
	EP_TRY(take_labels(r->in, r->a, &r->labels, err));
	for (int tries = 0; tries < 2; tries++) {
		struct ep_head *h = NULL;
		EP_TRY(ep_store_take_head(s, &h, err));
		int rc = write_record(s, h, r, err);
		bool damaged = atomic_load(&h->damaged);
		ep_store_drop_head(s, h);
		if (rc != -EAGAIN || !damaged)
			return rc;
	}
	return ep_fail(err, -EIO, 0, "no head can be written");
}

int ep_store_append(struct ep_store *s, const struct ep_store_profile *in, struct ep_err *err)
{
	int rc = check_time(in->time_ns, in->duration_ns, err);
	if (!rc)
		rc = check_columns(in->p, err);
	struct record r = {.in = in, .a = rc ? NULL : ep_arena_new(0)};
	if (!rc && !r.a)
		rc = ep_fail(err, -ENOMEM, 0, "no memory for a profile");
	ep_buf_init(&r.blob, SIZE_MAX / 2);
	if (!rc)
		rc = append(s, &r, err);
	ep_buf_fini(&r.blob);
	ep_arena_free(r.a);
	pthread_mutex_lock(&s->lock);
	s->stats.appended += !rc;
	s->stats.refused += rc < 0;
	pthread_mutex_unlock(&s->lock);
	return rc;
}
