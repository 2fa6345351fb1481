/*
 * fill.c - the tables of a profile, each at its exact size.  See fill.h.
 *
 * Strings first, then what refers to them, samples last; each in a walk over the
 * part of the file that holds it.  Everything that refers is checked here, so that
 * a profile is valid once it is made.  Rules: google/pprof profile/encode.go
 * (postDecode) and profile.go (CheckValid).
 */
#include "profile/fill.h"

#include "base/pages.h"
#include "profile/share.h"

#include <errno.h>
#include <inttypes.h>

struct fill {
	const struct ep_scan *s;
	struct ep_profile *p;
	struct ep_err *err;
	struct ep_ids mappings, functions, locations;
	struct ep_share stacks, label_sets;
	struct ep_sample *sample; /* the one at hand */
};

static uint64_t pos_of(const struct fill *f, const struct ep_pb_reader *r)
{
	return (uint64_t)(r->tag - f->s->data);
}

/* The next field of a section that is of the section's own kind. */
static bool next_of(struct ep_pb_reader *r, uint64_t field)
{
	while (ep_pb_next(r)) {
		if (r->field == field)
			return true;
		ep_pb_skip(r);
	}
	return false;
}

static struct ep_pb_reader open_section(const struct fill *f,
					enum ep_scan_section section)
{
	struct ep_slice s = f->s->section[section];
	return ep_pb_open(s.p ? (const void *)s.p : f->s->data, s.n);
}

/* --- numbers that refer ------------------------------------------------------- */

static __attribute__((cold, noinline)) int bad_string(const struct fill *f,
						      const uint8_t *at, uint64_t i)
{
	return ep_fail(f->err, -EBADMSG, (uint64_t)(at - f->s->data),
		       "string index %" PRId64 ", table has %" PRIu32, (int64_t)i,
		       f->p->n_strings);
}

/* The current field as a string index. */
static inline int get_str(const struct fill *f, struct ep_pb_reader *r, ep_str *ret)
{
	uint64_t i = ep_pb_get_varint(r);
	if (__builtin_expect(i >= f->p->n_strings, 0))
		return bad_string(f, r->tag, i);
	*ret = (ep_str)i;
	return 0;
}

static int fill_strings(struct fill *f)
{
	struct ep_profile *p = f->p;
	struct ep_pb_reader r = open_section(f, EP_SCAN_STRING);
	p->n_strings = 0;
	while (next_of(&r, EP_SCAN_STRING)) {
		p->strings[p->n_strings] = ep_pb_bytes(&r);
		if (!p->n_strings++ && p->strings[0].n)
			return ep_fail(f->err, -EBADMSG, pos_of(f, &r),
				       "string 0 is not empty");
	}
	if (!p->n_strings)
		return ep_fail(f->err, -EBADMSG, 0, "there is no string table");
	return 0;
}

static int read_value_type(struct fill *f, struct ep_pb_reader r,
			   struct ep_value_type *ret)
{
	*ret = (struct ep_value_type){0};
	while (ep_pb_next(&r)) {
		if (r.field == 1)
			EP_TRY(get_str(f, &r, &ret->type));
		else if (r.field == 2)
			EP_TRY(get_str(f, &r, &ret->unit));
		else
			ep_pb_skip(&r);
	}
	return ep_scan_fault(f->s, &r, "value type", f->err);
}

static int fill_sample_types(struct fill *f)
{
	struct ep_pb_reader r = open_section(f, EP_SCAN_SAMPLE_TYPE);
	while (next_of(&r, EP_SCAN_SAMPLE_TYPE))
		EP_TRY(read_value_type(f, ep_pb_message(&r),
				       &f->p->sample_types[f->p->n_sample_types++]));
	return 0;
}

/* --- the header --------------------------------------------------------------- */

