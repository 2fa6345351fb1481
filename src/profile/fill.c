/*
 * fill.c - the tables of a profile, each at its exact size.  See fill.h.
 *
 * Strings first, then what refers to them, samples last (fillsamples.c); each in a walk
 * over the part of the file that holds it.  Everything that refers is checked here, so
 * that a profile is valid once it is made.  Rules: google/pprof profile/encode.go
 * (postDecode) and profile.go (CheckValid).
 */
#include "profile/fill.h"

#include "base/pages.h"
#include "profile/filling.h"

#include <errno.h>
#include <inttypes.h>

/* --- strings ------------------------------------------------------------------ */

static int fill_strings(struct ep_filling *f)
{
	struct ep_profile *p = f->p;
	struct ep_pb_reader r = ep_filling_open(f, EP_SCAN_STRING);
	p->n_strings = 0;
	while (ep_filling_next(&r, EP_SCAN_STRING)) {
		p->strings[p->n_strings] = ep_pb_bytes(&r);
		if (!p->n_strings++ && p->strings[0].n)
			return ep_fail(f->err, -EBADMSG, ep_filling_pos(f, &r),
				       "string 0 is not empty");
	}
	if (!p->n_strings)
		return ep_fail(f->err, -EBADMSG, 0, "there is no string table");
	return 0;
}

static int read_value_type(struct ep_filling *f, struct ep_pb_reader r,
			   struct ep_value_type *ret)
{
	*ret = (struct ep_value_type){0};
	while (ep_pb_next(&r)) {
		if (r.field == 1)
			EP_TRY(ep_filling_string(f, &r, &ret->type));
		else if (r.field == 2)
			EP_TRY(ep_filling_string(f, &r, &ret->unit));
		else
			ep_pb_skip(&r);
	}
	return ep_scan_fault(f->s, &r, "value type", f->err);
}

static int fill_sample_types(struct ep_filling *f)
{
	struct ep_pb_reader r = ep_filling_open(f, EP_SCAN_SAMPLE_TYPE);
	while (ep_filling_next(&r, EP_SCAN_SAMPLE_TYPE))
		EP_TRY(read_value_type(f, ep_pb_message(&r),
				       &f->p->sample_types[f->p->n_sample_types++]));
	return 0;
}

/* --- the header --------------------------------------------------------------- */

static int read_comments(struct ep_filling *f, struct ep_pb_reader *r)
{
	struct ep_profile *p = f->p;
	if (r->wire != EP_PB_LEN)
		return ep_filling_string(f, r, &p->comments[p->n_comments++]);
	struct ep_pb_reader list = ep_pb_message(r);
	while (list.at < list.end) {
		list.tag = list.at;
		list.field = 13;
		uint64_t i = ep_pb_varint(&list);
		if (i >= p->n_strings)
			return ep_filling_bad_string(f, list.tag, i);
		if (list.fault)
			return ep_scan_fault(f->s, &list, "comments", f->err);
		p->comments[p->n_comments++] = (ep_str)i;
	}
	return 0;
}

static int read_header_field(struct ep_filling *f, struct ep_pb_reader *r)
{
	struct ep_profile *p = f->p;
	switch (r->field) {
	case 7:
		return ep_filling_string(f, r, &p->drop_frames);
	case 8:
		return ep_filling_string(f, r, &p->keep_frames);
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
		return ep_filling_string(f, r, &p->default_sample_type);
	case 15:
		return ep_filling_string(f, r, &p->doc_url);
	default:
		ep_pb_skip(r);
		return 0;
	}
}

