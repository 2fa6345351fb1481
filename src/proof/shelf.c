/* shelf.c - see shelf.h.  The questions are those of docs/api.md. */
#include "proof/shelf.h"

#include "codec/json.h"
#include "fetch/fetch.h"
#include "profile/decode.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CPU "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
#define SAMPLES "process_cpu:samples:count:cpu:nanoseconds"
#define WEEK_MS (7ll * 24 * 3600 * 1000)
#define NEWEST_MS 60000
#define TIMEOUT_NS (30 * 1000000000ull)

/* What is asked, each time the same. */
struct ask {
	const struct ep_fetch *fetch;
	const char *server, *service;
	int64_t now_ms, range_ms;
};

static void add_param(struct ep_buf *out, const char *key, const char *value)
{
	ep_buf_printf(out, "&%s=", key);
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;
		if (isalnum(c) || strchr("-_.~", c))
			ep_buf_add_char(out, (char)c);
		else
			ep_buf_printf(out, "%%%02X", c);
	}
}

static int get(const struct ask *a, const char *path, const char *type, const char *version,
	       struct ep_buf *body, struct ep_err *err)
{
	ep_auto_buf url, selector;
	ep_buf_init(&url, 16384);
	ep_buf_init(&selector, 8192);
	ep_buf_printf(&selector, "{service_name=\"%s\"%s%s%s}", a->service,
		      version ? ",version=\"" : "", version ? version : "", version ? "\"" : "");
	int64_t range = version ? WEEK_MS : a->range_ms;
	ep_buf_printf(&url, "%s/api/v1/%s%cfrom=%lld&until=%lld", a->server, path,
		      strchr(path, '?') ? '&' : '?', (long long)(a->now_ms - range),
		      (long long)a->now_ms);
	add_param(&url, "query", ep_buf_cstr(&selector));
	if (type)
		add_param(&url, "type", type);
	struct ep_fetch_request rq = {.url = ep_buf_cstr(&url), .timeout_ns = TIMEOUT_NS};
	return ep_fetch_url(a->fetch, &rq, body, err);
}

static int get_json(const struct ask *a, const char *path, const char *type,
		    const char *version, struct ep_json **ret, struct ep_err *err)
{
	ep_auto_buf body;
	ep_buf_init(&body, 64 << 20);
	EP_TRY(get(a, path, type, version, &body, err));
	return ep_json_parse((struct ep_slice){(const char *)body.data, body.len}, ret, err);
}

static int64_t number(const struct ep_json *object, const char *key)
{
	double d = 0;
	(void)ep_json_double(ep_json_get(object, key), &d); /* else 0 */
	return (int64_t)d;
}

static void append(char to[EP_SHELF_TEXT], struct ep_slice s)
{
	size_t at = strlen(to);
	snprintf(to + at, EP_SHELF_TEXT - at, "%s%.*s", at ? ", " : "", EP_SLICE_ARG(s));
}

/* ---- types --------------------------------------------------------------------------------- */

static const char *const built_in[] = {"process_cpu", "memory",	      "mutex", "block",
				       "threads",     "threadcreate", "wall",  "off_cpu",
				       "goroutine",   "goroutines",   "entered"};

static bool is_built_in(struct ep_slice name)
{
	for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++)
		if (ep_slice_is(name, built_in[i]))
			return true;
	return false;
}

static void read_type(struct ep_slice id, int64_t total, struct ep_shelf *ret)
{
	const char *colon = memchr(id.p, ':', id.n);
	struct ep_slice name = {id.p, colon ? (size_t)(colon - id.p) : id.n};
	if (id.n > 20 && !memcmp(id.p, "memory:inuse_space:", 19))
		ret->has_live_heap = true;
	if (id.n > 16 && !memcmp(id.p, "entered:entered:", 16))
		ret->n_scopes = total;
	if (!is_built_in(name))
		append(ret->open, name);
}

static int look_services(const struct ask *a, struct ep_shelf *ret, struct ep_err *err)
{
	ep_auto(ep_json) root = NULL;
	EP_TRY(get_json(a, "services", NULL, NULL, &root, err));
	const struct ep_json *all = ep_json_get(root, "services");
	if (!ep_json_is_array(all))
		return ep_fail(err, -EBADMSG, 0, "that is no server of everprof");
	for (size_t i = 0; i < ep_json_n(all); i++) {
		const struct ep_json *s = ep_json_at(all, i);
		const struct ep_json *types = ep_json_get(s, "types"), *v;
		struct ep_slice name;
		if (!ep_json_str(ep_json_get(s, "name"), &name) || !ep_slice_is(name, a->service))
			continue;
		ret->known = true;
		ret->last_ms = number(s, "last");
		ret->n_profiles = number(s, "profiles");
		for (size_t j = 0; j < ep_json_n(types); j++) {
			const char *key;
			struct ep_slice id;
			const struct ep_json *totals = ep_json_get(s, "total");
			double total = 0;
			if (!ep_json_str(ep_json_at(types, j), &id))
				continue;
			for (void *it = ep_json_first(totals, &key, &v); it;
			     it = ep_json_next(totals, it, &key, &v))
				if (ep_slice_is(id, key))
					(void)ep_json_double(v, &total); /* else 0 */
			read_type(id, (int64_t)total, ret);
		}
	}
	return 0;
}

