/*
 * pyroscope.c - POST /ingest: pprof, raw or in a multipart form.
 *
 * The other formats of that route (JFR, speedscope, folded stacks, trees) are
 * refused by name; they come with the room `legacy`.
 * Source: the requests of the Go, Node, Python, Rust and Java clients.
 */
#include "ingest/accept.h"

#include "base/clock.h"
#include "codec/attime.h"
#include "codec/gzip.h"
#include "codec/json.h"
#include "codec/zstd.h"
#include "ingest/appname.h"
#include "net/connect.h"
#include "net/multipart.h"

#include <string.h>

enum { MAX_PARTS = 16 };

struct request {
	struct ep_http *x;
	struct ep_labelset_in labels;
	struct ep_slice app;
	const char *spy;
	uint64_t from_ns, until_ns;
};

/* A query or format mistake: 400, where a refused profile gets 422. */
static bool bad_request(struct ep_http *x, int status, const struct ep_err *err)
{
	ep_http_fail(x, status, "invalid_argument", "%s", err->text);
	return false;
}

static int read_time(struct ep_http *x, const char *name, uint64_t now_ns, uint64_t *ret_ns,
		     struct ep_err *err)
{
	const char *text = ep_http_param(x, name, 0);
	if (!text || !*text)
		return 0;
	if (ep_attime_parse(text, now_ns, ret_ns) < 0)
		return ep_fail(err, -EINVAL, 0,
			       "%s: neither now, now-1h nor a number of 8, 10, 13, 16 or 19 "
			       "digits",
			       name);
	return 0;
}

static bool is_ours(const char *spy)
{
	return !strncmp(spy, "everprof", 8);
}

/* Which program took the profile: agent, library, or the client's own name. */
static const char *profiler_of(const char *spy)
{
	if (!strcmp(spy, "everprof-agent"))
		return "agent";
	return is_ours(spy) ? "library" : spy;
}

static int add_missing(struct ep_labelset_in *l, const char *name, struct ep_slice value,
		       struct ep_err *err)
{
	if (!value.n || ep_accept_find(l, name).n)
		return 0;
	return ep_accept_label(l, ep_slice_of(name), value, err);
}

static int read_query(struct request *r, struct ep_err *err)
{
	uint64_t now_ns = ep_clock_wall_ns();
	const char *name = ep_http_param(r->x, "name", 0);
	const char *spy = ep_http_param(r->x, "spyName", 0);
	r->spy = spy ? spy : "unknown";
	if (!name)
		return ep_fail(err, -EINVAL, 0, "name: the parameter is missing");
	EP_TRY(ep_appname_parse(ep_slice_of(name), is_ours(r->spy), &r->app, &r->labels, err));
	EP_TRY(read_time(r->x, "from", now_ns, &r->from_ns, err));
	EP_TRY(read_time(r->x, "until", now_ns, &r->until_ns, err));
	EP_TRY(add_missing(&r->labels, "service_name", r->app, err));
	if (!spy)
		return 0;
	if (!is_ours(spy))
		EP_TRY(add_missing(&r->labels, "pyroscope_spy", ep_slice_of(spy), err));
	return add_missing(&r->labels, "profiler", ep_slice_of(profiler_of(spy)), err);
}

/* NULL: pprof, raw or multipart.  Else the name of what it is instead. */
static const char *other_format(struct ep_http *x, bool is_multipart)
{
	static const char *const formats[] = {"jfr", "trie", "tree", "lines", "speedscope", "groups"};
	const char *format = ep_http_param(x, "format", 0);
	struct ep_slice type = ep_http_header(x, "content-type");
	if (format && !strcmp(format, "pprof"))
		return NULL;
	for (size_t i = 0; format && i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(format, formats[i]))
			return formats[i];
	if (is_multipart)
		return NULL;
	if (ep_slice_is(type, "binary/octet-stream+trie"))
		return "trie";
	if (ep_slice_is(type, "binary/octet-stream+tree"))
		return "tree";
	/* Pyroscope takes the rest as folded text; a pprof cannot be mistaken for it. */
	bool is_pprof = !x->body.n || ep_gzip_is(x->body.p, x->body.n) ||
			ep_zstd_is(x->body.p, x->body.n) || x->body.p[0] == '\n';
	return is_pprof ? NULL : "groups";
}

static const struct ep_part *find_part(const struct ep_part *parts, uint32_t n,
				       const char *name)
{
	for (uint32_t i = 0; i < n; i++)
		if (ep_slice_is(parts[i].name, name))
			return &parts[i];
	return NULL;
}

static int read_parts(struct request *r, struct ep_accept *a, struct ep_json **ret_types,
		      struct ep_err *err)
{
	struct ep_part parts[MAX_PARTS];
	uint32_t n = 0;
	struct ep_slice type = ep_http_header(r->x, "content-type");
	EP_TRY(ep_multipart_parse(type, r->x->body, parts, MAX_PARTS, &n, err));
	const struct ep_part *profile = find_part(parts, n, "profile");
	const struct ep_part *types = find_part(parts, n, "sample_type_config");
	if (find_part(parts, n, "prev_profile"))
		return ep_fail(err, -EINVAL, 0,
			       "prev_profile: this client version is not supported; newer "
			       "ones send deltas");
	if (!profile)
		return ep_fail(err, -EBADMSG, 0, "multipart: the part \"profile\" is missing");
	a->pprof = profile->body;
	if (!types)
		return 0;
	int rc = ep_json_parse(types->body, ret_types, err);
	if (rc == 0 && !ep_json_is_object(*ret_types))
		rc = ep_fail(err, -EBADMSG, 0, "it is no JSON object");
	if (rc < 0)
		ep_err_context(err, "sample_type_config");
	return rc;
}

static void take(struct ep_ingest *in, struct request *r, bool is_multipart)
{
	struct ep_err err = {0};
	ep_auto(ep_json) types = NULL;
	struct ep_accept a = {.x = r->x,
			      .pprof = r->x->body,
			      .labels = &r->labels,
			      .from_ns = r->from_ns,
			      .until_ns = r->until_ns};
	int rc = is_multipart ? read_parts(r, &a, &types, &err) : 0;
	a.types = types;
	if (rc >= 0)
		rc = ep_accept(in, &a, &err);
	if (rc < 0)
		ep_accept_fail(r->x, rc, &err);
	else
		r->x->status = 200;
}

void ep_ingest_pyroscope(void *room, struct ep_http *x)
{
	struct ep_ingest *in = room;
	struct request r = {.x = x};
	struct ep_err err = {0};
	struct ep_slice type = ep_http_header(x, "content-type");
	bool is_multipart = type.n && memmem(type.p, type.n, "multipart/form-data", 19);
	if (read_query(&r, &err) < 0) {
		(void)bad_request(x, 400, &err); /* answered */
		return;
	}
	int rc = ep_http_unpack(x, in->cfg.max_profile_bytes, &err);
	if (rc < 0) {
		if (rc == -ENOTSUP)
			(void)bad_request(x, 415, &err); /* answered */
		else
			ep_accept_fail(x, rc, &err);
		return;
	}
	const char *other = other_format(x, is_multipart);
	if (other)
		ep_http_fail(x, 415, "unimplemented",
			     "format %s is not read yet; this server takes pprof (format=pprof, "
			     "or a multipart form with the part \"profile\")",
			     other);
	else
		take(in, &r, is_multipart);
}
