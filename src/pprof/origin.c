/* origin.c - see origin.h. */
#include "pprof/origin.h"

#include "base/buf.h"
#include "base/mem.h"
#include "fetch/fetch.h"
#include "legacy/legacy.h"

int ep_origin_load(const char *name, const struct ep_origin_options *o,
		   struct ep_origin *ret_s, struct ep_err *err)
{
	(void)o;
	ep_auto_buf bytes;
	ep_buf_init(&bytes, SIZE_MAX);
	EP_TRY(ep_fetch_file(name, 0, &bytes, err));
	struct ep_profile *p;
	EP_TRY(ep_legacy_decode(bytes.data, bytes.len, 0, &p, err));
	*ret_s = (struct ep_origin){p, NULL};
	return 0;
}

void ep_origin_fini(struct ep_origin *s)
{
	ep_profile_free(s->profile);
	ep_free(s->url);
	*s = (struct ep_origin){0};
}
