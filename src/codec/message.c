/* message.c - see message.h. */
#include "codec/message.h"

#include "codec/protobuf.h"

#include <assert.h>

void ep_msg_begin(struct ep_msg *m, struct ep_buf *out, bool is_json)
{
	*m = (struct ep_msg){.json = ep_jsonw_to(out), .out = out, .is_json = is_json};
	if (is_json)
		ep_jsonw_open(&m->json, NULL, '{');
}

void ep_msg_end(struct ep_msg *m)
{
	assert(m->depth == 0);
	if (m->is_json)
		ep_jsonw_close(&m->json, '}');
}

static bool in_array(const struct ep_msg *m)
{
	return m->depth && m->stack[m->depth - 1].is_array;
}

/* An element carries its array's number. */
static uint32_t field_of(const struct ep_msg *m, uint32_t field)
{
	return in_array(m) ? m->stack[m->depth - 1].field : field;
}

static void enter(struct ep_msg *m, uint32_t field, bool is_array)
{
	field = field_of(m, field);
	assert(m->depth < EP_MSG_MAX_DEPTH);
	m->stack[m->depth].start = m->out->len;
	m->stack[m->depth].field = field;
	m->stack[m->depth].is_array = is_array;
	m->depth++;
}

void ep_msg_open(struct ep_msg *m, const char *key, uint32_t field)
{
	if (m->is_json)
		ep_jsonw_open(&m->json, key, '{');
	enter(m, field, false);
}

/* The length of a message is known at its end: put it, and the tag, before. */
static void put_length(struct ep_buf *b, size_t start, uint32_t field)
{
	size_t n = b->len - start;
	uint64_t tag = (uint64_t)field << 3 | EP_PB_LEN;
	size_t n_head = ep_pb_varint_size(tag) + ep_pb_varint_size(n);
	if (ep_buf_failed(b) || !ep_buf_reserve(b, n_head))
		return;
	memmove(b->data + start + n_head, b->data + start, n);
	(void)ep_pb_put_varint(ep_pb_put_varint(b->data + start, tag), n);
	b->len += n_head;
}

void ep_msg_close(struct ep_msg *m)
{
	m->depth--;
	if (m->is_json)
		ep_jsonw_close(&m->json, '}');
	else
		put_length(m->out, m->stack[m->depth].start, m->stack[m->depth].field);
}

void ep_msg_array(struct ep_msg *m, const char *key, uint32_t field)
{
	if (m->is_json)
		ep_jsonw_open(&m->json, key, '[');
	enter(m, field, true);
}

void ep_msg_array_end(struct ep_msg *m)
{
	m->depth--;
	if (m->is_json)
		ep_jsonw_close(&m->json, ']');
}

void ep_msg_str(struct ep_msg *m, const char *key, uint32_t field, struct ep_slice s)
{
	if (!s.n && !in_array(m))
		return;
	if (m->is_json)
		ep_jsonw_slice(&m->json, key, s);
	else
		ep_pb_add_bytes(m->out, field_of(m, field), s.p, s.n);
}

void ep_msg_int(struct ep_msg *m, const char *key, uint32_t field, int64_t n)
{
	if (!n && !in_array(m))
		return;
	if (m->is_json)
		ep_jsonw_int_str(&m->json, key, n);
	else
		ep_pb_add_varint(m->out, field_of(m, field), (uint64_t)n);
}

void ep_msg_double(struct ep_msg *m, const char *key, uint32_t field, double d)
{
	uint64_t bits;
	if (d == 0 && !in_array(m))
		return;
	memcpy(&bits, &d, sizeof(bits));
	if (m->is_json)
		ep_jsonw_double(&m->json, key, d);
	else
		ep_pb_add_fixed64(m->out, field_of(m, field), bits);
}

void ep_msg_bool(struct ep_msg *m, const char *key, uint32_t field, bool b)
{
	if (!b && !in_array(m))
		return;
	if (m->is_json)
		ep_jsonw_bool(&m->json, key, b);
	else
		ep_pb_add_varint(m->out, field_of(m, field), b);
}

static void add_ints(struct ep_msg *m, const char *key, uint32_t field, const int64_t *v,
		     size_t n, bool as_text)
{
	if (m->is_json) {
		ep_jsonw_open(&m->json, key, '[');
		for (size_t i = 0; i < n; i++)
			as_text ? ep_jsonw_int_str(&m->json, NULL, v[i])
				: ep_jsonw_int(&m->json, NULL, v[i]);
		ep_jsonw_close(&m->json, ']');
		return;
	}
	size_t start = m->out->len;
	for (size_t i = 0; i < n; i++)
		ep_pb_add_raw_varint(m->out, (uint64_t)v[i]);
	put_length(m->out, start, field_of(m, field));
}

void ep_msg_ints(struct ep_msg *m, const char *key, uint32_t field, const int64_t *v, size_t n)
{
	add_ints(m, key, field, v, n, true);
}

void ep_msg_int32s(struct ep_msg *m, const char *key, uint32_t field, const int64_t *v, size_t n)
{
	add_ints(m, key, field, v, n, false);
}
