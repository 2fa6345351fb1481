/*
 * render.c - Pyroscope's older JSON queries: /pyroscope/render, render-diff,
 * label-values.
 */
#include "api/room.h"

#include "base/clock.h"
#include "codec/attime.h"

#include <string.h>

enum { DEFAULT_NODES = 8192, MAX_TIMELINE = 1500 };

/* TYPE{selector}: the type is the part before the brace. */
static int read_side(struct ep_http *x, const char *const names[3], struct ep_query *q,
		     struct ep_err *err)
{
	uint64_t now_ns = ep_clock_wall_ns(), ns[2];
	struct ep_slice text = ep_params_slice(x, names[0]);
	if (!text.n)
		return ep_fail(err, -EINVAL, 0, "%s: the parameter is missing", names[0]);
	const char *brace = memchr(text.p, '{', text.n);
	q->type = (struct ep_slice){text.p, brace ? (size_t)(brace - text.p) : text.n};
	q->selector = (struct ep_slice){text.p + q->type.n, text.n - q->type.n};
	EP_TRY(ep_params_type(&q->type, err));
	for (int i = 0; i < 2; i++) {
		const char *at = ep_http_param(x, names[1 + i], 0);
		if (!at || !*at)
			at = i ? "now" : "now-1h";
		if (ep_attime_parse(at, now_ns, &ns[i]) < 0)
			return ep_fail(err, -EINVAL, 0,
				       "%s: neither now-1h nor a number of 8, 10, 13, 16 or 19 "
				       "digits",
				       names[1 + i]);
	}
	q->from_ms = (int64_t)(ns[0] / EP_NS_PER_MS);
	q->until_ms = (int64_t)(ns[1] / EP_NS_PER_MS);
	if (q->from_ms > q->until_ms)
		return ep_fail(err, -EINVAL, 0, "%s is after %s", names[1], names[2]);
	return 0;
}

static int read_max_nodes(struct ep_http *x, struct ep_tree_opts *o, struct ep_err *err)
{
	int64_t n = DEFAULT_NODES;
	EP_TRY(ep_params_int(x, "maxNodes", 0, EP_API_MAX_NODES, &n, err));
	EP_TRY(ep_params_int(x, "max-nodes", 0, EP_API_MAX_NODES, &n, err));
	o->max_nodes = n ? (uint32_t)n : DEFAULT_NODES;
	return 0;
}

static bool has(struct ep_slice s, const char *part)
{
	return s.n && memmem(s.p, s.n, part, strlen(part));
}

/* The nth colon-separated part of a type id. */
static struct ep_slice type_part(struct ep_slice type, unsigned nth)
{
	const char *at = type.p, *end = type.p + type.n;
	for (; nth; nth--) {
		const char *colon = at < end ? memchr(at, ':', (size_t)(end - at)) : NULL;
		at = colon ? colon + 1 : end;
	}
	const char *stop = at < end ? memchr(at, ':', (size_t)(end - at)) : NULL;
	return (struct ep_slice){at, (size_t)((stop ? stop : end) - at)};
}

static void write_metadata(struct ep_jsonw *w, struct ep_slice type, const char *format)
{
	struct ep_slice sample = type_part(type, 1);
	int64_t rate = 100;
	struct ep_slice units = type_part(type, 2);
	if (has(sample, "objects") || ep_slice_is(sample, "goroutine") ||
	    ep_slice_is(sample, "samples")) {
		units = ep_slice_of("objects");
	} else if (ep_slice_is(sample, "cpu")) {
		units = ep_slice_of("samples");
		rate = 1000000000;
	}
	ep_jsonw_open(w, "metadata", '{');
	ep_jsonw_str(w, "format", format);
	ep_jsonw_str(w, "spyName", "");
	ep_jsonw_int(w, "sampleRate", rate);
	ep_jsonw_slice(w, "units", units);
	ep_jsonw_slice(w, "name", sample);
	ep_jsonw_close(w, '}');
}

