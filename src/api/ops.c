/* ops.c - what operators and load balancers ask: health, readiness, metrics. */
#include "api/room.h"

#include "base/clock.h"
#include "tenant/tenant.h"

#include <string.h>
#include <unistd.h>

void ep_ops_healthz(void *room, struct ep_http *x)
{
	(void)room;
	ep_http_text(x, 200, "ok\n");
}

void ep_ops_ready(void *room, struct ep_http *x)
{
	struct ep_api *a = room;
	bool is_ready = !a->cfg.is_ready || a->cfg.is_ready(a->cfg.arg);
	ep_http_text(x, is_ready ? 200 : 503, is_ready ? "ready\n" : "not ready\n");
}

static uint64_t uptime_s(const struct ep_api *a)
{
	return (ep_clock_mono_ns() - a->started_ns) / EP_NS_PER_S;
}

void ep_ops_metrics(void *room, struct ep_http *x)
{
	struct ep_api *a = room;
	x->status = 200;
	x->content_type = "text/plain; version=0.0.4; charset=utf-8";
	ep_buf_printf(&x->out,
		      "# TYPE everprof_build_info gauge\n"
		      "everprof_build_info{version=\"%s\"} 1\n"
		      "# TYPE everprof_uptime_seconds gauge\n"
		      "everprof_uptime_seconds %llu\n",
		      EP_VERSION, (unsigned long long)uptime_s(a));
	if (a->cfg.metrics)
		a->cfg.metrics(a->cfg.arg, x, &x->out);
}

static void write_lines(struct ep_jsonw *w, const char *key, const char *text)
{
	ep_jsonw_open(w, key, '[');
	while (text && *text) {
		size_t n = strcspn(text, "\n");
		ep_jsonw_slice(w, NULL, (struct ep_slice){text, n});
		text += n + (text[n] == '\n');
	}
	ep_jsonw_close(w, ']');
}

void ep_ops_status(void *room, struct ep_http *x)
{
	struct ep_api *a = room;
	char host[256] = "";
	(void)gethostname(host, sizeof(host) - 1); /* empty is fine */
	struct ep_jsonw w = ep_api_json(x);
	ep_jsonw_open(&w, NULL, '{');
	ep_jsonw_str(&w, "version", EP_VERSION);
	ep_jsonw_uint(&w, "uptime_s", uptime_s(a));
	ep_jsonw_str(&w, "host", x->is_bound ? "" : host);
	/* What this machine is like is not for a tenant of many. */
	write_lines(&w, "sees", x->is_bound ? NULL : a->cfg.sees);
	if (a->cfg.has_agent) {
		ep_jsonw_open(&w, "agent", '{');
		ep_jsonw_bool(&w, "local", true);
		ep_jsonw_close(&w, '}');
	} else {
		ep_jsonw_null(&w, "agent");
	}
	ep_jsonw_bool(&w, "sign_in", ep_api_asks_tokens(a));
	ep_jsonw_str(&w, "tenant", x->tenant ? x->tenant->name : "");
	ep_jsonw_close(&w, '}');
}
