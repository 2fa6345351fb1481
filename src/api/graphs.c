/* graphs.c - series, flame graph, diff, top table and export, of /api/v1. */
#include "api/room.h"

#include "profile/encode.h"

enum { DEFAULT_NODES = 16384, MAX_PATH = 512 };

/* --- time series ---------------------------------------------------------------- */

static int read_series_opts(struct ep_http *x, const struct ep_query *q,
			    struct ep_series_opts *o, struct ep_slice *by, struct ep_err *err)
{
	int64_t range = q->until_ms - q->from_ms, limit = 10;
	o->step_ms = range / 120 > 1000 ? range / 120 : 1000;
	EP_TRY(ep_params_int(x, "step", 1, INT64_MAX, &o->step_ms, err));
	EP_TRY(ep_params_int(x, "limit", 1, 1000, &limit, err));
	if (range / o->step_ms > EP_API_MAX_POINTS)
		return ep_fail(err, -EINVAL, 0,
			       "step: %lld ms gives %lld points, the limit is %d",
			       (long long)o->step_ms, (long long)(range / o->step_ms),
			       EP_API_MAX_POINTS);
	o->by = by;
	o->n_by = ep_params_list(x, "by", by, EP_API_MAX_BY);
	o->n_by = o->n_by == 1 && !by[0].n ? 0 : o->n_by; /* by= means none */
	o->limit = (uint32_t)limit;
	o->spread = ep_slice_eq(ep_params_slice(x, "spread"), ep_slice_of("1"));
	return 0;
}

static void write_row(struct ep_jsonw *w, const struct ep_series_row *r)
{
	ep_jsonw_open(w, NULL, '{');
	ep_jsonw_open(w, "labels", '{');
	for (uint32_t i = 0; i < r->n_labels; i++) {
		ep_jsonw_key(w, r->labels[i].key);
		ep_jsonw_slice(w, NULL, r->labels[i].value);
	}
	ep_jsonw_close(w, '}');
	ep_jsonw_int(w, "total", r->total);
	ep_jsonw_open(w, "points", '[');
	for (uint32_t i = 0; i < r->n_points; i++) {
		ep_jsonw_open(w, NULL, '[');
		ep_jsonw_int(w, NULL, r->points[i].t_ms);
		ep_jsonw_int(w, NULL, r->points[i].value);
		ep_jsonw_close(w, ']');
	}
	ep_jsonw_close(w, ']');
	ep_jsonw_close(w, '}');
}

void ep_graphs_series(void *room, struct ep_http *x)
{
	const struct ep_query_env env = ep_api_env(room, x);
	ep_auto(ep_series) s = NULL;
	struct ep_slice by[EP_API_MAX_BY];
	struct ep_query q;
	struct ep_series_opts o = {0};
	struct ep_err err = {0};
	int rc = ep_params_query(x, "", true, &q, &err);
	if (rc >= 0)
		rc = read_series_opts(x, &q, &o, by, &err);
	if (rc >= 0)
		rc = ep_query_series(&env, &q, &o, &s, &err);
	if (rc < 0) {
		ep_api_fail(x, rc, &err);
		return;
	}
	struct ep_jsonw w = ep_api_json(x);
	ep_jsonw_open(&w, NULL, '{');
	ep_jsonw_int(&w, "step", s->step_ms);
	ep_jsonw_slice(&w, "unit", s->unit);
	ep_jsonw_uint(&w, "count", s->n_all);
	ep_jsonw_open(&w, "series", '[');
	for (uint32_t i = 0; i < s->n_rows; i++)
		write_row(&w, &s->rows[i]);
	ep_jsonw_close(&w, ']');
	ep_jsonw_close(&w, '}');
}

/* --- trees ---------------------------------------------------------------------- */

