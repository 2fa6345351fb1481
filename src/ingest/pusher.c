/*
 * pusher.c - push.v1.PusherService/Push: Connect, JSON or protobuf; gRPC.
 *
 *     PushRequest      series 1
 *     RawProfileSeries labels 1 {name 1, value 2}, samples 2
 *     RawSample        raw_profile 1, ID 2
 */
#include "ingest/accept.h"

#include "codec/base64.h"
#include "codec/json.h"
#include "codec/protobuf.h"
#include "net/connect.h"

#include <string.h>

enum { MAX_SERIES = 10000 };

struct push {
	struct ep_ingest *in;
	struct ep_connect *c;
	uint32_t index; /* of the series */
	uint32_t n_failed;
	int first_rc;
	struct ep_buf failures;
};

static int add_label(struct ep_labelset_in *l, struct ep_slice name, struct ep_slice value,
		     struct ep_err *err)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (ep_slice_eq(l->v[i].key, name))
			return ep_fail(err, -EINVAL, 0,
				       "duplicate_label_names: %.*s is there twice",
				       (int)(name.n > 64 ? 64 : name.n), name.p);
	return ep_accept_label(l, name, value, err);
}

static int finish_labels(struct ep_labelset_in *l, struct ep_err *err)
{
	struct ep_slice spy = ep_accept_find(l, "pyroscope_spy");
	if (!ep_accept_find(l, "service_name").n)
		EP_TRY(ep_accept_label(l, ep_slice_of("service_name"),
				       ep_slice_of("unknown_service"), err));
	if (spy.n && !ep_accept_find(l, "profiler").n)
		EP_TRY(ep_accept_label(l, ep_slice_of("profiler"), spy, err));
	return 0;
}

static void note(struct push *p, struct ep_slice id, int rc, const struct ep_err *err)
{
	if (!p->n_failed++)
		p->first_rc = rc;
	if (p->failures.len)
		ep_buf_add_str(&p->failures, "; ");
	ep_buf_printf(&p->failures, "push series with index %u and id %.*s failed: %s", p->index,
		      (int)(id.n > 64 ? 64 : id.n), id.n ? id.p : "", err->text);
}

static void take_sample(struct push *p, const struct ep_labelset_in *labels,
			struct ep_slice raw, struct ep_slice id)
{
	struct ep_err err = {0};
	struct ep_labelset_in own = *labels;
	struct ep_accept a = {.x = p->c->x, .pprof = raw, .labels = &own};
	int rc = ep_accept(p->in, &a, &err);
	if (rc < 0)
		note(p, id, rc, &err);
}

/* --- protobuf ----------------------------------------------------------------- */

static int read_label(struct ep_pb_reader m, struct ep_labelset_in *l, struct ep_err *err)
{
	struct ep_slice name = {0}, value = {0};
	while (ep_pb_next(&m)) {
		if (m.field == 1 && m.wire == EP_PB_LEN)
			name = ep_pb_bytes(&m);
		else if (m.field == 2 && m.wire == EP_PB_LEN)
			value = ep_pb_bytes(&m);
		else
			ep_pb_skip(&m);
	}
	if (m.fault)
		return ep_fail(err, -EBADMSG, 0, "PushRequest: a label is malformed");
	return add_label(l, name, value, err);
}

static int read_labels(struct ep_pb_reader series, struct ep_labelset_in *l, struct ep_err *err)
{
	while (ep_pb_next(&series)) {
		if (series.field == 1 && series.wire == EP_PB_LEN)
			EP_TRY(read_label(ep_pb_message(&series), l, err));
		else
			ep_pb_skip(&series);
	}
	if (series.fault)
		return ep_fail(err, -EBADMSG, 0, "PushRequest: a series is malformed");
	return finish_labels(l, err);
}

static int take_raw_sample(struct push *p, const struct ep_labelset_in *l,
			   struct ep_pb_reader m, struct ep_err *err)
{
	struct ep_slice raw = {0}, id = {0};
	while (ep_pb_next(&m)) {
		if (m.field == 1 && m.wire == EP_PB_LEN)
			raw = ep_pb_bytes(&m);
		else if (m.field == 2 && m.wire == EP_PB_LEN)
			id = ep_pb_bytes(&m);
		else
			ep_pb_skip(&m);
	}
	if (m.fault)
		return ep_fail(err, -EBADMSG, 0, "PushRequest: a sample is malformed");
	take_sample(p, l, raw, id);
	return 0;
}

static int take_series(struct push *p, struct ep_pb_reader series, struct ep_err *err)
{
	struct ep_labelset_in labels = {.n = 0};
	EP_TRY(read_labels(series, &labels, err));
	while (ep_pb_next(&series)) {
		if (series.field == 2 && series.wire == EP_PB_LEN)
			EP_TRY(take_raw_sample(p, &labels, ep_pb_message(&series), err));
		else
			ep_pb_skip(&series);
	}
	return 0;
}

