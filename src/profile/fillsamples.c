/*
 * fillsamples.c - the samples of a profile: stacks, values, labels.  See filling.h.
 *
 * They are nearly all of any file, so this is where reading takes its time.
 */
#include "profile/filling.h"

#include "base/pages.h"

#include <errno.h>
#include <inttypes.h>

static __attribute__((cold, noinline)) int bad_location(const struct ep_filling *f,
							uint64_t id, const uint8_t *at)
{
	return ep_fail(f->err, -EBADMSG, (uint64_t)(at - f->s->data),
		       "sample has nil location (id %" PRIu64 ")", id);
}

/* The stack at hand stands at the end of its table from now on, to be added to.  A
 * shared one is copied; there is room, since each sample's was counted. */
static void own_stack(struct ep_filling *f)
{
	struct ep_profile *p = f->p;
	struct ep_sample *s = f->sample;
	uint32_t end = p->n_sample_locations;
	if (s->n_locations && s->first_location + s->n_locations != end) {
		memcpy(p->sample_locations + end,
		       p->sample_locations + s->first_location,
		       s->n_locations * sizeof(*p->sample_locations));
		p->n_sample_locations += s->n_locations;
	}
	s->first_location = p->n_sample_locations - s->n_locations;
}

/* One location id outside of a packed list. */
static int add_location(struct ep_filling *f, uint64_t id, const uint8_t *at)
{
	uint32_t i = ep_ids_find(&f->locations, id);
	if (__builtin_expect(i == EP_INDEX_NONE, 0))
		return bad_location(f, id, at);
	own_stack(f);
	f->p->sample_locations[f->p->n_sample_locations++] = i;
	f->sample->n_locations++;
	return 0;
}

/*
 * The next number of a packed list, from *at.  These lists are most of any profile:
 * numbers of one and two bytes are read on the spot, from registers.
 */
static inline uint64_t next_packed(struct ep_pb_reader *list, const uint8_t **at,
				   const uint8_t *end)
{
	const uint8_t *p = *at;
	uint64_t v = p[0];
	if (v < 0x80) {
		*at = p + 1;
		return v;
	}
	if (end - p > 1 && p[1] < 0x80) {
		*at = p + 2;
		return (v & 0x7f) | (uint64_t)p[1] << 7;
	}
	struct ep_pb_reader r = *list; /* a copy, so that the list needs no memory */
	r.at = r.tag = p;
	v = ep_pb_varint_long(&r);
	*at = r.at;
	if (__builtin_expect(r.fault != EP_PB_OK, 0))
		*list = r;
	return v;
}

/* A packed list of locations. */
static int add_locations(struct ep_filling *f, struct ep_slice bytes)
{
	struct ep_pb_reader list = ep_pb_open(bytes.p, bytes.n);
	own_stack(f);
	const struct ep_ids ids = f->locations;
	uint32_t *from = f->p->sample_locations + f->p->n_sample_locations, *to = from;
	list.field = 1;
	for (const uint8_t *at = list.at, *end = list.end; at < end;) {
		const uint8_t *id_at = at;
		uint64_t id = next_packed(&list, &at, end);
		if (__builtin_expect(list.fault != EP_PB_OK, 0))
			return ep_scan_fault(f->s, &list, "sample", f->err);
		uint32_t i = ep_ids_find(&ids, id);
		if (__builtin_expect(i == EP_INDEX_NONE, 0))
			return bad_location(f, id, id_at);
		*to++ = i;
	}
	f->p->n_sample_locations += (uint32_t)(to - from);
	f->sample->n_locations += (uint32_t)(to - from);
	return 0;
}

static int read_stack(struct ep_filling *f, struct ep_pb_reader *r)
{
	if (r->wire != EP_PB_LEN)
		return add_location(f, ep_pb_get_varint(r), r->tag);
	struct ep_sample *s = f->sample;
	struct ep_slice bytes = ep_pb_bytes(r);
	if (s->n_locations)
		return add_locations(f, bytes);
	uint64_t hash = 0;
	const struct ep_share_run *run = ep_share_find(&f->stacks, bytes, &hash);
	if (run) {
		s->first_location = run->first;
		s->n_locations = run->n;
		return 0;
	}
	EP_TRY(add_locations(f, bytes));
	ep_share_add(&f->stacks, hash,
		     (struct ep_share_run){bytes, s->first_location, s->n_locations});
	return 0;
}

