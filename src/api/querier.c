/*
 * querier.c - querier.v1.QuerierService: what Grafana and Pyroscope's tools ask.
 *
 * Connect JSON and protobuf, and gRPC.  Numbers of fields are of the service's
 * published definition; the semantics (missing ranges, limits, empty answers) are
 * what its clients rely on.
 */
#include "api/room.h"

#include "api/pprof_json.h"
#include "api/request.h"
#include "base/clock.h"
#include "codec/message.h"
#include "net/connect.h"
#include "profile/encode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_NODES = 8192, MAX_REQUEST = 4 << 20 };
enum { HEATMAP_SPAN = 2 };
enum { FORMAT_FLAMEGRAPH = 1, FORMAT_TREE = 2, FORMAT_DOT = 3, FORMAT_PPROF = 4 };

struct call {
	struct ep_query_env env;
	struct ep_connect c;
	struct ep_request r;
	struct ep_msg m; /* the answer */
};

/* --- common ------------------------------------------------------------------------ */

static int read_range(const struct ep_request *r, struct ep_query *q, struct ep_err *err)
{
	if (!r->start_ms || !r->end_ms)
		return ep_fail(err, -EINVAL, 0, "missing time range in the query");
	if (r->start_ms > r->end_ms)
		return ep_fail(err, -EINVAL, 0, "query start time is after end time");
	q->from_ms = r->start_ms;
	q->until_ms = r->end_ms;
	return 0;
}

static int read_query(const struct ep_request *r, struct ep_query *q, struct ep_err *err)
{
	*q = (struct ep_query){.type = r->type, .selector = r->selector};
	EP_TRY(read_range(r, q, err));
	if (r->ids.n)
		return ep_fail(err, -ENOTSUP, 0,
			       "profiles are not kept by profile or trace id here");
	return ep_params_type(&q->type, err);
}

static int read_max_nodes(const struct ep_request *r, uint32_t otherwise, uint32_t *ret,
			  struct ep_err *err)
{
	if (r->max_nodes < 0)
		return ep_fail(err, -EINVAL, 0,
			       "max flamegraph nodes limit must be set (max allowed %d)",
			       EP_API_MAX_NODES);
	if (r->max_nodes > EP_API_MAX_NODES)
		return ep_fail(err, -EINVAL, 0,
			       "max flamegraph nodes limit %lld is greater than allowed %d",
			       (long long)r->max_nodes, EP_API_MAX_NODES);
	*ret = r->max_nodes ? (uint32_t)r->max_nodes : otherwise;
	return 0;
}

static void write_labels(struct ep_msg *m, const struct ep_kv *v, uint32_t n)
{
	ep_msg_array(m, "labels", 1);
	for (uint32_t i = 0; i < n; i++) {
		ep_msg_open(m, NULL, 0);
		ep_msg_str(m, "name", 1, v[i].key);
		ep_msg_str(m, "value", 2, v[i].value);
		ep_msg_close(m);
	}
	ep_msg_array_end(m);
}

/* --- names ------------------------------------------------------------------------- */

static int profile_types(struct call *k, struct ep_err *err)
{
	ep_auto(ep_types) t = NULL;
	struct ep_query q = {.from_ms = k->r.start_ms, .until_ms = k->r.end_ms};
	if (!q.from_ms && !q.until_ms) {
		q.until_ms = (int64_t)(ep_clock_wall_ns() / EP_NS_PER_MS);
		q.from_ms = q.until_ms - 3600 * 1000;
	}
	if (q.from_ms > q.until_ms)
		return ep_fail(err, -EINVAL, 0, "query start time is after end time");
	EP_TRY(ep_query_types(&k->env, &q, &t, err));
	if (!t->n)
		return 0;
	ep_msg_array(&k->m, "profileTypes", 1);
	for (uint32_t i = 0; i < t->n; i++) {
		ep_msg_open(&k->m, NULL, 0);
		ep_msg_str(&k->m, "ID", 1, t->v[i].id);
		ep_msg_str(&k->m, "name", 2, t->v[i].name);
		ep_msg_str(&k->m, "sampleType", 4, t->v[i].sample_type);
		ep_msg_str(&k->m, "sampleUnit", 5, t->v[i].sample_unit);
		ep_msg_str(&k->m, "periodType", 6, t->v[i].period_type);
		ep_msg_str(&k->m, "periodUnit", 7, t->v[i].period_unit);
		ep_msg_close(&k->m);
	}
	ep_msg_array_end(&k->m);
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return ep_slice_cmp(*(const struct ep_slice *)a, *(const struct ep_slice *)b);
}