/* Look at all of it before anything is stored: a cut message stores nothing. */
static int check_proto(struct ep_slice message, struct ep_err *err)
{
	struct ep_pb_reader r = ep_pb_open(message.p, message.n);
	while (ep_pb_next(&r))
		ep_pb_skip(&r);
	if (r.fault)
		return ep_fail(err, -EBADMSG, (uint64_t)(r.at - (const uint8_t *)message.p),
			       "PushRequest: the message is cut short or malformed");
	return 0;
}

static int push_proto(struct push *p, struct ep_slice message, struct ep_err *err)
{
	struct ep_pb_reader r = ep_pb_open(message.p, message.n);
	EP_TRY(check_proto(message, err));
	while (p->index < MAX_SERIES && ep_pb_next(&r)) {
		if (r.field != 1 || r.wire != EP_PB_LEN) {
			ep_pb_skip(&r);
			continue;
		}
		struct ep_err why = {0};
		int rc = take_series(p, ep_pb_message(&r), &why);
		if (rc < 0)
			note(p, (struct ep_slice){0}, rc, &why);
		p->index++;
	}
	return 0;
}

/* --- JSON ---------------------------------------------------------------------- */

static const struct ep_json *get(const struct ep_json *o, const char *camel, const char *snake)
{
	const struct ep_json *v = ep_json_get(o, camel);
	return v ? v : ep_json_get(o, snake);
}

static int read_json_labels(const struct ep_json *array, struct ep_labelset_in *l,
			    struct ep_err *err)
{
	for (size_t i = 0; i < ep_json_n(array); i++) {
		struct ep_slice name = {0}, value = {0};
		(void)ep_json_str(ep_json_get(ep_json_at(array, i), "name"), &name);
		(void)ep_json_str(ep_json_get(ep_json_at(array, i), "value"), &value);
		EP_TRY(add_label(l, name, value, err)); /* an empty name is refused there */
	}
	return finish_labels(l, err);
}

static int take_json_series(struct push *p, const struct ep_json *series, struct ep_err *err)
{
	struct ep_labelset_in labels = {.n = 0};
	const struct ep_json *samples = ep_json_get(series, "samples");
	EP_TRY(read_json_labels(ep_json_get(series, "labels"), &labels, err));
	for (size_t i = 0; i < ep_json_n(samples); i++) {
		const struct ep_json *s = ep_json_at(samples, i);
		struct ep_slice text = {0}, id = {0};
		(void)ep_json_str(get(s, "rawProfile", "raw_profile"), &text);
		(void)ep_json_str(get(s, "ID", "id"), &id); /* both may be missing */
		ep_auto_buf raw;
		ep_buf_init(&raw, p->in->cfg.max_profile_bytes);
		int rc = ep_base64_decode(text, &raw, err);
		if (rc < 0) {
			ep_err_context(err, "rawProfile");
			return rc;
		}
		take_sample(p, &labels, (struct ep_slice){(const char *)raw.data, raw.len}, id);
	}
	return 0;
}

static int push_json(struct push *p, struct ep_slice message, struct ep_err *err)
{
	ep_auto(ep_json) root = NULL;
	EP_TRY(ep_json_parse(message, &root, err));
	const struct ep_json *series = ep_json_get(root, "series");
	for (; p->index < MAX_SERIES && p->index < ep_json_n(series); p->index++) {
		struct ep_err why = {0};
		int rc = take_json_series(p, ep_json_at(series, p->index), &why);
		if (rc < 0)
			note(p, (struct ep_slice){0}, rc, &why);
	}
	return 0;
}

static void answer(struct push *p)
{
	if (!p->index) {
		ep_connect_fail(p->c, "invalid_argument", "no profiles received");
	} else if (p->n_failed) {
		const char *code = p->first_rc == -EAGAIN ? "resource_exhausted"
							  : ep_connect_code_of(p->first_rc);
		ep_connect_fail(p->c, code, "%s",
				ep_buf_cstr(&p->failures));
	} else {
		if (p->c->codec == EP_CONNECT_JSON)
			ep_buf_add_str(&p->c->x->out, "{}");
		ep_connect_done(p->c);
	}
}

void ep_ingest_pusher(void *room, struct ep_http *x)
{
	struct ep_connect c;
	struct push p = {.in = room, .c = &c};
	struct ep_err err = {0};
	/* Base64 and several profiles a request: more than one profile's limit. */
	if (!ep_connect_open(&c, x, 2 * p.in->cfg.max_profile_bytes))
		return;
	ep_buf_init(&p.failures, 64 << 10);
	int rc = c.codec == EP_CONNECT_JSON ? push_json(&p, c.message, &err)
					    : push_proto(&p, c.message, &err);
	if (rc < 0)
		ep_connect_fail_err(&c, rc, &err);
	else
		answer(&p);
	ep_buf_fini(&p.failures);
}