static void write_ledger(struct ep_jsonw *w, const char *key, const struct ep_query_ledger *l)
{
	ep_jsonw_open(w, key, '{');
	ep_jsonw_uint(w, "profiles", l->profiles);
	ep_jsonw_uint(w, "samples", l->samples);
	ep_jsonw_uint(w, "asked", l->asked);
	ep_jsonw_uint(w, "taken", l->taken);
	ep_jsonw_uint(w, "lost", l->lost);
	ep_jsonw_uint(w, "truncated", l->truncated);
	ep_jsonw_int(w, "unsymbolised", l->unsymbolised);
	ep_jsonw_int(w, "copies", l->copies);
	ep_jsonw_uint(w, "damaged", l->damaged);
	ep_jsonw_uint(w, "covered_ms", l->covered_ms);
	ep_jsonw_uint(w, "span_ms", l->span_ms);
	ep_jsonw_close(w, '}');
}

static void write_functions(struct ep_jsonw *w, const struct ep_tree *t)
{
	ep_jsonw_open(w, "names", '[');
	for (uint32_t i = 0; i < t->n_fns; i++)
		ep_jsonw_slice(w, NULL, t->fns[i].name);
	ep_jsonw_close(w, ']');
	ep_jsonw_open(w, "files", '[');
	for (uint32_t i = 0; i < t->n_fns; i++)
		ep_jsonw_slice(w, NULL, t->fns[i].file);
	ep_jsonw_close(w, ']');
	ep_jsonw_open(w, "kinds", '[');
	for (uint32_t i = 0; i < t->n_fns; i++)
		ep_jsonw_str(w, NULL, ep_kind_name(t->fns[i].kind));
	ep_jsonw_close(w, ']');
}

static void write_uints(struct ep_jsonw *w, const char *key, const uint32_t *v, uint32_t n)
{
	ep_jsonw_open(w, key, '[');
	for (uint32_t i = 0; i < n; i++)
		ep_jsonw_uint(w, NULL, v[i]);
	ep_jsonw_close(w, ']');
}

static void write_ints(struct ep_jsonw *w, const char *key, const int64_t *v, uint32_t n)
{
	if (!v)
		return;
	ep_jsonw_open(w, key, '[');
	for (uint32_t i = 0; i < n; i++)
		ep_jsonw_int(w, NULL, v[i]);
	ep_jsonw_close(w, ']');
}

static void write_tree(struct ep_jsonw *w, const struct ep_tree *t)
{
	ep_jsonw_open(w, NULL, '{');
	ep_jsonw_slice(w, "unit", t->unit);
	ep_jsonw_slice(w, "type", t->type);
	ep_jsonw_int(w, "total", t->n_nodes ? t->total[0] : 0);
	if (t->self_b) {
		ep_jsonw_int(w, "total_a", t->total_a_sum);
		ep_jsonw_int(w, "total_b", t->total_b_sum);
	}
	write_functions(w, t);
	ep_jsonw_open(w, "node", '{');
	write_uints(w, "name", t->fn, t->n_nodes);
	write_uints(w, "depth", t->depth, t->n_nodes);
	write_ints(w, "self", t->self, t->n_nodes);
	write_ints(w, "total", t->total, t->n_nodes);
	write_ints(w, "self_b", t->self_b, t->n_nodes);
	write_ints(w, "total_b", t->total_b, t->n_nodes);
	write_ints(w, "more", t->more, t->n_nodes);
	ep_jsonw_close(w, '}');
	write_ledger(w, "ledger", &t->ledger);
	if (t->self_b)
		write_ledger(w, "ledger_b", &t->ledger_b);
	ep_jsonw_close(w, '}');
}

static int read_tree_opts(struct ep_http *x, struct ep_tree_opts *o, struct ep_slice *path,
			  struct ep_err *err)
{
	int64_t max_nodes = DEFAULT_NODES;
	EP_TRY(ep_params_int(x, "max_nodes", 1, EP_API_MAX_NODES, &max_nodes, err));
	o->max_nodes = (uint32_t)max_nodes;
	o->path = path;
	o->n_path = ep_params_list(x, "path", path, MAX_PATH);
	o->by = ep_params_slice(x, "by");
	return 0;
}

static void answer_tree(struct ep_http *x, int rc, const struct ep_tree *t,
			const struct ep_err *err)
{
	if (rc < 0) {
		ep_api_fail(x, rc, err);
		return;
	}
	struct ep_jsonw w = ep_api_json(x);
	write_tree(&w, t);
}

