/*
 * encode.c - a profile in protobuf, byte for byte as the reference writer would.
 *
 * Zero fields are left out, lists of three and more are packed, a table element's
 * id is its index + 1, or that of the file it came from.  Strings are numbered as they
 * are met, labels stand in the reference's order.  A message is written behind one byte
 * kept for its length, and moved in the rare case that the length needs more, so nothing
 * is measured beforehand.  Source: google/pprof profile/encode.go.
 */
#include "profile/encode.h"

#include "codec/gzip.h"
#include "codec/protobuf.h"
#include "profile/labelorder.h"
#include "profile/numbering.h"

enum {
	FIELD = 1 + EP_PB_MAX_VARINT, /* a tag and a number */
	LABEL = 2 + 4 * FIELD,
	LINE = 2 + 3 * FIELD,
	FUNCTION = 2 + 5 * FIELD,
	MAPPING = 2 + 10 * FIELD,
	LIST = 2 + EP_PB_MAX_VARINT, /* beside its elements */
};
_Static_assert(MAPPING < 128 + 2 && FUNCTION < 128 + 2, "their length is one byte");

/* One profile on its way to a buffer, of which a part may be packed already. */
struct writer {
	const struct ep_profile *p;
	struct ep_buf *out;
	struct ep_numbering strings;
	struct ep_labelorder labels;
	struct ep_buf *packed; /* NULL: plain */
	struct ep_err *err;
	int rc;
};

static uint8_t *put_tag(uint8_t *p, uint32_t field, enum ep_pb_wire wire)
{
	*p++ = (uint8_t)(field << 3 | wire); /* no field number is above 15 */
	return p;
}

/* A number, left out when it is 0. */
static uint8_t *put_number(uint8_t *p, uint32_t field, uint64_t v)
{
	return v ? ep_pb_put_varint(put_tag(p, field, EP_PB_VARINT), v) : p;
}

/* A message begins: its tag and a byte for its length, of which `*ret_length`. */
static uint8_t *open_message(uint8_t *p, uint32_t field, uint8_t **ret_length)
{
	*ret_length = put_tag(p, field, EP_PB_LEN);
	return *ret_length + 1;
}

static __attribute__((noinline)) uint8_t *close_long_message(uint8_t *length,
							     uint8_t *end)
{
	size_t n = (size_t)(end - length) - 1;
	size_t more = ep_pb_varint_size(n) - 1;
	memmove(length + 1 + more, length + 1, n);
	(void)ep_pb_put_varint(length, n); /* its end is not of interest */
	return end + more;
}

static inline uint8_t *close_message(uint8_t *length, uint8_t *end)
{
	size_t n = (size_t)(end - length) - 1;
	if (__builtin_expect(n >= 0x80, 0))
		return close_long_message(length, end);
	*length = (uint8_t)n;
	return end;
}

static uint8_t *put_string(uint8_t *p, struct writer *w, uint32_t field, ep_str s)
{
	return put_number(p, field, ep_numbering_of(&w->strings, s));
}

static uint8_t *put_value_type(uint8_t *p, struct writer *w, uint32_t field,
			       struct ep_value_type t)
{
	uint8_t *length;
	p = open_message(p, field, &length);
	p = put_string(p, w, 1, t.type);
	p = put_string(p, w, 2, t.unit);
	return close_message(length, p);
}

static uint8_t *put_label(uint8_t *p, struct writer *w, const struct ep_label *l)
{
	uint8_t *length;
	p = open_message(p, 3, &length);
	p = put_string(p, w, 1, l->key);
	if (l->str) {
		p = put_string(p, w, 2, l->str);
	} else {
		p = put_number(p, 3, (uint64_t)l->num);
		p = put_string(p, w, 4, l->num_unit);
	}
	return close_message(length, p);
}

/* Indexes of one byte and of two come mixed, so a branch on it would be guessed wrong:
 * two are written, and one is kept or both.  There must be room for both. */
