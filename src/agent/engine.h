/*
 * engine.h - a source, the tables behind it and the gatherer, wired: what the agent
 * and `everprof record` share.
 */
#ifndef EP_AGENT_ENGINE_H
#define EP_AGENT_ENGINE_H

#include "agent/areas.h"
#include "agent/gather.h"
#include "agent/source.h"

#include <stdbool.h>
#include <stdint.h>

struct ep_engine_config {
	unsigned hz;
	bool in_one; /* one profile instead of one a service */
};

struct ep_engine;

/*
 * ep_engine_new - start with an open source, which the engine owns from here on,
 * also when this fails.
 *
 * errors   -ENOMEM
 * threads  one thread at a time per object
 */
int ep_engine_new(const struct ep_engine_config *config, struct ep_source *source,
		  struct ep_engine **ret_e, struct ep_err *err);
void ep_engine_free(struct ep_engine *e);
EP_DEFINE_AUTO(ep_engine);

/* Tell of each file that is run, once (image.h).  Before the first wait or drain. */
void ep_engine_offer(struct ep_engine *e, ep_image_offer_fn *offer, void *arg);

/*
 * ep_engine_wait - listen for new processes until a moment of CLOCK_MONOTONIC,
 * or until `*stop` is not 0, or a signal comes.
 */
void ep_engine_wait(struct ep_engine *e, uint64_t until_ns, volatile int *stop);

/* Take all samples from the source into the gatherer. */
int ep_engine_drain(struct ep_engine *e, struct ep_err *err);

/* Hand out the profiles of all since the last emit (or the start). */
int ep_engine_emit(struct ep_engine *e, ep_gather_emit_fn *emit, void *arg,
		   struct ep_err *err);

/* Of all drains since the start. */
void ep_engine_totals(const struct ep_engine *e, struct ep_source_stats *ret_stats);

/* Of unwind tables; all 0 when walks go by frame pointer. */
void ep_engine_areas(const struct ep_engine *e, struct ep_areas_stats *ret_stats);

struct ep_source *ep_engine_source(struct ep_engine *e);

#endif