/* A set of strings that outlive the results they came from. */
struct names {
	struct ep_arena *arena;
	struct ep_slice *v;
	size_t n, cap;
};

static int add_name(struct names *s, struct ep_slice name, struct ep_err *err)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 64;
		struct ep_slice *v = ep_arena_array(s->arena, struct ep_slice, cap);
		if (!v)
			return ep_fail(err, -ENOMEM, 0, "no memory for the names");
		if (s->n)
			memcpy(v, s->v, s->n * sizeof(*v));
		s->v = v;
		s->cap = cap;
	}
	char *copy = ep_arena_copy(s->arena, name.p, name.n);
	if (!copy)
		return ep_fail(err, -ENOMEM, 0, "no memory for the names");
	s->v[s->n++] = (struct ep_slice){copy, name.n};
	return 0;
}

static void write_names(struct ep_msg *m, struct names *s)
{
	if (!s->n)
		return;
	qsort(s->v, s->n, sizeof(*s->v), by_bytes);
	ep_msg_array(m, "names", 1);
	for (size_t i = 0; i < s->n; i++)
		if (!i || !ep_slice_eq(s->v[i], s->v[i - 1]))
			ep_msg_str(m, NULL, 0, s->v[i]);
	ep_msg_array_end(m);
}

static int add_label_names(struct call *k, const struct ep_query *q, struct names *s,
			   struct ep_err *err)
{
	ep_auto(ep_labels) l = NULL;
	EP_TRY(ep_query_labels(&k->env, q, &l, err));
	for (uint32_t i = 0; i < l->n; i++)
		EP_TRY(add_name(s, l->v[i].name, err));
	return 0;
}

static int add_label_values(struct call *k, const struct ep_query *q, struct names *s,
			    struct ep_err *err)
{
	ep_auto(ep_values) v = NULL;
	struct ep_values_opts o = {.name = k->r.name};
	EP_TRY(ep_query_values(&k->env, q, &o, &v, err));
	for (uint32_t i = 0; i < v->n; i++)
		if (v->v[i].value.n)
			EP_TRY(add_name(s, v->v[i].value, err));
	return 0;
}

/* For each matcher (one empty one when there is none), the union. */
static int collect(struct call *k,
		   int (*add)(struct call *, const struct ep_query *, struct names *,
			      struct ep_err *),
		   struct ep_err *err)
{
	struct names s = {.arena = k->c.x->arena};
	struct ep_query q = {0};
	EP_TRY(read_range(&k->r, &q, err));
	for (uint32_t i = 0; i < (k->r.list.n ? k->r.list.n : 1); i++) {
		q.selector = k->r.list.n ? k->r.list.v[i] : (struct ep_slice){0};
		EP_TRY(add(k, &q, &s, err));
	}
	write_names(&k->m, &s);
	return 0;
}

static int label_names(struct call *k, struct ep_err *err)
{
	return collect(k, add_label_names, err);
}

static int label_values(struct call *k, struct ep_err *err)
{
	if (!k->r.name.n)
		return ep_fail(err, -EINVAL, 0, "name: a label's name is missing");
	return collect(k, add_label_values, err);
}

/* --- series ------------------------------------------------------------------------- */

static bool same_set(const struct ep_labelset *a, const struct ep_labelset *b)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (!ep_slice_eq(a->v[i].key, b->v[i].key) ||
		    !ep_slice_eq(a->v[i].value, b->v[i].value))
			return false;
	return true;
}

