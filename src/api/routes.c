/* routes.c - one row a route of the query side. */
#include "api/room.h"

#include "base/clock.h"
#include "tenant/tenant.h"

#include <stdatomic.h>

static const struct ep_route routes[] = {
	{"GET", "/healthz", ep_ops_healthz, 0},
	{"GET", "/ready", ep_ops_ready, 0},
	{"GET", "/metrics", ep_ops_metrics, EP_ROLE_READ},

	{"GET", "/api/v1/services", ep_lists_services, EP_ROLE_READ},
	{"GET", "/api/v1/types", ep_lists_types, EP_ROLE_READ},
	{"GET", "/api/v1/labels", ep_lists_labels, EP_ROLE_READ},
	{"GET", "/api/v1/labels/*", ep_lists_values, EP_ROLE_READ},
	{"GET", "/api/v1/series", ep_graphs_series, EP_ROLE_READ},
	{"GET", "/api/v1/flamegraph", ep_graphs_flamegraph, EP_ROLE_READ},
	{"GET", "/api/v1/diff", ep_graphs_diff, EP_ROLE_READ},
	{"GET", "/api/v1/top", ep_graphs_top, EP_ROLE_READ},
	{"GET", "/api/v1/profile", ep_graphs_profile, EP_ROLE_READ},
	{"GET", "/api/v1/status", ep_ops_status, EP_ROLE_READ},
	{"POST", "/api/v1/symbols/missing", ep_symbols_missing, EP_ROLE_WRITE},
	{"PUT", "/api/v1/symbols/*", ep_symbols_put, EP_ROLE_WRITE},

	{"GET", "/pyroscope/render", ep_render_get, EP_ROLE_READ},
	{"GET", "/pyroscope/render-diff", ep_render_diff, EP_ROLE_READ},
	{"GET", "/pyroscope/label-values", ep_render_label_values, EP_ROLE_READ},
	{"POST", "/querier.v1.QuerierService/*", ep_querier, EP_ROLE_READ},

	{"POST", "/sign-in", ep_page_sign_in, 0},
	{"POST", "/sign-out", ep_page_sign_out, 0},
	{"GET", "/*", ep_page_get, EP_ROLE_READ},
};

struct ep_query_env ep_api_env(const struct ep_api *a, const struct ep_http *x)
{
	struct ep_query_env env = a->cfg.env;
	if (x->tenant) {
		env.store = atomic_load(&x->tenant->store);
		env.symbols = atomic_load(&x->tenant->symbols);
		env.max_time_ns = x->tenant->limits.query_time;
		env.max_bytes = x->tenant->limits.query_bytes;
		env.max_nodes = (uint64_t)x->tenant->limits.query_nodes;
		env.tenant = x->tenant->name;
	}
	return env;
}

bool ep_api_asks_tokens(const struct ep_api *a)
{
	return a->cfg.asks_tokens ? a->cfg.asks_tokens(a->cfg.arg) : a->cfg.knows_token != NULL;
}

int ep_api_new(const struct ep_api_config *config, struct ep_api **ret_a)
{
	struct ep_api *a = ep_zalloc(sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->cfg = *config;
	a->started_ns = ep_clock_mono_ns();
	*ret_a = a;
	return 0;
}

void ep_api_free(struct ep_api *a)
{
	ep_free(a);
}

struct ep_route_table ep_api_table(struct ep_api *a)
{
	return (struct ep_route_table){routes, sizeof(routes) / sizeof(routes[0]), a};
}
