/*
 * room.h - what the files of this room share.  Internal.
 */
#ifndef EP_API_ROOM_H
#define EP_API_ROOM_H

#include "api/api.h"
#include "codec/json.h"
#include "query/levels.h"

enum {
	EP_API_MAX_NODES = 1 << 20, /* of one flame graph */
	EP_API_MAX_POINTS = 11000,  /* of one series */
	EP_API_MAX_BY = 16,
};

struct ep_api {
	struct ep_api_config cfg;
	uint64_t started_ns; /* CLOCK_MONOTONIC */
};

/*
 * params.c: parameters of a GET.  On a mistake they fill err and return -EINVAL.
 */
int ep_params_time(struct ep_http *x, const char *name, const char *otherwise,
		   int64_t *ret_ms, struct ep_err *err);
/* A whole number within [least, most]. */
int ep_params_int(struct ep_http *x, const char *name, int64_t least, int64_t most,
		  int64_t *value, struct ep_err *err);
/* PREFIX + type, query, from, until; prefix "a_" for the sides of a diff. */
int ep_params_query(struct ep_http *x, const char *prefix, bool needs_type,
		    struct ep_query *ret_q, struct ep_err *err);
/* A type id has 5 parts; a sixth, "delta", comes off. */
int ep_params_type(struct ep_slice *type, struct ep_err *err);
struct ep_slice ep_params_slice(struct ep_http *x, const char *name);
/* All values of a repeated parameter, at most max. */
uint32_t ep_params_list(struct ep_http *x, const char *name, struct ep_slice *ret,
			uint32_t max);

/* Answer a failed question: 400, 404, 413, 5xx, in our JSON form. */
void ep_api_fail(struct ep_http *x, int rc, const struct ep_err *err);
/* What the asker's questions are asked of. */
struct ep_query_env ep_api_env(const struct ep_api *a, const struct ep_http *x);
bool ep_api_asks_tokens(const struct ep_api *a);
/* Open a JSON answer with status 200. */
struct ep_jsonw ep_api_json(struct ep_http *x);

/* The handlers, by file. */
void ep_lists_services(void *room, struct ep_http *x);
void ep_lists_types(void *room, struct ep_http *x);
void ep_lists_labels(void *room, struct ep_http *x);
void ep_lists_values(void *room, struct ep_http *x);
void ep_graphs_series(void *room, struct ep_http *x);
void ep_graphs_flamegraph(void *room, struct ep_http *x);
void ep_graphs_diff(void *room, struct ep_http *x);
void ep_graphs_top(void *room, struct ep_http *x);
void ep_graphs_profile(void *room, struct ep_http *x);
void ep_symbols_missing(void *room, struct ep_http *x);
void ep_symbols_put(void *room, struct ep_http *x);
void ep_ops_status(void *room, struct ep_http *x);
void ep_ops_healthz(void *room, struct ep_http *x);
void ep_ops_ready(void *room, struct ep_http *x);
void ep_ops_metrics(void *room, struct ep_http *x);
void ep_page_get(void *room, struct ep_http *x);
void ep_page_sign_in(void *room, struct ep_http *x);
void ep_page_sign_out(void *room, struct ep_http *x);
void ep_render_get(void *room, struct ep_http *x);
void ep_render_diff(void *room, struct ep_http *x);
void ep_render_label_values(void *room, struct ep_http *x);
void ep_querier(void *room, struct ep_http *x);

#endif
