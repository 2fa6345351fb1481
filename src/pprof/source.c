/* source.c - see source.h. */
#include "pprof/source.h"

#include "base/buf.h"
#include "base/mem.h"
#include "fetch/fetch.h"
#include "legacy/legacy.h"

int ep_source_load(const char *name, const struct ep_source_options *o,
		   struct ep_source *ret_s, struct ep_err *err)
{
	(void)o;
	ep_auto_buf bytes;
	ep_buf_init(&bytes, SIZE_MAX);
	EP_TRY(ep_fetch_file(name, 0, &bytes, err));
	struct ep_profile *p;
	int rc = ep_legacy_decode(bytes.data, bytes.len, 0, &p, err);
	if (rc < 0) {
		ep_err_context(err, "parsing profile");
		return rc;
	}
	*ret_s = (struct ep_source){p, NULL};
	return 0;
}

void ep_source_fini(struct ep_source *s)
{
	ep_profile_free(s->profile);
	ep_free(s->url);
	*s = (struct ep_source){0};
}