/* Was it in the answer to an earlier matcher? */
static bool is_known(struct ep_labelsets **all, uint32_t n_all, const struct ep_labelset *set)
{
	for (uint32_t i = 0; i < n_all; i++)
		for (uint32_t j = 0; j < all[i]->n; j++)
			if (same_set(&all[i]->v[j], set))
				return true;
	return false;
}

enum { MAX_MATCHERS = 16 };

static int write_series_of(struct call *k, const struct ep_query *q, struct ep_labelsets **all,
			   uint32_t i, struct ep_err *err)
{
	EP_TRY(ep_query_labelsets(&k->env, q, k->r.names.v, k->r.names.n, &all[i], err));
	for (uint32_t j = 0; j < all[i]->n; j++) {
		if (is_known(all, i, &all[i]->v[j]))
			continue;
		ep_msg_open(&k->m, NULL, 0);
		write_labels(&k->m, all[i]->v[j].v, all[i]->v[j].n);
		ep_msg_close(&k->m);
	}
	return 0;
}

static int series(struct call *k, struct ep_err *err)
{
	struct ep_labelsets *all[MAX_MATCHERS] = {0};
	struct ep_query q = {0};
	uint32_t n = k->r.list.n ? k->r.list.n : 1;
	EP_TRY(read_range(&k->r, &q, err));
	if (n > MAX_MATCHERS)
		return ep_fail(err, -EINVAL, 0, "over %d matchers", MAX_MATCHERS);
	int rc = 0;
	ep_msg_array(&k->m, "labelsSet", 2);
	for (uint32_t i = 0; i < n && rc >= 0; i++) {
		q.selector = k->r.list.n ? k->r.list.v[i] : (struct ep_slice){0};
		rc = write_series_of(k, &q, all, i, err);
	}
	ep_msg_array_end(&k->m);
	for (uint32_t i = 0; i < n; i++)
		ep_labelsets_free(all[i]);
	return rc;
}

static int select_series(struct call *k, struct ep_err *err)
{
	ep_auto(ep_series) s = NULL;
	struct ep_query q;
	EP_TRY(read_query(&k->r, &q, err));
	if (!(k->r.step_s >= 0.001) || k->r.step_s > 1e9)
		return ep_fail(err, -EINVAL, 0, "step must be >= 1ms");
	struct ep_series_opts o = {.step_ms = (int64_t)(k->r.step_s * 1000 + 0.5),
				   .by = k->r.names.v,
				   .n_by = k->r.names.n,
				   .limit = k->r.limit > 0 ? (uint32_t)k->r.limit : 0};
	EP_TRY(ep_query_series(&k->env, &q, &o, &s, err));
	if (!s->n_rows)
		return 0;
	ep_msg_array(&k->m, "series", 1);
	for (uint32_t i = 0; i < s->n_rows; i++) {
		const struct ep_series_row *row = &s->rows[i];
		ep_msg_open(&k->m, NULL, 0);
		write_labels(&k->m, row->labels, row->n_labels);
		ep_msg_array(&k->m, "points", 2);
		for (uint32_t j = 0; j < row->n_points; j++) {
			const struct ep_point *p = &row->points[j];
			bool average = k->r.aggregation == 1 && p->n;
			ep_msg_open(&k->m, NULL, 0);
			ep_msg_double(&k->m, "value", 1,
				      average ? (double)p->value / (double)p->n
					      : (double)p->value);
			ep_msg_int(&k->m, "timestamp", 2, p->t_ms);
			ep_msg_close(&k->m);
		}
		ep_msg_array_end(&k->m);
		ep_msg_close(&k->m);
	}
	ep_msg_array_end(&k->m);
	return 0;
}

