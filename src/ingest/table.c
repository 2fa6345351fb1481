/* table.c - one row a route of the ingest protocols. */
#include "ingest/accept.h"

#include "tenant/tenant.h"

static const struct ep_route routes[] = {
	{"POST", "/ingest", ep_ingest_pyroscope, EP_ROLE_WRITE},
	{"POST", "/pyroscope/ingest", ep_ingest_pyroscope, EP_ROLE_WRITE},
	{"POST", "/push.v1.PusherService/Push", ep_ingest_pusher, EP_ROLE_WRITE},
};

int ep_ingest_new(const struct ep_ingest_config *config, struct ep_ingest **ret_in)
{
	struct ep_ingest *in = ep_zalloc(sizeof(*in));
	if (!in)
		return -ENOMEM;
	in->cfg = *config;
	if (!in->cfg.max_profile_bytes)
		in->cfg.max_profile_bytes = (size_t)64 << 20;
	*ret_in = in;
	return 0;
}

void ep_ingest_free(struct ep_ingest *in)
{
	ep_free(in);
}

struct ep_route_table ep_ingest_table(struct ep_ingest *in)
{
	return (struct ep_route_table){routes, sizeof(routes) / sizeof(routes[0]), in};
}

void ep_ingest_get_stats(const struct ep_ingest *in, struct ep_ingest_stats *ret_stats)
{
	*ret_stats = (struct ep_ingest_stats){in->profiles, in->rejected, in->samples,
					      in->bytes};
}
