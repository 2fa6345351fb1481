/*
 * shelf.h - what a server has of a service: the facts behind `doctor --service`.
 */
#ifndef EP_PROOF_SHELF_H
#define EP_PROOF_SHELF_H

#include "base/err.h"
#include "profile/profile.h"

#include <stdbool.h>
#include <stdint.h>

#define EP_SHELF_PIDS 64
#define EP_SHELF_TEXT 192

/* CPU time under the program's own labels; weights in nanoseconds. */
struct ep_shelf_labels {
	int64_t weight, labelled;
	uint64_t n_samples;	       /* rows of the merged profile */
	char names[EP_SHELF_TEXT];     /* "endpoint (3 values), tenant (5 values)" */
	char widest[64];	       /* the key with the most values, or one with "__other__" */
	unsigned n_values;	       /* of it */
	int64_t other;		       /* weight whose value is __other__, of the worst key */
	unsigned n_threads, n_without; /* that used 2 % or more; most of it without labels */
	char without[64];	       /* the heaviest of those, by name */
	int64_t without_weight;
	int64_t pids[EP_SHELF_PIDS];
	unsigned n_pids;
};

struct ep_shelf {
	bool known; /* profiles of the service lie within the range */
	int64_t last_ms, n_profiles;
	char profilers[EP_SHELF_TEXT]; /* "library", "agent, library" */
	bool by_agent_alone;
	bool this_host; /* all that say come from the host we are on */
	bool has_live_heap;
	char open[EP_SHELF_TEXT]; /* profiles of open things: custom ones, tasks; "": none */
	int64_t n_scopes;	  /* label scopes entered */
	int64_t asked, taken, lost, truncated; /* samples of CPU */
	int64_t unnamed, total;		       /* nanoseconds of CPU */
	struct ep_shelf_labels labels;
	char version[128];	 /* the heaviest of the last minute of it */
	int64_t version_samples; /* of it, within seven days */
};

struct ep_fetch;

/*
 * ep_shelf_look - ask the server.
 *
 * in       server   "http://127.0.0.1:4040"
 *          now_ms, range_ms  the range ends now
 * errors   of ep_fetch_url(); -EBADMSG an answer that is not of our API; -EINVAL a name
 *          that can't be asked for; -ENOMEM
 * threads  any
 */
int ep_shelf_look(const struct ep_fetch *f, const char *server, const char *service,
		  int64_t now_ms, int64_t range_ms, struct ep_shelf *ret, struct ep_err *err);

/* The part that is read from the merged CPU profile.  -ENOMEM. */
int ep_shelf_read_labels(const struct ep_profile *p, struct ep_shelf_labels *ret);

#endif