static void write_slots(struct ep_msg *m, const struct ep_heatmap *h, const struct ep_heatmap_row *r)
{
	ep_msg_array(m, "slots", 2);
	for (uint32_t i = 0; i < r->n_slots; i++) {
		int64_t counts[EP_HEATMAP_BUCKETS];
		ep_msg_open(m, NULL, 0);
		ep_msg_int(m, "timestamp", 1, r->slots[i].t_ms);
		ep_msg_array(m, "yMin", 2);
		for (uint32_t k = 0; k < EP_HEATMAP_BUCKETS; k++)
			ep_msg_double(m, NULL, 0, h->least + k * h->width);
		ep_msg_array_end(m);
		for (uint32_t k = 0; k < EP_HEATMAP_BUCKETS; k++)
			counts[k] = r->slots[i].counts[k];
		ep_msg_int32s(m, "counts", 3, counts, EP_HEATMAP_BUCKETS);
		ep_msg_close(m);
	}
	ep_msg_array_end(m);
}

static int heatmap(struct call *k, struct ep_err *err)
{
	ep_auto(ep_heatmap) h = NULL;
	struct ep_query q;
	EP_TRY(read_query(&k->r, &q, err));
	if (!(k->r.step_s >= 0.001) || k->r.step_s > 1e9)
		return ep_fail(err, -EINVAL, 0, "step must be >= 1ms");
	struct ep_heatmap_opts o = {.step_ms = (int64_t)(k->r.step_s * 1000 + 0.5),
				    .by = k->r.names.v,
				    .n_by = k->r.names.n,
				    .limit = k->r.limit > 0 ? (uint32_t)k->r.limit : 0,
				    .spans = k->r.kind == HEATMAP_SPAN};
	EP_TRY(ep_query_heatmap(&k->env, &q, &o, &h, err));
	if (!h->n_rows)
		return 0;
	ep_msg_array(&k->m, "series", 1);
	for (uint32_t i = 0; i < h->n_rows; i++) {
		ep_msg_open(&k->m, NULL, 0);
		write_labels(&k->m, h->rows[i].labels, h->rows[i].n_labels);
		write_slots(&k->m, h, &h->rows[i]);
		ep_msg_close(&k->m);
	}
	ep_msg_array_end(&k->m);
	return 0;
}

/* --- spans --------------------------------------------------------------------------- */

static bool is_span(struct ep_slice id)
{
	bool good = id.n == 16;
	for (size_t i = 0; good && i < id.n; i++)
		good = (id.p[i] >= '0' && id.p[i] <= '9') || (id.p[i] >= 'a' && id.p[i] <= 'f') ||
		       (id.p[i] >= 'A' && id.p[i] <= 'F');
	return good;
}

static struct ep_slice strip(struct ep_slice s)
{
	while (s.n && strchr(" \t\r\n", s.p[0]))
		s.p++, s.n--;
	while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
		s.n--;
	return s;
}

/* A span's id is a label of its samples: one more matcher. */
static int add_spans(struct call *k, struct ep_query *q, struct ep_err *err)
{
	struct ep_slice s = strip(q->selector);
	if (!k->r.spans.n)
		return 0;
	if (s.n >= 2 && s.p[0] == '{' && s.p[s.n - 1] == '}')
		s = strip((struct ep_slice){s.p + 1, s.n - 2});
	size_t room = s.n + 17 * (size_t)k->r.spans.n + 32, at;
	char *text = ep_arena_alloc(k->c.x->arena, room);
	if (!text)
		return ep_fail(err, -ENOMEM, 0, "no memory for the request");
	bool comma = s.n && s.p[s.n - 1] != ',';
	at = (size_t)snprintf(text, room, "{%.*s%sspan_id=~\"", (int)s.n, s.n ? s.p : "",
			      comma ? "," : "");
	for (uint32_t i = 0; i < k->r.spans.n; i++) {
		struct ep_slice id = k->r.spans.v[i];
		if (!is_span(id))
			return ep_fail(err, -EINVAL, 0, "span_selector: an id is 16 hex digits");
		at += (size_t)snprintf(text + at, room - at, "%s%.16s", i ? "|" : "", id.p);
	}
	at += (size_t)snprintf(text + at, room - at, "\"}");
	q->selector = (struct ep_slice){text, at};
	return 0;
}

/* --- trees -------------------------------------------------------------------------- */

