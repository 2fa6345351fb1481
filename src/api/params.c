/* params.c - see room.h. */
#include "api/room.h"

#include "base/clock.h"
#include "codec/attime.h"
#include "net/connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ep_slice ep_params_slice(struct ep_http *x, const char *name)
{
	return ep_slice_of(ep_http_param(x, name, 0));
}

/* Milliseconds as a number, or now, now-15m, … */
int ep_params_time(struct ep_http *x, const char *name, const char *otherwise,
		   int64_t *ret_ms, struct ep_err *err)
{
	const char *text = ep_http_param(x, name, 0);
	uint64_t ns;
	if (!text || !*text)
		text = otherwise;
	size_t n = strlen(text);
	if (n && n < 16 && strspn(text, "0123456789") == n) {
		*ret_ms = strtoll(text, NULL, 10);
		return 0;
	}
	if (!strncmp(text, "now", 3) && ep_attime_parse(text, ep_clock_wall_ns(), &ns) == 0) {
		*ret_ms = (int64_t)(ns / EP_NS_PER_MS);
		return 0;
	}
	return ep_fail(err, -EINVAL, 0,
		       "%s: neither milliseconds since 1970 nor now, now-15m, now-1h", name);
}

int ep_params_int(struct ep_http *x, const char *name, int64_t least, int64_t most,
		  int64_t *value, struct ep_err *err)
{
	const char *text = ep_http_param(x, name, 0);
	char *end;
	if (!text || !*text)
		return 0;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (errno || *end || n < least || n > most)
		return ep_fail(err, -EINVAL, 0, "%s: not a whole number from %lld to %lld", name,
			       (long long)least, (long long)most);
	*value = n;
	return 0;
}

int ep_params_type(struct ep_slice *type, struct ep_err *err)
{
	unsigned n_colons = 0;
	size_t fifth = type->n;
	for (size_t i = 0; i < type->n; i++)
		if (type->p[i] == ':' && ++n_colons == 5)
			fifth = i;
	struct ep_slice rest = {type->p + fifth, type->n - fifth};
	if (n_colons < 4 || (rest.n && !ep_slice_is(rest, ":delta")))
		return ep_fail(err, -EINVAL, 0,
			       "a profile type is NAME:SAMPLE_TYPE:UNIT:PERIOD_TYPE:UNIT, as "
			       "process_cpu:cpu:nanoseconds:cpu:nanoseconds");
	type->n = fifth;
	return 0;
}

int ep_params_query(struct ep_http *x, const char *prefix, bool needs_type,
		    struct ep_query *ret_q, struct ep_err *err)
{
	char name[16];
	struct ep_query q = {.type = ep_params_slice(x, "type")};
	int64_t copies = 0;
	if (needs_type && !q.type.n)
		return ep_fail(err, -EINVAL, 0, "type: the parameter is missing");
	if (q.type.n)
		EP_TRY(ep_params_type(&q.type, err));
	(void)snprintf(name, sizeof(name), "%squery", prefix);
	q.selector = ep_params_slice(x, name);
	(void)snprintf(name, sizeof(name), "%sfrom", prefix);
	EP_TRY(ep_params_time(x, name, "now-1h", &q.from_ms, err));
	(void)snprintf(name, sizeof(name), "%suntil", prefix);
	EP_TRY(ep_params_time(x, name, "now", &q.until_ms, err));
	EP_TRY(ep_params_int(x, "copies", 0, 1, &copies, err));
	q.include_copies = copies != 0;
	if (q.from_ms > q.until_ms)
		return ep_fail(err, -EINVAL, 0, "%sfrom is after %suntil", prefix, prefix);
	*ret_q = q;
	return 0;
}

uint32_t ep_params_list(struct ep_http *x, const char *name, struct ep_slice *ret,
			uint32_t max)
{
	uint32_t n = 0;
	for (const char *v; n < max && (v = ep_http_param(x, name, n)); n++)
		ret[n] = ep_slice_of(v);
	return n;
}

void ep_api_fail(struct ep_http *x, int rc, const struct ep_err *err)
{
	const char *code = ep_connect_code_of(rc);
	int status = rc == -E2BIG ? 422 : ep_connect_status(code);
	ep_http_fail(x, status, code, "%s", err->text[0] ? err->text : strerror(-rc));
}

struct ep_jsonw ep_api_json(struct ep_http *x)
{
	x->status = 200;
	x->content_type = "application/json";
	ep_buf_clear(&x->out);
	return ep_jsonw_to(&x->out);
}
