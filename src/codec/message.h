/*
 * message.h - write one message as protobuf or as protobuf's JSON, by one code.
 *
 * Every value is given with its JSON name and its field number.  Zero values are
 * left out, as proto3 does, but for elements of arrays.
 *
 *     ep_msg_open(&m, "flamegraph", 1);
 *     ep_msg_array(&m, "names", 1);
 *     ep_msg_str(&m, NULL, 0, name);      // an element: the array's field number
 *     ep_msg_array_end(&m);
 *     ep_msg_close(&m);
 */
#ifndef EP_CODEC_MESSAGE_H
#define EP_CODEC_MESSAGE_H

#include "codec/json.h"

enum { EP_MSG_MAX_DEPTH = 12 };

struct ep_msg {
	struct ep_jsonw json;
	struct ep_buf *out; /* remembers a failure */
	bool is_json;
	unsigned depth;
	struct {
		size_t start;    /* of a nested message's bytes */
		uint32_t field;
		bool is_array;
	} stack[EP_MSG_MAX_DEPTH];
};

/* The document itself: begin, then fields, then end. */
void ep_msg_begin(struct ep_msg *m, struct ep_buf *out, bool is_json);
void ep_msg_end(struct ep_msg *m);

void ep_msg_open(struct ep_msg *m, const char *key, uint32_t field);
void ep_msg_close(struct ep_msg *m);
void ep_msg_array(struct ep_msg *m, const char *key, uint32_t field);
void ep_msg_array_end(struct ep_msg *m);
void ep_msg_str(struct ep_msg *m, const char *key, uint32_t field, struct ep_slice s);
void ep_msg_int(struct ep_msg *m, const char *key, uint32_t field, int64_t n);
void ep_msg_double(struct ep_msg *m, const char *key, uint32_t field, double d);
void ep_msg_bool(struct ep_msg *m, const char *key, uint32_t field, bool b);
/* A packed array of int64. */
void ep_msg_ints(struct ep_msg *m, const char *key, uint32_t field, const int64_t *v,
		 size_t n);
/* Of int32: numbers in JSON. */
void ep_msg_int32s(struct ep_msg *m, const char *key, uint32_t field, const int64_t *v, size_t n);

#endif
