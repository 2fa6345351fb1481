/*
 * api.h - the doors for questions: our JSON API, Pyroscope's querier and render,
 * the page, and what operators ask.
 */
#ifndef EP_API_API_H
#define EP_API_API_H

#include "net/route.h"
#include "query/query.h"

struct ep_api;

struct ep_api_config {
	struct ep_query_env env; /* borrowed; for requests without a tenant */
	const char *sees;        /* the doctor's lines, or NULL; borrowed */
	bool has_agent;          /* this server's own agent samples this machine */
	/* Appends lines for /metrics, those this asker may see; on a worker; may be NULL. */
	void (*metrics)(void *arg, const struct ep_http *x, struct ep_buf *out);
	/* A whole-server check for /ready; may be NULL: always ready. */
	bool (*is_ready)(void *arg);
	/* Is this text a token of ours?  For the sign-in form; NULL: no tokens are asked. */
	bool (*knows_token)(void *arg, const struct ep_http *x, struct ep_slice token);
	/* Are tokens asked for now?  NULL: as knows_token says. */
	bool (*asks_tokens)(void *arg);
	void *arg;
};

int ep_api_new(const struct ep_api_config *config, struct ep_api **ret_a);
void ep_api_free(struct ep_api *a);
EP_DEFINE_AUTO(ep_api);

/* Its routes; handlers run on any worker at once. */
struct ep_route_table ep_api_table(struct ep_api *a);

/* Answer with a file of the page: "/" is the page, "/app-1a2b.js" a part of it; else 404. */
void ep_api_file(struct ep_http *x, struct ep_slice path);

/* Answer `/` to somebody without a token: the sign-in form. */
void ep_api_sign_in_page(struct ep_http *x, int status, const char *sentence);

#endif
