/*
 * ingest.h - the doors for profiles: one file a protocol, one row in table.c.
 */
#ifndef EP_INGEST_INGEST_H
#define EP_INGEST_INGEST_H

#include "net/route.h"
#include "profile/profile.h"
#include "store/store.h"

struct ep_ingest;

struct ep_ingest_config {
	size_t max_profile_bytes; /* unpacked; 0: 64 MB (--max-profile) */
	/* Told of every profile that was stored, on a worker; may be NULL. */
	void (*on_profile)(void *arg, const struct ep_http *x, const struct ep_profile *p);
	void *arg;
};

/* Since the start.  A profile without samples counts as taken. */
struct ep_ingest_stats {
	uint64_t profiles, rejected, samples, bytes;
};

int ep_ingest_new(const struct ep_ingest_config *config, struct ep_ingest **ret_in);
void ep_ingest_free(struct ep_ingest *in);
EP_DEFINE_AUTO(ep_ingest);

/* Its routes; handlers run on any worker at once. */
struct ep_route_table ep_ingest_table(struct ep_ingest *in);
void ep_ingest_get_stats(const struct ep_ingest *in, struct ep_ingest_stats *ret_stats);

#endif