static void write_flamebearer(struct ep_jsonw *w, const struct ep_levels *l)
{
	ep_jsonw_open(w, "flamebearer", '{');
	ep_jsonw_open(w, "names", '[');
	for (uint32_t i = 0; i < l->n_names; i++)
		ep_jsonw_slice(w, NULL, l->names[i]);
	ep_jsonw_close(w, ']');
	ep_jsonw_open(w, "levels", '[');
	for (uint32_t i = 0; i < l->n_levels; i++) {
		ep_jsonw_open(w, NULL, '[');
		for (uint32_t j = 0; j < l->levels[i].n; j++)
			ep_jsonw_int(w, NULL, l->levels[i].values[j]);
		ep_jsonw_close(w, ']');
	}
	ep_jsonw_close(w, ']');
	ep_jsonw_int(w, "numTicks", l->total);
	ep_jsonw_int(w, "maxSelf", l->max_self);
	ep_jsonw_close(w, '}');
}

/* --- timeline ------------------------------------------------------------------------ */

/* Round steps: the first that gives at most 1500 points. */
static int64_t timeline_step_s(int64_t range_ms)
{
	static const int64_t steps[] = {15,   20,   30,	  60,	120,   300,   600,  900,
					1200, 1800, 3600, 7200, 10800, 21600, 43200};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (range_ms <= steps[i] * 1000 * MAX_TIMELINE)
			return steps[i];
	return 86400 * (range_ms / (86400ll * 1000 * MAX_TIMELINE) + 1);
}

static void write_timeline(struct ep_jsonw *w, const char *key, const struct ep_query *q,
			   int64_t step_ms, const struct ep_series_row *row)
{
	ep_jsonw_open(w, key, '{');
	ep_jsonw_int(w, "startTime", q->from_ms / 1000);
	ep_jsonw_open(w, "samples", '[');
	uint32_t at = 0;
	for (int64_t t = q->from_ms; t <= q->until_ms; t += step_ms) {
		bool is_here = row && at < row->n_points && row->points[at].t_ms <= t;
		ep_jsonw_int(w, NULL, is_here ? row->points[at].value : 0);
		at += is_here;
	}
	ep_jsonw_close(w, ']');
	ep_jsonw_int(w, "durationDelta", step_ms / 1000);
	ep_jsonw_null(w, "watermarks");
	ep_jsonw_close(w, '}');
}

static void write_groups(struct ep_jsonw *w, const struct ep_query *q, const struct ep_series *s)
{
	ep_jsonw_open(w, "groups", '{');
	for (uint32_t i = 0; i < s->n_rows; i++) {
		const struct ep_series_row *r = &s->rows[i];
		ep_jsonw_key(w, r->n_labels ? r->labels[0].value : ep_slice_of("*"));
		write_timeline(w, NULL, q, s->step_ms, r);
	}
	ep_jsonw_close(w, '}');
}

/* --- handlers ------------------------------------------------------------------------ */

struct answer {
	struct ep_query q;
	struct ep_tree *tree;
	struct ep_levels *levels;
	struct ep_series *all, *groups;
};

static void answer_fini(struct answer *v)
{
	ep_series_free(v->groups);
	ep_series_free(v->all);
	ep_levels_free(v->levels);
	ep_tree_free(v->tree);
}