static int read_values(struct ep_filling *f, struct ep_pb_reader *r, size_t *n_values)
{
	int64_t *to = f->p->values + *n_values;
	if (r->wire != EP_PB_LEN) {
		*to = (int64_t)ep_pb_get_varint(r);
		++*n_values;
		return 0;
	}
	struct ep_slice bytes = ep_pb_bytes(r);
	struct ep_pb_reader list = ep_pb_open(bytes.p, bytes.n);
	list.field = 2;
	for (const uint8_t *at = list.at, *end = list.end; at < end;) {
		int64_t v = (int64_t)next_packed(&list, &at, end);
		if (__builtin_expect(list.fault != EP_PB_OK, 0))
			return ep_scan_fault(f->s, &list, "sample", f->err);
		*to++ = v;
	}
	*n_values = (size_t)(to - f->p->values);
	return 0;
}

/* A string when it has one, else a number; false when it is neither. */
static bool settle_label(struct ep_label *l)
{
	if (l->str) {
		l->num = 0;
		l->num_unit = 0;
	}
	return l->str || l->num || l->num_unit;
}

/*
 * The usual label: known fields, short numbers, indexes in range, all in registers.
 * False for any other, sound or not, which read_any_label() then looks at.
 */
static inline bool read_usual_label(const uint8_t *at, const uint8_t *end,
				    uint32_t n_strings, struct ep_label *ret)
{
	enum { KEY = 1 << 3, STR = 2 << 3, NUM = 3 << 3, UNIT = 4 << 3 };
	struct ep_label l = {0};
	while (at < end) {
		uint8_t tag = *at++, byte = 0x80;
		uint64_t v = 0;
		for (unsigned shift = 0; byte >= 0x80; shift += 7) {
			if (at == end || shift > 56)
				return false;
			byte = *at++;
			v |= (uint64_t)(byte & 0x7f) << shift;
		}
		if (tag == NUM) {
			l.num = (int64_t)v;
			continue;
		}
		if (v >= n_strings)
			return false;
		if (tag == KEY)
			l.key = (ep_str)v;
		else if (tag == STR)
			l.str = (ep_str)v;
		else if (tag == UNIT)
			l.num_unit = (ep_str)v;
		else
			return false;
	}
	*ret = l;
	return true;
}

static int read_any_label(const struct ep_filling *f, struct ep_pb_reader r,
			  struct ep_label *ret)
{
	struct ep_label l = {0};
	uint64_t unit = 0;
	const uint8_t *unit_at = r.tag;
	while (ep_pb_next(&r)) {
		switch (r.field) {
		case 1:
			EP_TRY(ep_filling_string(f, &r, &l.key));
			break;
		case 2:
			EP_TRY(ep_filling_string(f, &r, &l.str));
			break;
		case 3:
			l.num = (int64_t)ep_pb_get_varint(&r);
			break;
		case 4:
			unit_at = r.tag;
			unit = ep_pb_get_varint(&r);
			break;
		default:
			ep_pb_skip(&r);
		}
	}
	EP_TRY(ep_scan_fault(f->s, &r, "label", f->err));
	/* Beside a string the unit says nothing, so it may be out of range. */
	if (!l.str && unit >= f->p->n_strings)
		return ep_filling_bad_string(f, unit_at, unit);
	l.num_unit = (ep_str)unit;
	*ret = l;
	return 0;
}

/* One that says nothing is dropped.  (Of bytes, since a reader would go through
 * memory.) */
static int read_label(struct ep_filling *f, struct ep_slice bytes)
{
	struct ep_label l;
	const uint8_t *at = (const uint8_t *)bytes.p;
	if (!read_usual_label(at, at + bytes.n, f->p->n_strings, &l))
		EP_TRY(read_any_label(f, ep_pb_open(at, bytes.n), &l));
	if (!settle_label(&l))
		return 0;
	f->p->labels[f->p->n_labels++] = l;
	f->sample->n_labels++;
	return 0;
}

/* As own_stack(). */
static void own_labels(struct ep_filling *f)
{
	struct ep_profile *p = f->p;
	struct ep_sample *s = f->sample;
	uint32_t end = p->n_labels;
	if (s->n_labels && s->first_label + s->n_labels != end) {
		memcpy(p->labels + end, p->labels + s->first_label,
		       s->n_labels * sizeof(*p->labels));
		p->n_labels += s->n_labels;
	}
	s->first_label = p->n_labels - s->n_labels;
}