static void write_flamegraph(struct ep_msg *m, const struct ep_levels *l, bool is_diff)
{
	ep_msg_open(m, "flamegraph", 1);
	if (l->n_levels) {
		ep_msg_array(m, "names", 1);
		for (uint32_t i = 0; i < l->n_names; i++)
			ep_msg_str(m, NULL, 0, l->names[i]);
		ep_msg_array_end(m);
		ep_msg_array(m, "levels", 2);
		for (uint32_t i = 0; i < l->n_levels; i++) {
			ep_msg_open(m, NULL, 0);
			ep_msg_ints(m, "values", 1, l->levels[i].values, l->levels[i].n);
			ep_msg_close(m);
		}
		ep_msg_array_end(m);
	}
	ep_msg_int(m, "total", 3, l->total);
	ep_msg_int(m, "maxSelf", 4, l->max_self);
	if (is_diff) {
		ep_msg_int(m, "leftTicks", 5, l->left_ticks);
		ep_msg_int(m, "rightTicks", 6, l->right_ticks);
	}
	ep_msg_close(m);
}

static int merged_profile(struct call *k, struct ep_profile **ret_p, struct ep_err *err)
{
	struct ep_query q;
	EP_TRY(read_query(&k->r, &q, err));
	EP_TRY(add_spans(k, &q, err));
	if (k->r.path.n)
		return ep_fail(err, -ENOTSUP, 0,
			       "stack_trace_selector is read for flame graphs only");
	return ep_query_profile(&k->env, &q, ret_p, err);
}

/* PprofResponse pprof 5 { profile 1 } */
static int write_pprof(struct call *k, struct ep_err *err)
{
	ep_auto(ep_profile) p = NULL;
	EP_TRY(merged_profile(k, &p, err));
	if (k->c.codec == EP_CONNECT_JSON) {
		ep_jsonw_open(&k->m.json, "pprof", '{');
		ep_jsonw_open(&k->m.json, "profile", '{');
		ep_pprof_json_write(&k->m.json, p);
		ep_jsonw_close(&k->m.json, '}');
		ep_jsonw_close(&k->m.json, '}');
		return 0;
	}
	ep_auto_buf bytes;
	ep_buf_init(&bytes, SIZE_MAX / 4);
	EP_TRY(ep_encode(p, &bytes, err));
	ep_msg_open(&k->m, "pprof", 5);
	ep_msg_str(&k->m, "profile", 1, (struct ep_slice){(const char *)bytes.data, bytes.len});
	ep_msg_close(&k->m);
	return 0;
}

