/*
 * request.c - one table a request drives both decoders.  See request.h.
 *
 * Unknown fields are passed over; a field of the wrong type is an error in JSON
 * and passed over in protobuf, as the format asks.
 */
#include "api/request.h"

#include "codec/json.h"
#include "codec/protobuf.h"

#include <stdio.h>
#include <stddef.h>
#include <string.h>

enum kind { END, STR, INT, DOUBLE, STRS, ENUM, SITES, SIDE };

struct ep_request_field {
	enum kind kind;
	uint32_t number;
	size_t offset; /* in struct ep_request */
	const char *camel, *snake;
	const char *const *names; /* of an ENUM, by value; NULL ends */
};

#define AT(member) offsetof(struct ep_request, member)

static const char *const aggregations[] = {"TIME_SERIES_AGGREGATION_TYPE_SUM",
					   "TIME_SERIES_AGGREGATION_TYPE_AVERAGE", NULL};
static const char *const formats[] = {"PROFILE_FORMAT_UNSPECIFIED", "PROFILE_FORMAT_FLAMEGRAPH",
				      "PROFILE_FORMAT_TREE", "PROFILE_FORMAT_DOT",
				      "PROFILE_FORMAT_PPROF", NULL};

static const char *const heatmaps[] = {"HEATMAP_QUERY_TYPE_UNSPECIFIED",
				       "HEATMAP_QUERY_TYPE_INDIVIDUAL",
				       "HEATMAP_QUERY_TYPE_SPAN", NULL};

static const struct ep_request_field profile_types[] = {
	{INT, 1, AT(start_ms), "start", "start", NULL},
	{INT, 2, AT(end_ms), "end", "end", NULL},
	{0},
};
static const struct ep_request_field label_values[] = {
	{STR, 1, AT(name), "name", "name", NULL},
	{STRS, 2, AT(list), "matchers", "matchers", NULL},
	{INT, 3, AT(start_ms), "start", "start", NULL},
	{INT, 4, AT(end_ms), "end", "end", NULL},
	{0},
};
static const struct ep_request_field label_names[] = {
	{STRS, 1, AT(list), "matchers", "matchers", NULL},
	{INT, 2, AT(start_ms), "start", "start", NULL},
	{INT, 3, AT(end_ms), "end", "end", NULL},
	{0},
};
static const struct ep_request_field series[] = {
	{STRS, 1, AT(list), "matchers", "matchers", NULL},
	{STRS, 2, AT(names), "labelNames", "label_names", NULL},
	{INT, 3, AT(start_ms), "start", "start", NULL},
	{INT, 4, AT(end_ms), "end", "end", NULL},
	{0},
};
static const struct ep_request_field merge_stacktraces[] = {
	{STR, 1, AT(type), "profileTypeID", "profile_typeID", NULL},
	{STR, 2, AT(selector), "labelSelector", "label_selector", NULL},
	{INT, 3, AT(start_ms), "start", "start", NULL},
	{INT, 4, AT(end_ms), "end", "end", NULL},
	{INT, 5, AT(max_nodes), "maxNodes", "max_nodes", NULL},
	{ENUM, 6, AT(format), "format", "format", formats},
	{SITES, 7, AT(path), "stackTraceSelector", "stack_trace_selector", NULL},
	{STRS, 8, AT(ids), "profileIdSelector", "profile_id_selector", NULL},
	{STRS, 10, AT(ids), "traceIdSelector", "trace_id_selector", NULL},
	{STRS, 11, AT(spans), "spanSelector", "span_selector", NULL},
	{0},
};
static const struct ep_request_field merge_profile[] = {
	{STR, 1, AT(type), "profileTypeID", "profile_typeID", NULL},
	{STR, 2, AT(selector), "labelSelector", "label_selector", NULL},
	{INT, 3, AT(start_ms), "start", "start", NULL},
	{INT, 4, AT(end_ms), "end", "end", NULL},
	{INT, 5, AT(max_nodes), "maxNodes", "max_nodes", NULL},
	{SITES, 6, AT(path), "stackTraceSelector", "stack_trace_selector", NULL},
	{STRS, 7, AT(ids), "profileIdSelector", "profile_id_selector", NULL},
	{STRS, 8, AT(ids), "traceIdSelector", "trace_id_selector", NULL},
	{0},
};
static const struct ep_request_field select_series[] = {
	{STR, 1, AT(type), "profileTypeID", "profile_typeID", NULL},
	{STR, 2, AT(selector), "labelSelector", "label_selector", NULL},
	{INT, 3, AT(start_ms), "start", "start", NULL},
	{INT, 4, AT(end_ms), "end", "end", NULL},
	{STRS, 5, AT(names), "groupBy", "group_by", NULL},
	{DOUBLE, 6, AT(step_s), "step", "step", NULL},
	{ENUM, 7, AT(aggregation), "aggregation", "aggregation", aggregations},
	{SITES, 8, AT(path), "stackTraceSelector", "stack_trace_selector", NULL},
	{INT, 9, AT(limit), "limit", "limit", NULL},
	{0},
};
static const struct ep_request_field merge_span[] = {
	{STR, 1, AT(type), "profileTypeID", "profile_typeID", NULL},
	{STR, 2, AT(selector), "labelSelector", "label_selector", NULL},
	{STRS, 3, AT(spans), "spanSelector", "span_selector", NULL},
	{INT, 4, AT(start_ms), "start", "start", NULL},
	{INT, 5, AT(end_ms), "end", "end", NULL},
	{INT, 6, AT(max_nodes), "maxNodes", "max_nodes", NULL},
	{ENUM, 7, AT(format), "format", "format", formats},
	{0},
};
static const struct ep_request_field heatmap[] = {
	{STR, 1, AT(type), "profileTypeID", "profile_typeID", NULL},
	{STR, 2, AT(selector), "labelSelector", "label_selector", NULL},
	{INT, 3, AT(start_ms), "start", "start", NULL},
	{INT, 4, AT(end_ms), "end", "end", NULL},
	{DOUBLE, 5, AT(step_s), "step", "step", NULL},
	{STRS, 6, AT(names), "groupBy", "group_by", NULL},
	{ENUM, 7, AT(kind), "queryType", "query_type", heatmaps},
	{INT, 9, AT(limit), "limit", "limit", NULL},
	{0},
};
static const struct ep_request_field diff[] = {
	{SIDE, 1, AT(left), "left", "left", NULL},
	{SIDE, 2, AT(right), "right", "right", NULL},
	{0},
};
static const struct ep_request_field none[] = {{0}};

