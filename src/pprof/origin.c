/* origin.c - see origin.h. */
#include "pprof/origin.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "fetch/adjust.h"
#include "fetch/fetch.h"
#include "legacy/legacy.h"
#include "pprof/perfdata.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

/* More than what a server may be silent: the reference's grace. */
#define GRACE_NS (5 * EP_NS_PER_S)
#define MAX_URL ((size_t)1 << 20)

static int clamp(int64_t v)
{
	return v > INT_MAX ? INT_MAX : v < 0 ? 0 : (int)v;
}

/* The profile that a URL answers with. */
static int read_url(const char *url, uint64_t timeout_ns, const struct ep_origin_options *o,
		    struct ep_buf *out, struct ep_err *err)
{
	char text[32];
	struct ep_fetch_request rq = {.url = url, .timeout_ns = timeout_ns + GRACE_NS};
	if (!o->fetch)
		return ep_fail(err, -ENOTSUP, 0, "URLs are not fetched here");
	ep_note(o->notes, "Fetching profile over HTTP from %s", url);
	if (o->seconds > 0)
		ep_note(o->notes, "Please wait... (%s)",
			ep_adjust_seconds(text, clamp(o->seconds)));
	return ep_fetch_url(o->fetch, &rq, out, err);
}

/* Bytes of what is named; *ret_url is set when it was a URL. */
static int read_any(const char *name, const struct ep_origin_options *o, struct ep_buf *out,
		    char **ret_url, struct ep_err *err)
{
	ep_auto_buf url;
	uint64_t timeout_ns;
	ep_buf_init(&url, MAX_URL);
	if (!strcmp(name, "-"))
		return ep_fetch_file(name, 0, out, err);
	if (access(name, F_OK) == 0) {
		EP_TRY(ep_fetch_file(name, 0, out, err));
		return ep_perfdata_convert(name, o->notes, out, err);
	}
	int rc = ep_adjust_source(name, clamp(o->seconds), clamp(o->timeout), &url, &timeout_ns);
	if (rc < 0)
		return ep_fail(err, rc, 0, "the URL is too long");
	if (rc == 0)
		return ep_fail(err, -ENOENT, 0, "stat %s: no such file or directory", name);
	EP_TRY(read_url(ep_buf_cstr(&url), timeout_ns, o, out, err));
	*ret_url = ep_strdup(ep_buf_cstr(&url));
	return *ret_url ? 0 : ep_fail(err, -ENOMEM, 0, "out of memory");
}

int ep_origin_load(const char *name, const struct ep_origin_options *o,
		   struct ep_origin *ret_s, struct ep_err *err)
{
	ep_auto_buf bytes;
	char *ep_auto_mem url = NULL;
	struct ep_profile *p;
	ep_buf_init(&bytes, SIZE_MAX);
	EP_TRY(read_any(name, o, &bytes, &url, err));
	EP_TRY(ep_legacy_decode(bytes.data, bytes.len, 0, &p, err));
	*ret_s = (struct ep_origin){p, ep_take(&url)};
	return 0;
}

void ep_origin_fini(struct ep_origin *s)
{
	ep_profile_free(s->profile);
	ep_free(s->url);
	*s = (struct ep_origin){0};
}
