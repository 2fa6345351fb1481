/*
 * gather.h - raw samples to profiles: one per service, or all in one.
 *
 * User frames of files become (build ID, offset) without a name; the mappings
 * are written as if each file lay at its own offsets, so that the same code of
 * many processes is one location, and no address of a process gets out.  What
 * can only be named here and now is named: kernel functions, code made at run
 * time.  Nothing is dropped: what is not known has a frame in brackets.
 */
#ifndef EP_AGENT_GATHER_H
#define EP_AGENT_GATHER_H

#include "agent/process.h"
#include "agent/run_names.h"
#include "agent/source.h"
#include "base/slice.h"
#include "profile/profile.h"

#include <stdbool.h>

struct ep_gather_config {
	struct ep_processes *processes; /* borrowed, as is images */
	struct ep_images *images;
	const struct ep_run_names *names; /* borrowed */
	unsigned hz;
	/* All services in one profile, told apart by a label service_name. */
	bool in_one;
};

struct ep_gather;

/* The finished profile of one service; it owns p.  NULL service: all in one. */
typedef int ep_gather_emit_fn(void *arg, const struct ep_service *service,
			      struct ep_profile *p, struct ep_err *err);

/* 0 or -ENOMEM.  One thread at a time per object. */
int ep_gather_new(const struct ep_gather_config *config, struct ep_gather **ret_f);
void ep_gather_free(struct ep_gather *f);
EP_DEFINE_AUTO(ep_gather);

/* Take a sample in.  Reads /proc when its process is new. */
void ep_gather_sample(struct ep_gather *f, const struct ep_raw *raw);

/*
 * ep_gather_finish - hand out the profiles and start anew.
 *
 * in       stats         of the source, for the ledger: what was asked for and
 *                        lost on the machine is shared out by samples taken
 *          from_ns, until_ns  wall clock
 * errors   -ENOMEM, -E2BIG, and what emit returns; all others are still handed out
 */
int ep_gather_finish(struct ep_gather *f, const struct ep_source_stats *stats,
		     uint64_t from_ns, uint64_t until_ns, ep_gather_emit_fn *emit,
		     void *arg, struct ep_err *err);

#endif