static int read_comments(struct fill *f, struct ep_pb_reader *r)
{
	struct ep_profile *p = f->p;
	if (r->wire != EP_PB_LEN)
		return get_str(f, r, &p->comments[p->n_comments++]);
	struct ep_pb_reader list = ep_pb_message(r);
	while (list.at < list.end) {
		list.tag = list.at;
		list.field = 13;
		uint64_t i = ep_pb_varint(&list);
		if (i >= p->n_strings)
			return bad_string(f, list.tag, i);
		if (list.fault)
			return ep_scan_fault(f->s, &list, "comments", f->err);
		p->comments[p->n_comments++] = (ep_str)i;
	}
	return 0;
}

static int read_header_field(struct fill *f, struct ep_pb_reader *r)
{
	struct ep_profile *p = f->p;
	switch (r->field) {
	case 7:
		return get_str(f, r, &p->drop_frames);
	case 8:
		return get_str(f, r, &p->keep_frames);
	case 9:
		p->time_ns = (int64_t)ep_pb_get_varint(r);
		return 0;
	case 10:
		p->duration_ns = (int64_t)ep_pb_get_varint(r);
		return 0;
	case 11:
		return read_value_type(f, ep_pb_get_message(r), &p->period_type);
	case 12:
		p->period = (int64_t)ep_pb_get_varint(r);
		return 0;
	case 13:
		return read_comments(f, r);
	case 14:
		return get_str(f, r, &p->default_sample_type);
	case 15:
		return get_str(f, r, &p->doc_url);
	default:
		ep_pb_skip(r);
		return 0;
	}
}

static int fill_header(struct fill *f)
{
	struct ep_pb_reader r = open_section(f, EP_SCAN_HEADER);
	while (ep_pb_next(&r))
		EP_TRY(read_header_field(f, &r));
	return ep_scan_fault(f->s, &r, "profile", f->err);
}

/* --- mappings, functions, locations ------------------------------------------- */

/* Where elements of one kind keep their ids, and what the kind is called. */
struct id_table {
	struct ep_ids *ids;
	const struct ep_file_ids *shown;
	const char *what;
};

static int add_id(struct fill *f, struct id_table t, uint64_t id, uint32_t i, uint64_t pos)
{
	const char *what = t.what;
	if (t.shown->n)
		((uint64_t *)t.shown->ids)[i] = id;
	if (!id)
		return ep_fail(f->err, -EBADMSG, pos, "found %s with reserved id=0",
			       what);
	int rc = ep_ids_add(t.ids, id, i);
	if (rc == -EEXIST)
		return ep_fail(f->err, -EBADMSG, pos,
			       "multiple %ss with same id: %" PRIu64, what, id);
	return rc < 0 ? ep_fail(f->err, rc, pos, "no memory for the ids of %ss", what)
		      : 0;
}

static int read_mapping(struct fill *f, struct ep_pb_reader r, struct ep_mapping *m,
			uint64_t *ret_id)
{
	while (ep_pb_next(&r)) {
		switch (r.field) {
		case 1:
			*ret_id = ep_pb_get_varint(&r);
			break;
		case 2:
			m->start = ep_pb_get_varint(&r);
			break;
		case 3:
			m->limit = ep_pb_get_varint(&r);
			break;
		case 4:
			m->file_offset = ep_pb_get_varint(&r);
			break;
		case 5:
			EP_TRY(get_str(f, &r, &m->filename));
			break;
		case 6:
			EP_TRY(get_str(f, &r, &m->build_id));
			break;
		case 7:
			m->has_functions = ep_pb_get_varint(&r) != 0;
			break;
		case 8:
			m->has_filenames = ep_pb_get_varint(&r) != 0;
			break;
		case 9:
			m->has_line_numbers = ep_pb_get_varint(&r) != 0;
			break;
		case 10:
			m->has_inline_frames = ep_pb_get_varint(&r) != 0;
			break;
		default:
			ep_pb_skip(&r);
		}
	}
	return ep_scan_fault(f->s, &r, "mapping", f->err);
}