static inline uint8_t *put_index(uint8_t *p, uint64_t v)
{
	if (__builtin_expect(v >= 0x4000, 0))
		return ep_pb_put_varint(p, v);
	uint64_t two = v >= 0x80;
	p[0] = (uint8_t)((v & 0x7f) | two << 7);
	p[1] = (uint8_t)(v >> 7);
	return p + 1 + two;
}

static uint8_t *put_stack(uint8_t *p, const struct ep_file_ids *ids,
			  const uint32_t *locations, uint32_t n)
{
	uint8_t *length = NULL;
	if (n > 2)
		p = open_message(p, 1, &length);
	for (uint32_t i = 0; i < n; i++) {
		if (!length)
			p = put_tag(p, 1, EP_PB_VARINT);
		p = put_index(p, ep_profile_id(ids, locations[i]));
	}
	return length ? close_message(length, p) : p;
}

static uint8_t *put_values(uint8_t *p, const int64_t *values, uint32_t n)
{
	uint8_t *length = NULL;
	if (n > 2)
		p = open_message(p, 2, &length);
	for (uint32_t i = 0; i < n; i++) {
		if (!length)
			p = put_tag(p, 2, EP_PB_VARINT);
		p = ep_pb_put_varint(p, (uint64_t)values[i]);
	}
	return length ? close_message(length, p) : p;
}

static void add_sample(struct writer *w, uint32_t i)
{
	const struct ep_profile *p = w->p;
	const struct ep_sample *s = &p->samples[i];
	size_t most = 3 * (size_t)LIST + (size_t)FIELD * s->n_locations +
		      (size_t)FIELD * p->n_sample_types + (size_t)LABEL * s->n_labels;
	const struct ep_label *labels = ep_labelorder_sort(
		&w->labels, p->strings, p->labels + s->first_label, s->n_labels);
	uint8_t *at = ep_buf_reserve(w->out, most);
	if (!labels && s->n_labels)
		w->rc = -ENOMEM;
	if (!at || w->rc < 0)
		return;
	uint8_t *length;
	at = open_message(at, 2, &length);
	at = put_stack(at, &p->location_ids, ep_profile_stack(p, s), s->n_locations);
	at = put_values(at, ep_profile_values(p, i), p->n_sample_types);
	for (uint32_t l = 0; l < s->n_labels; l++)
		at = put_label(at, w, &labels[l]);
	w->out->len = (size_t)(close_message(length, at) - w->out->data);
}

static void add_mapping(struct writer *w, uint32_t i)
{
	const struct ep_mapping *m = &w->p->mappings[i];
	uint8_t *at = ep_buf_reserve(w->out, MAPPING);
	if (!at)
		return;
	uint8_t *length;
	at = open_message(at, 3, &length);
	at = put_number(at, 1, ep_profile_id(&w->p->mapping_ids, i));
	at = put_number(at, 2, m->start);
	at = put_number(at, 3, m->limit);
	at = put_number(at, 4, m->file_offset);
	at = put_string(at, w, 5, m->filename);
	at = put_string(at, w, 6, m->build_id);
	at = put_number(at, 7, m->has_functions);
	at = put_number(at, 8, m->has_filenames);
	at = put_number(at, 9, m->has_line_numbers);
	at = put_number(at, 10, m->has_inline_frames);
	w->out->len = (size_t)(close_message(length, at) - w->out->data);
}

static uint8_t *put_line(uint8_t *p, const struct ep_file_ids *ids,
			 const struct ep_line *l)
{
	uint8_t *length;
	p = open_message(p, 4, &length);
	p = put_number(p, 1, ep_profile_id(ids, l->function));
	p = put_number(p, 2, (uint64_t)l->line);
	p = put_number(p, 3, (uint64_t)l->column);
	return close_message(length, p);
}

