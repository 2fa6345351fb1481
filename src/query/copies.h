/*
 * copies.h - where a process pushes itself, the agent's samples of it are copies.
 *
 * Of the series that push a service's CPU time themselves, this remembers which
 * processes (host and pid) did so when.  A client that sends no pid stands for the
 * whole service.
 */
#ifndef EP_QUERY_COPIES_H
#define EP_QUERY_COPIES_H

#include "base/mem.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct ep_copies;

struct ep_copies *ep_copies_new(void);
void ep_copies_free(struct ep_copies *c);
EP_DEFINE_AUTO(ep_copies);

/* Whose: an empty pid is the whole service, on whatever host. */
struct ep_copies_who {
	struct ep_slice service, host, pid; /* copied */
};

/* `who` pushed this stretch of time itself.  -ENOMEM. */
int ep_copies_add(struct ep_copies *c, const struct ep_copies_who *who, uint64_t start_ns,
		  uint64_t end_ns);
/* All was added. */
void ep_copies_seal(struct ep_copies *c);
/* Is the agent's sample of this process around this moment a copy? */
bool ep_copies_has(const struct ep_copies *c, const struct ep_copies_who *who, uint64_t at_ns);

#endif