static int fill_mappings(struct fill *f)
{
	struct id_table t = {&f->mappings, &f->p->mapping_ids, "mapping"};
	struct ep_pb_reader r = open_section(f, EP_SCAN_MAPPING);
	while (next_of(&r, EP_SCAN_MAPPING)) {
		uint32_t i = f->p->n_mappings++;
		struct ep_mapping *m = &f->p->mappings[i];
		uint64_t id = 0;
		*m = (struct ep_mapping){0};
		EP_TRY(read_mapping(f, ep_pb_message(&r), m, &id));
		EP_TRY(add_id(f, t, id, i, pos_of(f, &r)));
	}
	return 0;
}

static int read_function(struct fill *f, struct ep_pb_reader r, struct ep_function *fn,
			 uint64_t *ret_id)
{
	while (ep_pb_next(&r)) {
		switch (r.field) {
		case 1:
			*ret_id = ep_pb_get_varint(&r);
			break;
		case 2:
			EP_TRY(get_str(f, &r, &fn->name));
			break;
		case 3:
			EP_TRY(get_str(f, &r, &fn->system_name));
			break;
		case 4:
			EP_TRY(get_str(f, &r, &fn->filename));
			break;
		case 5:
			fn->start_line = (int64_t)ep_pb_get_varint(&r);
			break;
		default:
			ep_pb_skip(&r);
		}
	}
	return ep_scan_fault(f->s, &r, "function", f->err);
}

static int fill_functions(struct fill *f)
{
	struct id_table t = {&f->functions, &f->p->function_ids, "function"};
	struct ep_pb_reader r = open_section(f, EP_SCAN_FUNCTION);
	while (next_of(&r, EP_SCAN_FUNCTION)) {
		uint32_t i = f->p->n_functions++;
		struct ep_function *fn = &f->p->functions[i];
		uint64_t id = 0;
		*fn = (struct ep_function){0};
		EP_TRY(read_function(f, ep_pb_message(&r), fn, &id));
		EP_TRY(add_id(f, t, id, i, pos_of(f, &r)));
	}
	return 0;
}

static int read_line(struct fill *f, struct ep_pb_reader r, struct ep_line *l)
{
	*l = (struct ep_line){.function = EP_NONE};
	while (ep_pb_next(&r)) {
		switch (r.field) {
		case 1:
			l->function = ep_ids_find(&f->functions, ep_pb_get_varint(&r));
			break;
		case 2:
			l->line = (int64_t)ep_pb_get_varint(&r);
			break;
		case 3:
			l->column = (int64_t)ep_pb_get_varint(&r);
			break;
		default:
			ep_pb_skip(&r);
		}
	}
	return ep_scan_fault(f->s, &r, "line", f->err);
}

static int read_location(struct fill *f, struct ep_pb_reader r, struct ep_location *l,
			 uint64_t *ret_id)
{
	struct ep_profile *p = f->p;
	while (ep_pb_next(&r)) {
		switch (r.field) {
		case 1:
			*ret_id = ep_pb_get_varint(&r);
			break;
		case 2:
			l->mapping = ep_ids_find(&f->mappings, ep_pb_get_varint(&r));
			break;
		case 3:
			l->address = ep_pb_get_varint(&r);
			break;
		case 4:
			EP_TRY(read_line(f, ep_pb_get_message(&r),
					 &p->lines[p->n_lines++]));
			break;
		case 5:
			l->is_folded = ep_pb_get_varint(&r) != 0;
			break;
		default:
			ep_pb_skip(&r);
		}
	}
	l->n_lines = p->n_lines - l->first_line;
	return ep_scan_fault(f->s, &r, "location", f->err);
}

