/*
 * request.h - the requests of querier.v1, from JSON or protobuf into one struct.
 */
#ifndef EP_API_REQUEST_H
#define EP_API_REQUEST_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { EP_REQUEST_MAX_LIST = 128 };

struct ep_request_list {
	struct ep_slice v[EP_REQUEST_MAX_LIST];
	uint32_t n;
};

/* The union of all requests of the service: each method reads its own fields. */
struct ep_request {
	struct ep_slice type, selector, name;
	struct ep_request_list list;  /* matchers */
	struct ep_request_list names; /* label_names, group_by, profile_id_selector */
	struct ep_request_list ids;   /* profile and trace selectors */
	struct ep_request_list spans;
	struct ep_request_list path;  /* stack_trace_selector.call_site names */
	int64_t start_ms, end_ms;
	int64_t max_nodes, limit, format, aggregation, kind;
	double step_s;
	struct ep_request *left, *right; /* of Diff */
};

struct ep_request_field;

/* What a method's request looks like; NULL when there is no such method. */
const struct ep_request_field *ep_request_fields(struct ep_slice method);

/*
 * ep_request_decode - read a message.
 *
 * in       arena  for the sides of a Diff and strings of a JSON document
 * errors   -EBADMSG, -E2BIG (a list over 128 elements), -ENOMEM
 */
int ep_request_decode(const struct ep_request_field *fields, struct ep_slice message,
		      bool is_json, struct ep_arena *arena, struct ep_request *ret_r,
		      struct ep_err *err);

#endif
