/*
 * metrics.h - Prometheus text of one server.  Internal to the room.
 */
#ifndef EP_SERVER_METRICS_H
#define EP_SERVER_METRICS_H

#include "base/buf.h"
#include "ingest/ingest.h"
#include "net/serve.h"
#include "server/guard.h"
#include "server/localsyms.h"

struct ep_metrics {
	const struct ep_serve *serve;
	const struct ep_guard *guard;
	const struct ep_ingest *ingest;
	const struct ep_localsyms *localsyms;
	struct ep_rooms *rooms;
	struct ep_tenants *tenants;
};

/* Any thread. */
void ep_metrics_write(const struct ep_metrics *m, struct ep_buf *out);
/* What one tenant may know: its own. */
void ep_metrics_write_tenant(struct ep_tenant *t, struct ep_buf *out);

#endif