/* The id may follow the lines, so that this comes last. */
static int check_lines(const struct fill *f, const struct ep_location *l, uint64_t id,
		       uint64_t pos)
{
	for (uint32_t i = 0; i < l->n_lines; i++)
		if (f->p->lines[l->first_line + i].function == EP_NONE)
			return ep_fail(f->err, -EBADMSG, pos,
				       "location id: %" PRIu64
				       " has a line with nil function",
				       id);
	return 0;
}

static int fill_locations(struct fill *f)
{
	struct id_table t = {&f->locations, &f->p->location_ids, "location"};
	struct ep_pb_reader r = open_section(f, EP_SCAN_LOCATION);
	while (next_of(&r, EP_SCAN_LOCATION)) {
		uint32_t i = f->p->n_locations++;
		struct ep_location *l = &f->p->locations[i];
		uint64_t id = 0;
		*l = (struct ep_location){.mapping = EP_NONE,
					  .first_line = f->p->n_lines};
		EP_TRY(read_location(f, ep_pb_message(&r), l, &id));
		EP_TRY(add_id(f, t, id, i, pos_of(f, &r)));
		EP_TRY(check_lines(f, l, id, pos_of(f, &r)));
	}
	return 0;
}

/* --- samples ------------------------------------------------------------------ */

static __attribute__((cold, noinline)) int bad_location(const struct fill *f,
							uint64_t id, const uint8_t *at)
{
	return ep_fail(f->err, -EBADMSG, (uint64_t)(at - f->s->data),
		       "sample has nil location (id %" PRIu64 ")", id);
}

/* The stack at hand stands at the end of its table from now on, to be added to.  A
 * shared one is copied; there is room, since each sample's was counted. */
static void own_stack(struct fill *f)
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
static int add_location(struct fill *f, uint64_t id, const uint8_t *at)
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
static int add_locations(struct fill *f, struct ep_slice bytes)
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

static int read_stack(struct fill *f, struct ep_pb_reader *r)
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

static int read_values(struct fill *f, struct ep_pb_reader *r, size_t *n_values)
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

