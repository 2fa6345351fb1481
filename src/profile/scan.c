/* scan.c - see scan.h. */
#include "profile/scan.h"

#include "profile/decode.h"

#include <inttypes.h>

int ep_scan_fail(const struct ep_scan *s, struct ep_pb_reader r, const char *message,
		 struct ep_err *err)
{
	uint64_t pos = (uint64_t)(r.tag - s->data);
	switch (r.fault) {
	case EP_PB_CUT:
		/* Past the end of the file is cut short, past that of a message is a
		 * lie. */
		return ep_fail(err, !strcmp(message, "profile") ? -ENODATA : -EBADMSG,
			       pos, "field %" PRIu64 " of %s goes past its end",
			       r.field, message);
	case EP_PB_LONG_VARINT:
		return ep_fail(err, -EBADMSG, pos,
			       "field %" PRIu64
			       " of %s has a number of more than 10 bytes",
			       r.field, message);
	default:
		return ep_fail(err, -EBADMSG, pos,
			       "field %" PRIu64 " of %s has wire type %" PRIu32,
			       r.field, message, r.wire);
	}
}

/* Numbers in a packed list: every one ends in a byte below 0x80. */
static uint32_t count_packed(struct ep_slice s)
{
	size_t n = 0, i = 0;
	for (; i + 8 <= s.n; i += 8) {
		uint64_t v;
		memcpy(&v, s.p + i, 8);
		/* One bit a byte, summed into the top byte. */
		n += ((~v & 0x8080808080808080ull) >> 7) * 0x0101010101010101ull >> 56;
	}
	for (; i < s.n; i++)
		n += (uint8_t)s.p[i] < 0x80;
	return (uint32_t)n;
}

/* Numbers in the current field of a repeated integer, packed or not. */
static uint32_t count_numbers(struct ep_pb_reader *r)
{
	if (r->wire == EP_PB_LEN)
		return count_packed(ep_pb_bytes(r));
	(void)ep_pb_get_varint(r); /* counted only */
	return 1;
}

/* Of bytes, since a reader would go through memory, once a sample. */
static int scan_sample(struct ep_scan *s, struct ep_slice bytes, struct ep_err *err)
{
	struct ep_pb_reader r = ep_pb_open(bytes.p, bytes.n);
	s->n_samples++;
	while (ep_pb_next(&r)) {
		switch (r.field) {
		case 1:
			s->n_stack += count_numbers(&r);
			break;
		case 2:
			s->n_values += count_numbers(&r);
			break;
		case 3:
			s->n_labels++;
			(void)ep_pb_get_bytes(&r); /* fill.c reads it */
			break;
		default:
			ep_pb_skip(&r);
		}
	}
	return ep_scan_fault(s, &r, "sample", err);
}

/* Of a mapping or a function the id matters only. */
static int scan_id(struct ep_scan *s, struct ep_pb_reader r, const char *message,
		   struct ep_id_range *ids, struct ep_err *err)
{
	uint64_t id = 0;
	while (ep_pb_next(&r)) {
		if (r.field == 1)
			id = ep_pb_get_varint(&r);
		else
			ep_pb_skip(&r);
	}
	ep_ids_note(ids, id);
	return ep_scan_fault(s, &r, message, err);
}

static int scan_location(struct ep_scan *s, struct ep_pb_reader r, struct ep_err *err)
{
	uint64_t id = 0;
	while (ep_pb_next(&r)) {
		if (r.field == 1) {
			id = ep_pb_get_varint(&r);
		} else if (r.field == 4) {
			s->n_lines++;
			(void)ep_pb_get_bytes(&r); /* fill.c reads it */
		} else {
			ep_pb_skip(&r);
		}
	}
	ep_ids_note(&s->locations, id);
	return ep_scan_fault(s, &r, "location", err);
}

/* Enter the current field of the profile, and count what it holds. */
static int scan_field(struct ep_scan *s, struct ep_pb_reader *r, struct ep_err *err)
{
	switch (r->field) {
	case EP_SCAN_SAMPLE_TYPE:
		s->n_sample_types++;
		(void)ep_pb_get_bytes(r); /* fill.c reads it */
		return 0;
	case EP_SCAN_SAMPLE:
		return scan_sample(s, ep_pb_get_bytes(r), err);
	case EP_SCAN_MAPPING:
		return scan_id(s, ep_pb_get_message(r), "mapping", &s->mappings, err);
	case EP_SCAN_LOCATION:
		return scan_location(s, ep_pb_get_message(r), err);
	case EP_SCAN_FUNCTION:
		return scan_id(s, ep_pb_get_message(r), "function", &s->functions, err);
	case EP_SCAN_STRING:
		s->n_strings++;
		(void)ep_pb_get_bytes(r); /* fill.c reads it */
		return 0;
	case 13:
		s->n_comments += count_numbers(r);
		return 0;
	default:
		ep_pb_skip(r);
		return 0;
	}
}

static void note_section(struct ep_scan *s, const struct ep_pb_reader *r)
{
	struct ep_slice *section =
		&s->section[r->field < EP_SCAN_HEADER ? r->field : EP_SCAN_HEADER];
	if (!section->p)
		section->p = (const char *)r->tag;
	section->n = (size_t)((const char *)r->at - section->p);
}

/*
 * Two profiles one behind the other are told by a second time.  A time behind a whole
 * profile, and nothing else, is lawful: so are profiles stamped, by a gzip member more.
 */
struct stamp {
	uint64_t time;
	bool again;
};

static int check_stamp(struct stamp *t, const struct ep_scan *s, struct ep_pb_reader r,
		       struct ep_err *err)
{
	if (t->again && r.field != 9)
		return ep_fail(err, -EBADMSG, (uint64_t)(r.tag - s->data),
			       EP_DECODE_CONCATENATED);
	if (r.field == 9) {
		t->again |= t->time != 0;
		t->time = ep_pb_get_varint(&r); /* a copy: scan_field() steps on */
	}
	return 0;
}

int ep_scan(const void *data, size_t n, struct ep_scan *ret_scan, struct ep_err *err)
{
	struct ep_scan s = {.data = data};
	struct stamp stamp = {0};
	struct ep_pb_reader r = ep_pb_open(data, n);
	while (ep_pb_next(&r)) {
		EP_TRY(check_stamp(&stamp, &s, r, err));
		EP_TRY(scan_field(&s, &r, err));
		note_section(&s, &r);
	}
	EP_TRY(ep_scan_fault(&s, &r, "profile", err));
	*ret_scan = s;
	return 0;
}