static int merge_stacktraces(struct call *k, struct ep_err *err)
{
	ep_auto(ep_tree) t = NULL;
	ep_auto(ep_levels) l = NULL;
	struct ep_query q;
	struct ep_tree_opts o = {.path = k->r.path.v, .n_path = k->r.path.n};
	EP_TRY(read_query(&k->r, &q, err));
	EP_TRY(read_max_nodes(&k->r, DEFAULT_NODES, &o.max_nodes, err));
	EP_TRY(add_spans(k, &q, err));
	if (k->r.format == FORMAT_PPROF)
		return write_pprof(k, err);
	if (k->r.format > FORMAT_FLAMEGRAPH)
		return ep_fail(err, -ENOTSUP, 0, "format: FLAMEGRAPH and PPROF are answered");
	EP_TRY(ep_query_tree(&k->env, &q, &o, &t, err));
	if (ep_levels_new(t, &l) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for the flame graph");
	write_flamegraph(&k->m, l, false);
	return 0;
}

/* As the flame graph of those spans; without spans there is nothing to show. */
static int merge_span_profile(struct call *k, struct ep_err *err)
{
	if (!k->r.spans.n)
		return ep_fail(err, -EINVAL, 0, "span_selector: no span is named");
	return merge_stacktraces(k, err);
}

static int merge_profile(struct call *k, struct ep_err *err)
{
	ep_auto(ep_profile) p = NULL;
	EP_TRY(merged_profile(k, &p, err));
	if (k->c.codec != EP_CONNECT_JSON)
		return ep_encode(p, &k->c.x->out, err);
	ep_pprof_json_write(&k->m.json, p);
	return 0;
}

static int diff(struct call *k, struct ep_err *err)
{
	ep_auto(ep_tree) t = NULL;
	ep_auto(ep_levels) l = NULL;
	struct ep_query a, b;
	struct ep_tree_opts o = {0};
	if (!k->r.left || !k->r.right)
		return ep_fail(err, -EINVAL, 0, "left and right are both needed");
	EP_TRY(read_query(k->r.left, &a, err));
	EP_TRY(read_query(k->r.right, &b, err));
	if (!ep_slice_eq(a.type, b.type))
		return ep_fail(err, -EINVAL, 0, "profile types must match");
	EP_TRY(read_max_nodes(k->r.left, DEFAULT_NODES, &o.max_nodes, err));
	EP_TRY(ep_query_diff(&k->env, &a, &b, &o, &t, err));
	if (ep_levels_new(t, &l) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for the flame graph");
	write_flamegraph(&k->m, l, true);
	return 0;
}

static int profile_stats(struct call *k, struct ep_err *err)
{
	ep_auto(ep_services) s = NULL;
	struct ep_query q = {.until_ms = (int64_t)(ep_clock_wall_ns() / EP_NS_PER_MS) + 86400000};
	int64_t newest = 0;
	EP_TRY(ep_query_services(&k->env, &q, &s, err));
	for (uint32_t i = 0; i < s->n; i++)
		newest = s->v[i].last_ms > newest ? s->v[i].last_ms : newest;
	ep_msg_bool(&k->m, "dataIngested", 1, s->n > 0);
	ep_msg_int(&k->m, "newestProfileTime", 3, newest);
	return 0;
}

/* --- dispatch ------------------------------------------------------------------------ */

static const struct {
	const char *name;
	int (*answer)(struct call *k, struct ep_err *err);
} methods[] = {
	{"ProfileTypes", profile_types},
	{"LabelNames", label_names},
	{"LabelValues", label_values},
	{"Series", series},
	{"SelectSeries", select_series},
	{"SelectMergeStacktraces", merge_stacktraces},
	{"SelectMergeProfile", merge_profile},
	{"SelectMergeSpanProfile", merge_span_profile},
	{"SelectHeatmap", heatmap},
	{"Diff", diff},
	{"GetProfileStats", profile_stats},
};

static int answer(struct call *k, struct ep_slice method, struct ep_err *err)
{
	size_t i = 0, n = sizeof(methods) / sizeof(methods[0]);
	while (i < n && !ep_slice_is(method, methods[i].name))
		i++;
	const struct ep_request_field *fields = ep_request_fields(method);
	if (i == n || !fields)
		return ep_fail(err, -ENOTSUP, 0, "querier.v1.QuerierService has no %.*s here",
			       (int)(method.n > 64 ? 64 : method.n), method.p);
	EP_TRY(ep_request_decode(fields, k->c.message, k->c.codec == EP_CONNECT_JSON,
				 k->c.x->arena, &k->r, err));
	ep_msg_begin(&k->m, &k->c.x->out, k->c.codec == EP_CONNECT_JSON);
	EP_TRY(methods[i].answer(k, err));
	ep_msg_end(&k->m);
	return 0;
}

void ep_querier(void *room, struct ep_http *x)
{
	static const char before[] = "/querier.v1.QuerierService/";
	struct ep_err err = {0};
	struct call *k = ep_arena_zalloc(x->arena, 1, sizeof(*k));
	if (!k) {
		ep_http_fail(x, 503, "unavailable", "no memory for the request");
		return;
	}
	k->env = ep_api_env(room, x);
	if (!ep_connect_open(&k->c, x, MAX_REQUEST))
		return;
	struct ep_slice method = {x->path.p + sizeof(before) - 1, x->path.n - sizeof(before) + 1};
	int rc = answer(k, method, &err);
	if (rc < 0)
		ep_connect_fail_err(&k->c, rc, &err);
	else
		ep_connect_done(&k->c);
}