static int read_any_label(const struct fill *f, struct ep_pb_reader r,
			  struct ep_label *ret)
{
	struct ep_label l = {0};
	uint64_t unit = 0;
	const uint8_t *unit_at = r.tag;
	while (ep_pb_next(&r)) {
		switch (r.field) {
		case 1:
			EP_TRY(get_str(f, &r, &l.key));
			break;
		case 2:
			EP_TRY(get_str(f, &r, &l.str));
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
		return bad_string(f, unit_at, unit);
	l.num_unit = (ep_str)unit;
	*ret = l;
	return 0;
}

/* One that says nothing is dropped.  (Of bytes, since a reader would go through
 * memory.) */
static int read_label(struct fill *f, struct ep_slice bytes)
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
static void own_labels(struct fill *f)
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

static int add_labels(struct fill *f, struct ep_slice bytes)
{
	struct ep_pb_reader r = ep_pb_open(bytes.p, bytes.n);
	own_labels(f);
	while (ep_pb_next(&r))
		EP_TRY(read_label(f, ep_pb_get_bytes(&r)));
	return ep_scan_fault(f->s, &r, "sample", f->err);
}

/* The current label and all that follow it without a field between. */
static int read_labels(struct fill *f, struct ep_pb_reader *r)
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

static int read_sample(struct fill *f, struct ep_slice bytes, size_t *n_values)
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

static int fill_sample(struct fill *f, struct ep_slice bytes, size_t *n_values,
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

static bool holds_strings(const struct fill *f, enum ep_scan_section section)
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

static int fill_samples(struct fill *f)
{
	enum { SPENT_BYTES = 4 << 20 };
	if (f->s->n_samples && !f->s->n_sample_types)
		return ep_fail(f->err, -EBADMSG, 0, "missing sample type information");
	size_t n_values = 0;
	struct ep_pb_reader r = open_section(f, EP_SCAN_SAMPLE);
	bool is_spent = !holds_strings(f, EP_SCAN_SAMPLE);
	const uint8_t *spent = r.at;
	while (next_of(&r, EP_SCAN_SAMPLE)) {
		EP_TRY(fill_sample(f, ep_pb_bytes(&r), &n_values, pos_of(f, &r)));
		if (is_spent && r.at - spent > SPENT_BYTES)
			spent = release(spent, r.at);
	}
	return 0;
}

/* --- together ----------------------------------------------------------------- */

/* Uncleared: what is counted is what gets written. */
static bool table(struct ep_arena *a, size_t n, size_t size, void *ret)
{
	void *p = ep_arena_alloc(a, n * size);
	if (p)
		ep_pages_expect(p, n * size);
	memcpy(ret, &p, sizeof(p));
	return p;
}

static int make_tables(struct fill *f)
{
	const struct ep_scan *s = f->s;
	struct ep_profile *p = f->p;
	struct ep_arena *a = p->arena;
	bool ok = table(a, s->n_strings, sizeof(*p->strings), &p->strings) &&
		  table(a, s->n_sample_types, sizeof(*p->sample_types),
			&p->sample_types) &&
		  table(a, s->n_comments, sizeof(*p->comments), &p->comments) &&
		  table(a, s->mappings.n, sizeof(*p->mappings), &p->mappings) &&
		  table(a, s->functions.n, sizeof(*p->functions), &p->functions) &&
		  table(a, s->locations.n, sizeof(*p->locations), &p->locations) &&
		  table(a, s->n_lines, sizeof(*p->lines), &p->lines) &&
		  table(a, s->n_samples, sizeof(*p->samples), &p->samples) &&
		  table(a, s->n_values, sizeof(*p->values), &p->values) &&
		  table(a, s->n_stack, sizeof(*p->sample_locations),
			&p->sample_locations) &&
		  table(a, s->n_labels, sizeof(*p->labels), &p->labels);
	return ok ? 0 : ep_fail(f->err, -ENOMEM, 0, "no memory for the tables");
}

/* The ids of one kind, for those who show them; ids in order need no table. */
static bool make_shown_ids(struct fill *f, struct ep_id_range range, struct ep_file_ids *ret)
{
	if (!range.out_of_order)
		return true;
	ret->ids = ep_arena_array(f->p->arena, uint64_t, range.n);
	ret->n = range.n;
	ret->max = range.max;
	return ret->ids;
}

static int make_ids(struct fill *f)
{
	struct ep_profile *p = f->p;
	if (!make_shown_ids(f, f->s->mappings, &p->mapping_ids) ||
	    !make_shown_ids(f, f->s->functions, &p->function_ids) ||
	    !make_shown_ids(f, f->s->locations, &p->location_ids))
		return ep_fail(f->err, -ENOMEM, 0, "no memory for the ids");
	if (ep_ids_init(&f->mappings, f->s->mappings) < 0 ||
	    ep_ids_init(&f->functions, f->s->functions) < 0 ||
	    ep_ids_init(&f->locations, f->s->locations) < 0)
		return ep_fail(f->err, -ENOMEM, 0, "no memory for the ids");
	return 0;
}

static int fill_all(struct fill *f)
{
	EP_TRY(make_tables(f));
	EP_TRY(make_ids(f));
	EP_TRY(fill_strings(f));
	EP_TRY(fill_sample_types(f));
	EP_TRY(fill_header(f));
	EP_TRY(fill_mappings(f));
	EP_TRY(fill_functions(f));
	EP_TRY(fill_locations(f));
	return fill_samples(f);
}

int ep_fill(const struct ep_scan *s, struct ep_profile *p, struct ep_err *err)
{
	struct fill f = {.s = s, .p = p, .err = err};
	int rc = fill_all(&f);
	ep_ids_fini(&f.mappings);
	ep_ids_fini(&f.functions);
	ep_ids_fini(&f.locations);
	ep_share_fini(&f.stacks);
	ep_share_fini(&f.label_sets);
	return rc;
}