static int fill_header(struct ep_filling *f)
{
	struct ep_pb_reader r = ep_filling_open(f, EP_SCAN_HEADER);
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

static int add_id(struct ep_filling *f, struct id_table t, uint64_t id, uint32_t i,
		  uint64_t pos)
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

static int read_mapping(struct ep_filling *f, struct ep_pb_reader r,
			struct ep_mapping *m, uint64_t *ret_id)
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
			EP_TRY(ep_filling_string(f, &r, &m->filename));
			break;
		case 6:
			EP_TRY(ep_filling_string(f, &r, &m->build_id));
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

static int fill_mappings(struct ep_filling *f)
{
	struct id_table t = {&f->mappings, &f->p->mapping_ids, "mapping"};
	struct ep_pb_reader r = ep_filling_open(f, EP_SCAN_MAPPING);
	while (ep_filling_next(&r, EP_SCAN_MAPPING)) {
		uint32_t i = f->p->n_mappings++;
		struct ep_mapping *m = &f->p->mappings[i];
		uint64_t id = 0;
		*m = (struct ep_mapping){0};
		EP_TRY(read_mapping(f, ep_pb_message(&r), m, &id));
		EP_TRY(add_id(f, t, id, i, ep_filling_pos(f, &r)));
	}
	return 0;
}

static int read_function(struct ep_filling *f, struct ep_pb_reader r,
			 struct ep_function *fn, uint64_t *ret_id)
{
	while (ep_pb_next(&r)) {
		switch (r.field) {
		case 1:
			*ret_id = ep_pb_get_varint(&r);
			break;
		case 2:
			EP_TRY(ep_filling_string(f, &r, &fn->name));
			break;
		case 3:
			EP_TRY(ep_filling_string(f, &r, &fn->system_name));
			break;
		case 4:
			EP_TRY(ep_filling_string(f, &r, &fn->filename));
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

static int fill_functions(struct ep_filling *f)
{
	struct id_table t = {&f->functions, &f->p->function_ids, "function"};
	struct ep_pb_reader r = ep_filling_open(f, EP_SCAN_FUNCTION);
	while (ep_filling_next(&r, EP_SCAN_FUNCTION)) {
		uint32_t i = f->p->n_functions++;
		struct ep_function *fn = &f->p->functions[i];
		uint64_t id = 0;
		*fn = (struct ep_function){0};
		EP_TRY(read_function(f, ep_pb_message(&r), fn, &id));
		EP_TRY(add_id(f, t, id, i, ep_filling_pos(f, &r)));
	}
	return 0;
}

static int read_line(struct ep_filling *f, struct ep_pb_reader r, struct ep_line *l)
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

static int read_location(struct ep_filling *f, struct ep_pb_reader r,
			 struct ep_location *l, uint64_t *ret_id)
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
static int check_lines(const struct ep_filling *f, const struct ep_location *l,
		       uint64_t id, uint64_t pos)
{
	for (uint32_t i = 0; i < l->n_lines; i++)
		if (f->p->lines[l->first_line + i].function == EP_NONE)
			return ep_fail(f->err, -EBADMSG, pos,
				       "location id: %" PRIu64
				       " has a line with nil function",
				       id);
	return 0;
}

static int fill_locations(struct ep_filling *f)
{
	struct id_table t = {&f->locations, &f->p->location_ids, "location"};
	struct ep_pb_reader r = ep_filling_open(f, EP_SCAN_LOCATION);
	while (ep_filling_next(&r, EP_SCAN_LOCATION)) {
		uint32_t i = f->p->n_locations++;
		struct ep_location *l = &f->p->locations[i];
		uint64_t id = 0;
		*l = (struct ep_location){.mapping = EP_NONE,
					  .first_line = f->p->n_lines};
		EP_TRY(read_location(f, ep_pb_message(&r), l, &id));
		EP_TRY(add_id(f, t, id, i, ep_filling_pos(f, &r)));
		EP_TRY(check_lines(f, l, id, ep_filling_pos(f, &r)));
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

static int make_tables(struct ep_filling *f)
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
static bool make_shown_ids(struct ep_filling *f, struct ep_id_range range,
			   struct ep_file_ids *ret)
{
	if (!range.out_of_order)
		return true;
	ret->ids = ep_arena_array(f->p->arena, uint64_t, range.n);
	ret->n = range.n;
	ret->max = range.max;
	return ret->ids;
}

static int make_ids(struct ep_filling *f)
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

static int fill_all(struct ep_filling *f)
{
	EP_TRY(make_tables(f));
	EP_TRY(make_ids(f));
	EP_TRY(fill_strings(f));
	EP_TRY(fill_sample_types(f));
	EP_TRY(fill_header(f));
	EP_TRY(fill_mappings(f));
	EP_TRY(fill_functions(f));
	EP_TRY(fill_locations(f));
	return ep_fillsamples_read(f);
}

int ep_fill(const struct ep_scan *s, struct ep_profile *p, struct ep_err *err)
{
	struct ep_filling f = {.s = s, .p = p, .err = err};
	int rc = fill_all(&f);
	ep_ids_fini(&f.mappings);
	ep_ids_fini(&f.functions);
	ep_ids_fini(&f.locations);
	ep_share_fini(&f.stacks);
	ep_share_fini(&f.label_sets);
	return rc;
}
