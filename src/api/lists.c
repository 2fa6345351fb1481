/* lists.c - services, types, labels and their values, of /api/v1. */
#include "api/room.h"

#include <string.h>

static void write_services(struct ep_jsonw *w, const struct ep_services *s)
{
	ep_jsonw_open(w, NULL, '{');
	ep_jsonw_open(w, "services", '[');
	for (uint32_t i = 0; i < s->n; i++) {
		const struct ep_service *v = &s->v[i];
		ep_jsonw_open(w, NULL, '{');
		ep_jsonw_slice(w, "name", v->name);
		ep_jsonw_open(w, "types", '[');
		for (uint32_t t = 0; t < v->n_types; t++)
			ep_jsonw_slice(w, NULL, v->types[t].id);
		ep_jsonw_close(w, ']');
		ep_jsonw_open(w, "total", '{');
		for (uint32_t t = 0; t < v->n_types; t++) {
			ep_jsonw_key(w, v->types[t].id);
			ep_jsonw_int(w, NULL, v->types[t].total);
		}
		ep_jsonw_close(w, '}');
		ep_jsonw_uint(w, "profiles", v->profiles);
		ep_jsonw_int(w, "first", v->first_ms);
		ep_jsonw_int(w, "last", v->last_ms);
		ep_jsonw_close(w, '}');
	}
	ep_jsonw_close(w, ']');
	ep_jsonw_close(w, '}');
}

void ep_lists_services(void *room, struct ep_http *x)
{
	const struct ep_query_env env = ep_api_env(room, x);
	ep_auto(ep_services) s = NULL;
	struct ep_query q;
	struct ep_err err = {0};
	int rc = ep_params_query(x, "", false, &q, &err);
	if (rc >= 0)
		rc = ep_query_services(&env, &q, &s, &err);
	if (rc < 0) {
		ep_api_fail(x, rc, &err);
		return;
	}
	struct ep_jsonw w = ep_api_json(x);
	write_services(&w, s);
}

void ep_lists_types(void *room, struct ep_http *x)
{
	const struct ep_query_env env = ep_api_env(room, x);
	ep_auto(ep_types) t = NULL;
	struct ep_query q;
	struct ep_err err = {0};
	int rc = ep_params_query(x, "", false, &q, &err);
	if (rc >= 0)
		rc = ep_query_types(&env, &q, &t, &err);
	if (rc < 0) {
		ep_api_fail(x, rc, &err);
		return;
	}
	struct ep_jsonw w = ep_api_json(x);
	ep_jsonw_open(&w, NULL, '{');
	ep_jsonw_open(&w, "types", '[');
	for (uint32_t i = 0; i < t->n; i++) {
		ep_jsonw_open(&w, NULL, '{');
		ep_jsonw_slice(&w, "id", t->v[i].id);
		ep_jsonw_slice(&w, "name", t->v[i].name);
		ep_jsonw_slice(&w, "sample_type", t->v[i].sample_type);
		ep_jsonw_slice(&w, "sample_unit", t->v[i].sample_unit);
		ep_jsonw_slice(&w, "period_type", t->v[i].period_type);
		ep_jsonw_slice(&w, "period_unit", t->v[i].period_unit);
		ep_jsonw_close(&w, '}');
	}
	ep_jsonw_close(&w, ']');
	ep_jsonw_close(&w, '}');
}

void ep_lists_labels(void *room, struct ep_http *x)
{
	const struct ep_query_env env = ep_api_env(room, x);
	ep_auto(ep_labels) l = NULL;
	struct ep_query q;
	struct ep_err err = {0};
	int rc = ep_params_query(x, "", false, &q, &err);
	if (rc >= 0)
		rc = ep_query_labels(&env, &q, &l, &err);
	if (rc < 0) {
		ep_api_fail(x, rc, &err);
		return;
	}
	struct ep_jsonw w = ep_api_json(x);
	ep_jsonw_open(&w, NULL, '{');
	ep_jsonw_open(&w, "labels", '[');
	for (uint32_t i = 0; i < l->n; i++) {
		struct ep_slice name = l->v[i].name;
		/* Names that begin with __ are the server's own book-keeping. */
		if (name.n >= 2 && !memcmp(name.p, "__", 2))
			continue;
		ep_jsonw_open(&w, NULL, '{');
		ep_jsonw_slice(&w, "name", name);
		ep_jsonw_uint(&w, "values", l->v[i].n_values);
		ep_jsonw_str(&w, "scope", l->v[i].is_sample ? "sample" : "series");
		ep_jsonw_close(&w, '}');
	}
	ep_jsonw_close(&w, ']');
	ep_jsonw_close(&w, '}');
}

/* /api/v1/labels/NAME/values */
static int read_values_query(struct ep_http *x, struct ep_query *q, struct ep_values_opts *o,
			     struct ep_err *err)
{
	static const char before[] = "/api/v1/labels/", after[] = "/values";
	size_t n_before = sizeof(before) - 1, n_after = sizeof(after) - 1;
	int64_t limit = 100;
	if (x->path.n <= n_before + n_after ||
	    memcmp(x->path.p + x->path.n - n_after, after, n_after) != 0)
		return ep_fail(err, -ENOENT, 0, "no such route: /api/v1/labels/NAME/values");
	EP_TRY(ep_params_query(x, "", false, q, err));
	EP_TRY(ep_params_int(x, "limit", 1, 100000, &limit, err));
	o->name = (struct ep_slice){x->path.p + n_before, x->path.n - n_before - n_after};
	o->prefix = ep_params_slice(x, "prefix");
	o->limit = (uint32_t)limit;
	return 0;
}

void ep_lists_values(void *room, struct ep_http *x)
{
	const struct ep_query_env env = ep_api_env(room, x);
	ep_auto(ep_values) v = NULL;
	struct ep_query q;
	struct ep_values_opts o;
	struct ep_err err = {0};
	int rc = read_values_query(x, &q, &o, &err);
	if (rc >= 0)
		rc = ep_query_values(&env, &q, &o, &v, &err);
	if (rc < 0) {
		ep_api_fail(x, rc, &err);
		return;
	}
	struct ep_jsonw w = ep_api_json(x);
	ep_jsonw_open(&w, NULL, '{');
	ep_jsonw_open(&w, "values", '[');
	for (uint32_t i = 0; i < v->n; i++) {
		ep_jsonw_open(&w, NULL, '{');
		ep_jsonw_slice(&w, "value", v->v[i].value);
		ep_jsonw_int(&w, "total", v->v[i].total);
		ep_jsonw_close(&w, '}');
	}
	ep_jsonw_close(&w, ']');
	ep_jsonw_bool(&w, "more", v->more);
	ep_jsonw_close(&w, '}');
}