void ep_graphs_flamegraph(void *room, struct ep_http *x)
{
	const struct ep_query_env env = ep_api_env(room, x);
	ep_auto(ep_tree) t = NULL;
	struct ep_slice path[MAX_PATH];
	struct ep_query q;
	struct ep_tree_opts o = {0};
	struct ep_err err = {0};
	int rc = ep_params_query(x, "", true, &q, &err);
	if (rc >= 0)
		rc = read_tree_opts(x, &o, path, &err);
	if (rc >= 0)
		rc = ep_query_tree(&env, &q, &o, &t, &err);
	answer_tree(x, rc, t, &err);
}

void ep_graphs_diff(void *room, struct ep_http *x)
{
	const struct ep_query_env env = ep_api_env(room, x);
	ep_auto(ep_tree) t = NULL;
	struct ep_slice path[MAX_PATH];
	struct ep_query side_a, side_b;
	struct ep_tree_opts o = {0};
	struct ep_err err = {0};
	int rc = ep_params_query(x, "a_", true, &side_a, &err);
	if (rc >= 0)
		rc = ep_params_query(x, "b_", true, &side_b, &err);
	if (rc >= 0)
		rc = read_tree_opts(x, &o, path, &err);
	if (rc >= 0)
		rc = ep_query_diff(&env, &side_a, &side_b, &o, &t, &err);
	answer_tree(x, rc, t, &err);
}

/* --- top and export ----------------------------------------------------------------- */

void ep_graphs_top(void *room, struct ep_http *x)
{
	const struct ep_query_env env = ep_api_env(room, x);
	ep_auto(ep_top) t = NULL;
	struct ep_query q;
	struct ep_top_opts o = {.search = ep_params_slice(x, "search")};
	struct ep_err err = {0};
	int64_t limit = 200;
	int rc = ep_params_query(x, "", true, &q, &err);
	if (rc >= 0)
		rc = ep_params_int(x, "limit", 1, 1000000, &limit, &err);
	o.limit = (uint32_t)limit;
	if (rc >= 0)
		rc = ep_query_top(&env, &q, &o, &t, &err);
	if (rc < 0) {
		ep_api_fail(x, rc, &err);
		return;
	}
	struct ep_jsonw w = ep_api_json(x);
	ep_jsonw_open(&w, NULL, '{');
	ep_jsonw_slice(&w, "unit", t->unit);
	ep_jsonw_int(&w, "total", t->total);
	ep_jsonw_uint(&w, "count", t->n_all);
	ep_jsonw_open(&w, "rows", '[');
	for (uint32_t i = 0; i < t->n_rows; i++) {
		ep_jsonw_open(&w, NULL, '{');
		ep_jsonw_slice(&w, "name", t->rows[i].fn.name);
		ep_jsonw_slice(&w, "file", t->rows[i].fn.file);
		ep_jsonw_str(&w, "kind", ep_kind_name(t->rows[i].fn.kind));
		ep_jsonw_int(&w, "self", t->rows[i].self);
		ep_jsonw_int(&w, "total", t->rows[i].total);
		ep_jsonw_close(&w, '}');
	}
	ep_jsonw_close(&w, ']');
	write_ledger(&w, "ledger", &t->ledger);
	ep_jsonw_close(&w, '}');
}

void ep_graphs_profile(void *room, struct ep_http *x)
{
	const struct ep_query_env env = ep_api_env(room, x);
	ep_auto(ep_profile) p = NULL;
	struct ep_query q;
	struct ep_err err = {0};
	int rc = ep_params_query(x, "", true, &q, &err);
	if (rc >= 0)
		rc = ep_query_profile(&env, &q, &p, &err);
	if (rc >= 0)
		rc = ep_encode_gzip(p, &x->out, &err);
	if (rc < 0) {
		ep_api_fail(x, rc, &err);
		return;
	}
	x->status = 200;
	x->content_type = "application/octet-stream";
	ep_http_set_header(x, "Content-Disposition",
			   "attachment; filename=\"profile.pb.gz\"");
}