static void add_location(struct writer *w, uint32_t i)
{
	const struct ep_profile *p = w->p;
	struct ep_buf *out = w->out;
	const struct ep_location *l = &p->locations[i];
	uint8_t *at = ep_buf_reserve(out, LIST + 4 * (size_t)FIELD +
						  (size_t)LINE * l->n_lines);
	if (!at)
		return;
	uint8_t *length;
	at = open_message(at, 4, &length);
	at = put_number(at, 1, ep_profile_id(&p->location_ids, i));
	if (l->mapping != EP_NONE)
		at = put_number(at, 2, ep_profile_id(&p->mapping_ids, l->mapping));
	at = put_number(at, 3, l->address);
	for (uint32_t k = 0; k < l->n_lines; k++)
		at = put_line(at, &p->function_ids, &p->lines[l->first_line + k]);
	at = put_number(at, 5, l->is_folded);
	out->len = (size_t)(close_message(length, at) - out->data);
}

static void add_function(struct writer *w, uint32_t i)
{
	const struct ep_function *f = &w->p->functions[i];
	uint8_t *at = ep_buf_reserve(w->out, FUNCTION);
	if (!at)
		return;
	uint8_t *length;
	at = open_message(at, 5, &length);
	at = put_number(at, 1, ep_profile_id(&w->p->function_ids, i));
	at = put_string(at, w, 2, f->name);
	at = put_string(at, w, 3, f->system_name);
	at = put_string(at, w, 4, f->filename);
	at = put_number(at, 5, (uint64_t)f->start_line);
	w->out->len = (size_t)(close_message(length, at) - w->out->data);
}

static uint8_t *put_comments(uint8_t *p, struct writer *w, const ep_str *comments,
			     uint32_t n)
{
	uint8_t *length = NULL;
	if (n > 2)
		p = open_message(p, 13, &length);
	for (uint32_t i = 0; i < n; i++) {
		if (!length)
			p = put_tag(p, 13, EP_PB_VARINT);
		p = ep_pb_put_varint(p, ep_numbering_of(&w->strings, comments[i]));
	}
	return length ? close_message(length, p) : p;
}

/* Everything behind the string table. */
static void add_header(struct writer *w)
{
	const struct ep_profile *p = w->p;
	uint8_t *at = ep_buf_reserve(w->out, 10 * (size_t)FIELD + LIST +
						     (size_t)FIELD * p->n_comments);
	if (!at)
		return;
	at = put_string(at, w, 7, p->drop_frames);
	at = put_string(at, w, 8, p->keep_frames);
	at = put_number(at, 9, (uint64_t)p->time_ns);
	at = put_number(at, 10, (uint64_t)p->duration_ns);
	if (ep_numbering_of(&w->strings, p->period_type.type) ||
	    ep_numbering_of(&w->strings, p->period_type.unit))
		at = put_value_type(at, w, 11, p->period_type);
	at = put_number(at, 12, (uint64_t)p->period);
	at = put_comments(at, w, p->comments, p->n_comments);
	at = put_tag(at, 14, EP_PB_VARINT); /* always there, also when 0 */
	at = ep_pb_put_varint(at, ep_numbering_of(&w->strings, p->default_sample_type));
	at = put_string(at, w, 15, p->doc_url);
	w->out->len = (size_t)(at - w->out->data);
}

/* The strings of the header stand in the table that is written before it. */
static void number_header(struct writer *w)
{
	const struct ep_profile *p = w->p;
	struct ep_numbering *n = &w->strings;
	(void)ep_numbering_of(n, p->drop_frames); /* numbers are asked for again */
	(void)ep_numbering_of(n, p->keep_frames);
	(void)ep_numbering_of(n, p->period_type.type);
	(void)ep_numbering_of(n, p->period_type.unit);
	for (uint32_t i = 0; i < p->n_comments; i++)
		(void)ep_numbering_of(n, p->comments[i]);
	(void)ep_numbering_of(n, p->default_sample_type);
	(void)ep_numbering_of(n, p->doc_url);
}