/* ---- labels of the series ------------------------------------------------------------------ */

static int look_values(const struct ask *a, const char *label, struct ep_json **ret,
		       struct ep_err *err)
{
	char path[64];
	snprintf(path, sizeof(path), "labels/%s/values?limit=50", label);
	return get_json(a, path, NULL, NULL, ret, err);
}

static struct ep_slice value_at(const struct ep_json *root, size_t i)
{
	struct ep_slice s = {"", 0};
	(void)ep_json_str(ep_json_get(ep_json_at(ep_json_get(root, "values"), i), "value"),
			  &s); /* else "" */
	return s;
}

static int look_profilers(const struct ask *a, struct ep_shelf *ret, struct ep_err *err)
{
	ep_auto(ep_json) root = NULL;
	EP_TRY(look_values(a, "profiler", &root, err));
	size_t n = ep_json_n(ep_json_get(root, "values"));
	for (size_t i = 0; i < n; i++)
		append(ret->profilers, value_at(root, i));
	ret->by_agent_alone = n == 1 && ep_slice_is(value_at(root, 0), "agent");
	return 0;
}

static int look_host(const struct ask *a, struct ep_shelf *ret, struct ep_err *err)
{
	ep_auto(ep_json) root = NULL;
	char mine[256] = "";
	(void)gethostname(mine, sizeof(mine) - 1); /* else no host is ours */
	EP_TRY(look_values(a, "host", &root, err));
	ret->this_host = *mine && ep_json_n(ep_json_get(root, "values")) == 1 &&
			 ep_slice_is(value_at(root, 0), mine);
	return 0;
}

static int look_version(const struct ask *a, struct ep_shelf *ret, struct ep_err *err)
{
	ep_auto(ep_json) root = NULL;
	ep_auto(ep_json) top = NULL;
	struct ask newest = *a; /* one that is deployed now, not what was before it */
	newest.range_ms = a->now_ms - ret->last_ms + NEWEST_MS;
	EP_TRY(look_values(&newest, "version", &root, err));
	struct ep_slice v = value_at(root, 0);
	if (!v.n || v.n >= sizeof(ret->version) || memchr(v.p, '"', v.n) || memchr(v.p, '\\', v.n))
		return 0;
	snprintf(ret->version, sizeof(ret->version), "%.*s", EP_SLICE_ARG(v));
	EP_TRY(get_json(a, "top?limit=1", SAMPLES, ret->version, &top, err));
	ret->version_samples = number(top, "total");
	return 0;
}

/* ---- CPU ------------------------------------------------------------------------------------ */

static int look_cpu(const struct ask *a, struct ep_shelf *ret, struct ep_err *err)
{
	ep_auto(ep_json) top = NULL;
	ep_auto(ep_profile) p = NULL;
	ep_auto_buf body;
	ep_buf_init(&body, 256 << 20);
	EP_TRY(get_json(a, "top?limit=1", CPU, NULL, &top, err));
	const struct ep_json *l = ep_json_get(top, "ledger");
	ret->total = number(top, "total");
	ret->asked = number(l, "asked");
	ret->taken = number(l, "taken");
	ret->lost = number(l, "lost");
	ret->truncated = number(l, "truncated");
	ret->unnamed = number(l, "unsymbolised");
	if (!ret->total)
		return 0;
	EP_TRY(get(a, "profile", CPU, NULL, &body, err));
	EP_TRY(ep_decode(body.data, body.len, 256 << 20, &p, err));
	int rc = ep_shelf_read_labels(p, &ret->labels);
	return rc < 0 ? ep_fail(err, rc, 0, "out of memory") : 0;
}

int ep_shelf_look(const struct ep_fetch *f, const char *server, const char *service,
		  int64_t now_ms, int64_t range_ms, struct ep_shelf *ret, struct ep_err *err)
{
	const struct ask a = {f, server, service, now_ms, range_ms};
	*ret = (struct ep_shelf){.known = false};
	if (strpbrk(service, "\"\\\n"))
		return ep_fail(err, -EINVAL, 0, "a service is not called so");
	EP_TRY(look_services(&a, ret, err));
	if (!ret->known)
		return 0;
	EP_TRY(look_profilers(&a, ret, err));
	EP_TRY(look_host(&a, ret, err));
	EP_TRY(look_cpu(&a, ret, err));
	return look_version(&a, ret, err);
}