const struct ep_request_field *ep_request_fields(struct ep_slice method)
{
	static const struct {
		const char *method;
		const struct ep_request_field *fields;
	} table[] = {
		{"ProfileTypes", profile_types},
		{"LabelValues", label_values},
		{"LabelNames", label_names},
		{"Series", series},
		{"SelectMergeStacktraces", merge_stacktraces},
		{"SelectMergeProfile", merge_profile},
		{"SelectMergeSpanProfile", merge_span},
		{"SelectSeries", select_series},
		{"SelectHeatmap", heatmap},
		{"Diff", diff},
		{"GetProfileStats", none},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (ep_slice_is(method, table[i].method))
			return table[i].fields;
	return NULL;
}

static void *at(struct ep_request *r, const struct ep_request_field *f)
{
	return (char *)r + f->offset;
}

static int add(struct ep_request_list *l, struct ep_slice s, struct ep_err *err)
{
	if (l->n == EP_REQUEST_MAX_LIST)
		return ep_fail(err, -E2BIG, 0, "a list of over %d elements", EP_REQUEST_MAX_LIST);
	l->v[l->n++] = s;
	return 0;
}

static int new_side(struct ep_arena *arena, struct ep_request **ret, struct ep_err *err)
{
	*ret = ep_arena_zalloc(arena, 1, sizeof(**ret));
	return *ret ? 0 : ep_fail(err, -ENOMEM, 0, "no memory for the request");
}

/* --- protobuf --------------------------------------------------------------------- */

static int decode_proto(const struct ep_request_field *fields, struct ep_slice message,
			struct ep_arena *arena, struct ep_request *r, struct ep_err *err);

/* StackTraceSelector.call_site 1 = Location{name 1} */
static int decode_sites(struct ep_pb_reader m, struct ep_request_list *l, struct ep_err *err)
{
	while (ep_pb_next(&m)) {
		if (m.field != 1 || m.wire != EP_PB_LEN) {
			ep_pb_skip(&m);
			continue;
		}
		struct ep_pb_reader site = ep_pb_message(&m);
		while (ep_pb_next(&site))
			if (site.field == 1 && site.wire == EP_PB_LEN)
				EP_TRY(add(l, ep_pb_bytes(&site), err));
			else
				ep_pb_skip(&site);
	}
	return 0;
}

static int decode_field(const struct ep_request_field *f, struct ep_pb_reader *m,
			struct ep_arena *arena, struct ep_request *r, struct ep_err *err)
{
	static const uint32_t wires[] = {[STR] = EP_PB_LEN,	[INT] = EP_PB_VARINT,
					 [DOUBLE] = EP_PB_FIXED64, [STRS] = EP_PB_LEN,
					 [ENUM] = EP_PB_VARINT, [SITES] = EP_PB_LEN,
					 [SIDE] = EP_PB_LEN};
	struct ep_request **side = at(r, f);
	uint64_t bits;
	if (f->kind == END || m->wire != wires[f->kind]) {
		ep_pb_skip(m);
		return 0;
	}
	switch (f->kind) {
	case STR:
		*(struct ep_slice *)at(r, f) = ep_pb_bytes(m);
		return 0;
	case STRS:
		return add(at(r, f), ep_pb_bytes(m), err);
	case DOUBLE:
		bits = ep_pb_fixed64(m);
		memcpy(at(r, f), &bits, sizeof(bits));
		return 0;
	case SITES:
		return decode_sites(ep_pb_message(m), at(r, f), err);
	case SIDE:
		EP_TRY(new_side(arena, side, err));
		return decode_proto(merge_stacktraces, ep_pb_bytes(m), arena, *side, err);
	default:
		*(int64_t *)at(r, f) = (int64_t)ep_pb_varint(m);
		return 0;
	}
}

static int decode_proto(const struct ep_request_field *fields, struct ep_slice message,
			struct ep_arena *arena, struct ep_request *r, struct ep_err *err)
{
	struct ep_pb_reader m = ep_pb_open(message.p, message.n);
	while (ep_pb_next(&m)) {
		const struct ep_request_field *f = fields;
		while (f->kind != END && f->number != m.field)
			f++;
		EP_TRY(decode_field(f, &m, arena, r, err));
	}
	if (m.fault)
		return ep_fail(err, -EBADMSG, (uint64_t)(m.at - (const uint8_t *)message.p),
			       "the request is cut short or malformed");
	return 0;
}

/* --- JSON -------------------------------------------------------------------------- */

static int decode_object(const struct ep_request_field *fields, const struct ep_json *o,
			 struct ep_arena *arena, struct ep_request *r, struct ep_err *err);

/* The document dies before the request does. */
static bool copy_str(const struct ep_json *v, struct ep_arena *arena, struct ep_slice *ret)
{
	struct ep_slice s;
	if (!ep_json_str(v, &s))
		return false;
	ret->p = ep_arena_copy(arena, s.p, s.n);
	ret->n = ret->p ? s.n : 0;
	return ret->p != NULL;
}

static int decode_strs(const struct ep_json *v, struct ep_arena *arena,
		       struct ep_request_list *l, struct ep_err *err)
{
	for (size_t i = 0; i < ep_json_n(v); i++) {
		const struct ep_json *e = ep_json_at(v, i);
		struct ep_slice s;
		if (!copy_str(ep_json_is_object(e) ? ep_json_get(e, "name") : e, arena, &s))
			return -EBADMSG;
		EP_TRY(add(l, s, err));
	}
	return ep_json_is_array(v) ? 0 : -EBADMSG;
}

static bool decode_enum(const struct ep_request_field *f, const struct ep_json *v, int64_t *ret)
{
	struct ep_slice name;
	if (!ep_json_str(v, &name))
		return ep_json_int(v, ret);
	for (int i = 0; f->names[i]; i++)
		if (ep_slice_is(name, f->names[i])) {
			*ret = i;
			return true;
		}
	return false;
}

static int decode_value(const struct ep_request_field *f, const struct ep_json *v,
			struct ep_arena *arena, struct ep_request *r, struct ep_err *err)
{
	struct ep_request **side = at(r, f);
	switch (f->kind) {
	case STR:
		return copy_str(v, arena, at(r, f)) ? 0 : -EBADMSG;
	case INT:
		return ep_json_int(v, at(r, f)) ? 0 : -EBADMSG;
	case DOUBLE:
		return ep_json_double(v, at(r, f)) ? 0 : -EBADMSG;
	case ENUM:
		return decode_enum(f, v, at(r, f)) ? 0 : -EBADMSG;
	case STRS:
		return decode_strs(v, arena, at(r, f), err);
	case SITES:
		v = ep_json_get(v, "callSite") ? ep_json_get(v, "callSite")
					       : ep_json_get(v, "call_site");
		return v ? decode_strs(v, arena, at(r, f), err) : 0;
	case SIDE:
		EP_TRY(new_side(arena, side, err));
		return decode_object(merge_stacktraces, v, arena, *side, err);
	default:
		return 0;
	}
}

static int decode_object(const struct ep_request_field *fields, const struct ep_json *o,
			 struct ep_arena *arena, struct ep_request *r, struct ep_err *err)
{
	if (!ep_json_is_object(o))
		return ep_fail(err, -EBADMSG, 0, "the request is no JSON object");
	for (const struct ep_request_field *f = fields; f->kind != END; f++) {
		const struct ep_json *v = ep_json_get(o, f->camel);
		v = v ? v : ep_json_get(o, f->snake);
		if (!v || ep_json_is_null(v))
			continue;
		int rc = decode_value(f, v, arena, r, err);
		if (rc < 0)
			return ep_fail(err, rc, 0, "%s: not a value of its type", f->camel);
	}
	return 0;
}

int ep_request_decode(const struct ep_request_field *fields, struct ep_slice message,
		      bool is_json, struct ep_arena *arena, struct ep_request *ret_r,
		      struct ep_err *err)
{
	if (!is_json)
		return decode_proto(fields, message, arena, ret_r, err);
	ep_auto(ep_json) root = NULL;
	EP_TRY(ep_json_parse(message, &root, err));
	return decode_object(fields, root, arena, ret_r, err);
}