static int add_labels(struct ep_filling *f, struct ep_slice bytes)
{
	struct ep_pb_reader r = ep_pb_open(bytes.p, bytes.n);
	own_labels(f);
	while (ep_pb_next(&r))
		EP_TRY(read_label(f, ep_pb_get_bytes(&r)));
	return ep_scan_fault(f->s, &r, "sample", f->err);
}

/* The current label and all that follow it without a field between. */
static int read_labels(struct ep_filling *f, struct ep_pb_reader *r)
{
	enum { LABEL_TAG = 3 << 3 | EP_PB_LEN };
	struct ep_sample *s = f->sample;
	const uint8_t *from = r->tag;
	(void)ep_pb_bytes(r); /* scan.c found it sound */
	while (r->at < r->end && *r->at == LABEL_TAG && ep_pb_next(r))
		(void)ep_pb_bytes(r); /* the same */
	struct ep_slice bytes = {(const char *)from, (size_t)(r->at - from)};
	if (s->n_labels)
		return add_labels(f, bytes);
	uint64_t hash = 0;
	const struct ep_share_run *run = ep_share_find(&f->label_sets, bytes, &hash);
	if (run) {
		s->first_label = run->first;
		s->n_labels = run->n;
		return 0;
	}
	EP_TRY(add_labels(f, bytes));
	ep_share_add(&f->label_sets, hash,
		     (struct ep_share_run){bytes, s->first_label, s->n_labels});
	return 0;
}

static int read_sample(struct ep_filling *f, struct ep_slice bytes, size_t *n_values)
{
	struct ep_pb_reader r = ep_pb_open(bytes.p, bytes.n);
	while (ep_pb_next(&r)) {
		switch (r.field) {
		case 1:
			EP_TRY(read_stack(f, &r));
			break;
		case 2:
			EP_TRY(read_values(f, &r, n_values));
			break;
		case 3:
			EP_TRY(read_labels(f, &r));
			break;
		default:
			ep_pb_skip(&r);
		}
	}
	return ep_scan_fault(f->s, &r, "sample", f->err);
}

static int fill_sample(struct ep_filling *f, struct ep_slice bytes, size_t *n_values,
		       uint64_t pos)
{
	struct ep_profile *p = f->p;
	f->sample = &p->samples[p->n_samples++];
	*f->sample = (struct ep_sample){p->n_sample_locations, 0, p->n_labels, 0};
	size_t had = *n_values;
	EP_TRY(read_sample(f, bytes, n_values));
	if (*n_values - had != p->n_sample_types)
		return ep_fail(f->err, -EBADMSG, pos,
			       "mismatch: sample has %zu values vs. %" PRIu32 " types",
			       *n_values - had, p->n_sample_types);
	return 0;
}

static bool holds_strings(const struct ep_filling *f, enum ep_scan_section section)
{
	struct ep_slice s = f->s->section[section], t = f->s->section[EP_SCAN_STRING];
	return s.p < t.p + t.n && t.p < s.p + s.n;
}

/* Samples are most of a file and the last that is read of it: their bytes go while
 * their tables grow. */
static const uint8_t *release(const uint8_t *from, const uint8_t *to)
{
	ep_pages_release((void *)(uintptr_t)from, (void *)(uintptr_t)to);
	return to;
}

int ep_fillsamples_read(struct ep_filling *f)
{
	enum { SPENT_BYTES = 4 << 20 };
	if (f->s->n_samples && !f->s->n_sample_types)
		return ep_fail(f->err, -EBADMSG, 0, "missing sample type information");
	size_t n_values = 0;
	struct ep_pb_reader r = ep_filling_open(f, EP_SCAN_SAMPLE);
	bool is_spent = !holds_strings(f, EP_SCAN_SAMPLE);
	const uint8_t *spent = r.at;
	while (ep_filling_next(&r, EP_SCAN_SAMPLE)) {
		EP_TRY(fill_sample(f, ep_pb_bytes(&r), &n_values,
				   ep_filling_pos(f, &r)));
		if (is_spent && r.at - spent > SPENT_BYTES)
			spent = release(spent, r.at);
	}
	return 0;
}