static void add_value_type(struct writer *w, struct ep_value_type t)
{
	uint8_t *at = ep_buf_reserve(w->out, 3 * (size_t)FIELD);
	if (at)
		w->out->len = (size_t)(put_value_type(at, w, 1, t) - w->out->data);
}

/* What is written goes through the packer in pieces, each a gzip member: nothing of
 * the size of a large profile is ever held twice. */
static void pack(struct writer *w)
{
	if (w->rc < 0 || w->out->failed)
		return;
	w->rc = ep_gzip_pack(w->out->data, w->out->len, EP_GZIP_FAST, w->packed, w->err);
	ep_buf_clear(w->out);
}

static void add_samples(struct writer *w)
{
	enum { PIECE = 4 << 20, AHEAD = 12 };
	for (uint32_t i = 0; i < w->p->n_samples && w->rc >= 0; i++) {
		ep_profile_prefetch_stack(w->p, i + AHEAD);
		add_sample(w, i);
		if (w->packed && w->out->len > PIECE)
			pack(w);
	}
}

static void add_all(struct writer *w)
{
	const struct ep_profile *p = w->p;
	for (uint32_t i = 0; i < p->n_sample_types; i++)
		add_value_type(w, p->sample_types[i]);
	add_samples(w);
	for (uint32_t i = 0; i < p->n_mappings; i++)
		add_mapping(w, i);
	for (uint32_t i = 0; i < p->n_locations; i++)
		add_location(w, i);
	for (uint32_t i = 0; i < p->n_functions; i++)
		add_function(w, i);
	number_header(w);
	for (uint32_t i = 0; i < w->strings.n; i++) {
		struct ep_slice s = p->strings[w->strings.order[i]];
		ep_pb_add_bytes(w->out, 6, s.p, s.n);
	}
	add_header(w);
	if (w->packed)
		pack(w);
}

static int write_all(struct writer *w)
{
	w->rc = ep_numbering_init(&w->strings, w->p);
	if (w->rc >= 0)
		add_all(w);
	if (w->strings.failed)
		w->rc = -ENOMEM;
	ep_numbering_fini(&w->strings);
	ep_labelorder_fini(&w->labels);
	if (w->out->failed == -E2BIG)
		return ep_fail(w->err, -E2BIG, 0,
			       "encoded profile is over the limit of %zu bytes",
			       w->out->max);
	if (w->out->failed || w->rc == -ENOMEM)
		return ep_fail(w->err, -ENOMEM, 0, "no memory for the encoded profile");
	return w->rc;
}

/*
 * Room for the samples at once, since a buffer that grows to the size of a large
 * profile moves on its way.  A guess that is too high costs addresses, not memory.
 */
static void make_room(const struct ep_profile *p, struct ep_buf *out)
{
	enum { SAMPLE = 8, LOCATION = 2, VALUE = 5, LABEL_USUALLY = 10 };
	size_t n = (size_t)p->n_samples * (SAMPLE + VALUE * (size_t)p->n_sample_types);
	for (uint32_t i = 0; i < p->n_samples; i++)
		n += (size_t)LOCATION * p->samples[i].n_locations +
		     (size_t)LABEL_USUALLY * p->samples[i].n_labels;
	if (n < out->max - out->len)
		(void)ep_buf_reserve(out, n); /* a failure is remembered there */
}

int ep_encode(const struct ep_profile *p, struct ep_buf *out, struct ep_err *err)
{
	struct writer w = {.p = p, .out = out, .err = err};
	if (!out->failed)
		make_room(p, out);
	return write_all(&w);
}

int ep_encode_gzip(const struct ep_profile *p, struct ep_buf *out, struct ep_err *err)
{
	ep_auto_buf plain;
	ep_buf_init(&plain, EP_ENCODE_MAX);
	struct writer w = {.p = p, .out = &plain, .packed = out, .err = err};
	size_t before = out->len;
	int rc = write_all(&w);
	if (rc < 0)
		out->len = before;
	return rc;
}