static int query_render(struct ep_api *a, struct ep_http *x, struct answer *v,
			struct ep_err *err)
{
	static const char *const names[] = {"query", "from", "until"};
	struct ep_tree_opts o = {0};
	struct ep_slice by[EP_API_MAX_BY];
	const struct ep_query_env env = ep_api_env(a, x);
	const char *format = ep_http_param(x, "format", 0);
	if (format && *format && strcmp(format, "json") != 0)
		return ep_fail(err, -ENOTSUP, 0, "format: json is answered");
	EP_TRY(read_side(x, names, &v->q, err));
	EP_TRY(read_max_nodes(x, &o, err));
	EP_TRY(ep_query_tree(&env, &v->q, &o, &v->tree, err));
	if (ep_levels_new(v->tree, &v->levels) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for the flame graph");
	struct ep_series_opts so = {
		.step_ms = 1000 * timeline_step_s(v->q.until_ms - v->q.from_ms)};
	EP_TRY(ep_query_series(&env, &v->q, &so, &v->all, err));
	so.by = by;
	so.n_by = ep_params_list(x, "groupBy", by, EP_API_MAX_BY);
	return so.n_by ? ep_query_series(&env, &v->q, &so, &v->groups, err) : 0;
}

static struct ep_jsonw open_answer(struct ep_http *x, const struct ep_levels *levels)
{
	struct ep_jsonw w = ep_api_json(x);
	ep_jsonw_open(&w, NULL, '{');
	ep_jsonw_int(&w, "version", 1);
	write_flamebearer(&w, levels);
	return w;
}

void ep_render_get(void *room, struct ep_http *x)
{
	struct answer v __attribute__((cleanup(answer_fini))) = {0};
	struct ep_err err = {0};
	int rc = query_render(room, x, &v, &err);
	if (rc < 0) {
		ep_api_fail(x, rc, &err);
		return;
	}
	struct ep_jsonw w = open_answer(x, v.levels);
	write_metadata(&w, v.q.type, "single");
	write_timeline(&w, "timeline", &v.q, v.all->step_ms,
		       v.all->n_rows ? &v.all->rows[0] : NULL);
	if (v.groups)
		write_groups(&w, &v.q, v.groups);
	else
		ep_jsonw_null(&w, "groups");
	ep_jsonw_null(&w, "heatmap");
	ep_jsonw_int(&w, "leftTicks", 0);
	ep_jsonw_int(&w, "rightTicks", 0);
	ep_jsonw_close(&w, '}');
}

static int query_diff(struct ep_api *a, struct ep_http *x, struct answer *v, struct ep_err *err)
{
	static const char *const left[] = {"leftQuery", "leftFrom", "leftUntil"};
	static const char *const right[] = {"rightQuery", "rightFrom", "rightUntil"};
	struct ep_query other = {0};
	struct ep_tree_opts o = {0};
	const struct ep_query_env env = ep_api_env(a, x);
	EP_TRY(read_side(x, left, &v->q, err));
	EP_TRY(read_side(x, right, &other, err));
	EP_TRY(read_max_nodes(x, &o, err));
	if (!ep_slice_eq(v->q.type, other.type))
		return ep_fail(err, -EINVAL, 0, "profile types must match");
	EP_TRY(ep_query_diff(&env, &v->q, &other, &o, &v->tree, err));
	if (ep_levels_new(v->tree, &v->levels) < 0)
		return ep_fail(err, -ENOMEM, 0, "no memory for the flame graph");
	return 0;
}

void ep_render_diff(void *room, struct ep_http *x)
{
	struct answer v __attribute__((cleanup(answer_fini))) = {0};
	struct ep_err err = {0};
	int rc = query_diff(room, x, &v, &err);
	if (rc < 0) {
		ep_api_fail(x, rc, &err);
		return;
	}
	struct ep_jsonw w = open_answer(x, v.levels);
	write_metadata(&w, v.q.type, "double");
	ep_jsonw_null(&w, "timeline");
	ep_jsonw_null(&w, "groups");
	ep_jsonw_null(&w, "heatmap");
	ep_jsonw_int(&w, "leftTicks", v.levels->left_ticks);
	ep_jsonw_int(&w, "rightTicks", v.levels->right_ticks);
	ep_jsonw_close(&w, '}');
}

static int write_type_ids(const struct ep_query_env *env, struct ep_jsonw *w, const struct ep_query *q,
			  struct ep_err *err)
{
	ep_auto(ep_types) t = NULL;
	EP_TRY(ep_query_types(env, q, &t, err));
	for (uint32_t i = 0; i < t->n; i++)
		ep_jsonw_slice(w, NULL, t->v[i].id);
	return 0;
}

static int write_values(const struct ep_query_env *env, struct ep_jsonw *w, const struct ep_query *q,
			struct ep_slice label, struct ep_err *err)
{
	ep_auto(ep_values) v = NULL;
	struct ep_values_opts o = {.name = label};
	EP_TRY(ep_query_values(env, q, &o, &v, err));
	for (uint32_t i = 0; i < v->n; i++)
		ep_jsonw_slice(w, NULL, v->v[i].value);
	return 0;
}

void ep_render_label_values(void *room, struct ep_http *x)
{
	struct ep_err err = {0};
	struct ep_query q = {0};
	struct ep_slice label = ep_params_slice(x, "label");
	int rc = label.n ? 0 : ep_fail(&err, -EINVAL, 0, "label: the parameter is missing");
	if (rc >= 0)
		rc = ep_params_query(x, "", false, &q, &err);
	const struct ep_query_env env = ep_api_env(room, x);
	struct ep_jsonw w = ep_api_json(x);
	ep_jsonw_open(&w, NULL, '[');
	if (rc >= 0)
		rc = ep_slice_is(label, "__name__") ? write_type_ids(&env, &w, &q, &err)
						    : write_values(&env, &w, &q, label, &err);
	ep_jsonw_close(&w, ']');
	if (rc < 0)
		ep_api_fail(x, rc, &err);
}
