/*
 * dict_record.c - what a dictionary gained, as bytes and back.
 *
 * Layout: docs/formats/head.md, "dictionary record".
 */
#include "codec/crc32c.h"
#include "codec/zstd.h"
#include "store/bytes.h"
#include "store/dict.h"

#include <string.h>

enum {
	MAX_GROWTH = 1 << 26, /* elements of one kind a record may bring us to */
	MAX_GAP = 1 << 22,    /* elements of one kind a lost record can have held */
};

/* --- out ------------------------------------------------------------------------ */

static void put_frame(struct ep_buf *out, const struct ep_dict *d, const struct ep_dict_frame *f)
{
	ep_put_varint(out, f->flags);
	ep_put_varint(out, f->mapping == EP_DICT_NONE ? 0 : (uint64_t)f->mapping + 1);
	ep_put_varint(out, f->address);
	ep_put_varint(out, f->n_lines);
	for (uint32_t i = 0; i < f->n_lines; i++) {
		const struct ep_dict_line *l = ep_dict_line(d, f->first_line + i);
		ep_put_varint(out, l->function);
		ep_put_zigzag(out, l->line);
		ep_put_zigzag(out, l->column);
	}
}

static void put_mapping(struct ep_buf *out, const struct ep_dict_mapping *m)
{
	ep_put_varint(out, m->start);
	ep_put_varint(out, m->size);
	ep_put_varint(out, m->file_offset);
	ep_put_varint(out, m->filename);
	ep_put_varint(out, m->build_id);
	ep_put_varint(out, m->flags);
}

static void put_function(struct ep_buf *out, const struct ep_dict_function *f)
{
	ep_put_varint(out, f->name);
	ep_put_varint(out, f->system_name);
	ep_put_varint(out, f->filename);
	ep_put_zigzag(out, f->start_line);
}

static void put_set(struct ep_buf *out, const struct ep_dict *d, const struct ep_dict_set *s)
{
	ep_put_varint(out, s->n);
	for (uint32_t i = 0; i < s->n; i++) {
		const struct ep_dict_label *l = ep_dict_label(d, s->first + i);
		ep_put_varint(out, l->key);
		ep_put_varint(out, l->str == EP_DICT_NONE ? 0 : (uint64_t)l->str + 1);
		if (l->str != EP_DICT_NONE)
			continue;
		ep_put_zigzag(out, l->num);
		ep_put_varint(out, l->unit);
	}
}

static void put_range(struct ep_buf *out, uint32_t from, uint32_t to)
{
	ep_put_varint(out, from);
	ep_put_varint(out, to - from);
}

void ep_dict_encode(const struct ep_dict *d, const struct ep_dict_mark *from,
		    const struct ep_dict_mark *to, struct ep_buf *out)
{
	put_range(out, from->strings, to->strings);
	put_range(out, from->mappings, to->mappings);
	put_range(out, from->functions, to->functions);
	put_range(out, from->frames, to->frames);
	put_range(out, from->stacks, to->stacks);
	put_range(out, from->sets, to->sets);
	put_range(out, from->metas, to->metas);
	for (uint32_t i = from->strings; i < to->strings; i++)
		ep_put_slice(out, ep_dict_str(d, i));
	for (uint32_t i = from->mappings; i < to->mappings; i++)
		put_mapping(out, ep_dict_mapping(d, i));
	for (uint32_t i = from->functions; i < to->functions; i++)
		put_function(out, ep_dict_function(d, i));
	for (uint32_t i = from->frames; i < to->frames; i++)
		put_frame(out, d, ep_dict_frame(d, i));
	for (uint32_t i = from->stacks; i < to->stacks; i++) {
		/* Parents are mostly the node before: a small number. */
		ep_put_varint(out, i - ep_dict_stack(d, i)->parent);
		ep_put_varint(out, ep_dict_stack(d, i)->frame);
	}
	for (uint32_t i = from->sets; i < to->sets; i++)
		put_set(out, d, ep_dict_set(d, i));
	for (uint32_t i = from->metas; i < to->metas; i++)
		ep_put_slice(out, ep_dict_meta(d, i));
}

/* --- in ------------------------------------------------------------------------- */

struct range {
	uint32_t first, n;
};

struct record {
	struct range strings, mappings, functions, frames, stacks, sets, metas;
};

static struct range get_range(struct ep_cursor *c)
{
	struct range r;
	r.first = ep_get_below(c, MAX_GROWTH);
	r.n = ep_get_below(c, MAX_GROWTH);
	return r;
}

static int append_string(struct ep_dict *d, struct ep_vec *to, struct ep_slice s)
{
	struct ep_slice *slot = ep_vec_next(to);
	char *copy = ep_arena_copy(d->arena, s.p ? s.p : "", s.n);
	if (!slot || !copy)
		return -ENOMEM;
	*slot = (struct ep_slice){copy, s.n};
	(void)ep_vec_publish(to); /* ids run on */
	return 0;
}

/* Elements are appended as they are: ids are places, so duplicates must stay. */
static int append(struct ep_vec *to, const void *elem, size_t n)
{
	void *slot = ep_vec_next(to);
	if (!slot)
		return -ENOMEM;
	memcpy(slot, elem, n);
	(void)ep_vec_publish(to); /* ids run on */
	return 0;
}

static int no_memory_if(bool failed)
{
	return failed ? -ENOMEM : 0;
}

static int fill_gap(struct ep_dict *d, const struct record *r)
{
	static const struct ep_dict_mapping no_mapping;
	static const struct ep_dict_function lost_function = {.name = EP_DICT_DAMAGED_STRING};
	static const struct ep_dict_frame lost_frame = {.mapping = EP_DICT_NONE,
							.flags = EP_FRAME_DAMAGED};
	static const struct ep_slice lost_string = {"[damaged]", 9};
	while (ep_vec_n(&d->strings) < r->strings.first)
		EP_TRY(append_string(d, &d->strings, lost_string));
	while (ep_vec_n(&d->mappings) < r->mappings.first)
		EP_TRY(append(&d->mappings, &no_mapping, sizeof(no_mapping)));
	while (ep_vec_n(&d->functions) < r->functions.first)
		EP_TRY(append(&d->functions, &lost_function, sizeof(lost_function)));
	while (ep_vec_n(&d->frames) < r->frames.first)
		EP_TRY(no_memory_if(ep_dict_append_frame(d, &lost_frame, NULL) == EP_DICT_NONE));
	while (ep_vec_n(&d->stacks) < r->stacks.first)
		EP_TRY(no_memory_if(ep_dict_append_stack(d, 0, 0) == EP_DICT_NONE));
	while (ep_vec_n(&d->sets) < r->sets.first)
		EP_TRY(no_memory_if(ep_dict_append_set(d, NULL, 0) == EP_DICT_NONE));
	while (ep_vec_n(&d->metas) < r->metas.first)
		EP_TRY(append_string(d, &d->metas, (struct ep_slice){NULL, 0}));
	return 0;
}

static int get_mapping(struct ep_dict *d, struct ep_cursor *c)
{
	uint32_t n_strings = ep_vec_n(&d->strings);
	struct ep_dict_mapping m = {0};
	m.start = ep_get_varint(c);
	m.size = ep_get_varint(c);
	m.file_offset = ep_get_varint(c);
	m.filename = ep_get_below(c, n_strings);
	m.build_id = ep_get_below(c, n_strings);
	m.flags = ep_get_below(c, 16);
	return append(&d->mappings, &m, sizeof(m));
}

static int get_function(struct ep_dict *d, struct ep_cursor *c)
{
	uint32_t n_strings = ep_vec_n(&d->strings);
	struct ep_dict_function f = {0};
	f.name = ep_get_below(c, n_strings);
	f.system_name = ep_get_below(c, n_strings);
	f.filename = ep_get_below(c, n_strings);
	f.start_line = ep_get_zigzag(c);
	return append(&d->functions, &f, sizeof(f));
}

static int get_frame(struct ep_dict *d, struct ep_cursor *c)
{
	struct ep_dict_frame f = {0};
	f.flags = ep_get_below(c, 8);
	uint32_t mapping = ep_get_below(c, (uint64_t)ep_vec_n(&d->mappings) + 1);
	f.mapping = mapping ? mapping - 1 : EP_DICT_NONE;
	f.address = ep_get_varint(c);
	f.n_lines = ep_get_below(c, ep_cursor_left(c) + 1); /* a line is 3 bytes or more */
	struct ep_dict_line *lines ep_auto_mem = ep_zalloc(sizeof(*lines) * (f.n_lines + 1));
	if (!lines)
		return -ENOMEM;
	for (uint32_t i = 0; i < f.n_lines; i++) {
		lines[i].function = ep_get_below(c, ep_vec_n(&d->functions));
		lines[i].line = ep_get_zigzag(c);
		lines[i].column = ep_get_zigzag(c);
	}
	return c->bad ? 0 : no_memory_if(ep_dict_append_frame(d, &f, lines) == EP_DICT_NONE);
}

static int get_stack(struct ep_dict *d, struct ep_cursor *c)
{
	uint32_t id = ep_vec_n(&d->stacks);
	uint64_t back = ep_get_varint(c);
	uint32_t frame = ep_get_below(c, ep_vec_n(&d->frames));
	if (back < 1 || back > id)
		c->bad = true;
	return c->bad ? 0
		      : no_memory_if(ep_dict_append_stack(d, id - (uint32_t)back, frame) ==
				     EP_DICT_NONE);
}

static int get_set(struct ep_dict *d, struct ep_cursor *c)
{
	uint32_t n_strings = ep_vec_n(&d->strings);
	uint32_t n = ep_get_below(c, ep_cursor_left(c) + 1); /* a label is 2 bytes or more */
	struct ep_dict_label *v ep_auto_mem = ep_zalloc(sizeof(*v) * (n + 1));
	if (!v)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		v[i].key = ep_get_below(c, n_strings);
		uint32_t str = ep_get_below(c, (uint64_t)n_strings + 1);
		v[i].str = str ? str - 1 : EP_DICT_NONE;
		v[i].num = str ? 0 : ep_get_zigzag(c);
		v[i].unit = str ? 0 : ep_get_below(c, n_strings);
	}
	return c->bad ? 0 : no_memory_if(ep_dict_append_set(d, v, n) == EP_DICT_NONE);
}

static int get_all(struct ep_dict *d, struct ep_cursor *c, const struct record *r)
{
	for (uint32_t i = 0; i < r->strings.n && !c->bad; i++)
		EP_TRY(append_string(d, &d->strings, ep_get_slice(c)));
	for (uint32_t i = 0; i < r->mappings.n && !c->bad; i++)
		EP_TRY(get_mapping(d, c));
	for (uint32_t i = 0; i < r->functions.n && !c->bad; i++)
		EP_TRY(get_function(d, c));
	for (uint32_t i = 0; i < r->frames.n && !c->bad; i++)
		EP_TRY(get_frame(d, c));
	for (uint32_t i = 0; i < r->stacks.n && !c->bad; i++)
		EP_TRY(get_stack(d, c));
	for (uint32_t i = 0; i < r->sets.n && !c->bad; i++)
		EP_TRY(get_set(d, c));
	for (uint32_t i = 0; i < r->metas.n && !c->bad; i++)
		EP_TRY(append_string(d, &d->metas, ep_get_slice(c)));
	return 0;
}

/* A record that lies before what we have was read twice or made by a stranger. */
static bool is_next(const struct ep_vec *v, struct range r)
{
	return ep_vec_n(v) <= r.first && r.first - ep_vec_n(v) <= MAX_GAP;
}

static bool follows(const struct ep_dict *d, const struct record *r)
{
	return is_next(&d->strings, r->strings) && is_next(&d->mappings, r->mappings) &&
	       is_next(&d->functions, r->functions) && is_next(&d->frames, r->frames) &&
	       is_next(&d->stacks, r->stacks) && is_next(&d->sets, r->sets) &&
	       is_next(&d->metas, r->metas);
}

int ep_dict_decode(struct ep_dict *d, const void *p, size_t n, struct ep_err *err)
{
	struct ep_cursor c = ep_cursor_of(p, n);
	struct record r;
	r.strings = get_range(&c);
	r.mappings = get_range(&c);
	r.functions = get_range(&c);
	r.frames = get_range(&c);
	r.stacks = get_range(&c);
	r.sets = get_range(&c);
	r.metas = get_range(&c);
	if (c.bad || !follows(d, &r))
		return ep_fail(err, -EBADMSG, 0, "a dictionary record does not follow the one before");
	EP_TRY(fill_gap(d, &r));
	EP_TRY(get_all(d, &c, &r));
	if (c.bad || ep_cursor_left(&c))
		return ep_fail(err, -EBADMSG, n - ep_cursor_left(&c),
			       "a dictionary record is inconsistent");
	return 0;
}

int ep_dict_fill(struct ep_dict *d, const struct ep_dict_mark *to, struct ep_err *err)
{
	struct record r = {{to->strings, 0}, {to->mappings, 0}, {to->functions, 0}, {to->frames, 0},
			   {to->stacks, 0},  {to->sets, 0},	{to->metas, 0}};
	if (!follows(d, &r))
		return ep_fail(err, -EBADMSG, 0, "a dictionary does not reach its end");
	return fill_gap(d, &r) < 0 ? ep_fail(err, -ENOMEM, 0, "no memory for a dictionary") : 0;
}

int ep_dict_pack(const struct ep_buf *record, struct ep_zstd *z, struct ep_buf *out,
		 struct ep_err *err)
{
	size_t start = out->len;
	if (record->len >= EP_DICT_MAX_RECORD)
		return ep_fail(err, -E2BIG, 0, "a service gained %zu bytes of names at once",
			       record->len);
	ep_buf_add_char(out, 1);
	ep_put_varint(out, record->len);
	EP_TRY(ep_zstd_pack_with(z, record->data, record->len, out, err));
	if (!ep_buf_failed(out))
		ep_put_u32(out, ep_crc32c(0, out->data + start, out->len - start));
	return ep_buf_failed(out) ? ep_fail(err, out->failed, 0, "no memory to store a dictionary") : 0;
}

int ep_dict_unpack(struct ep_dict *d, struct ep_slice b, struct ep_err *err)
{
	if (b.n < 4 ||
	    ep_crc32c(0, b.p, b.n - 4) != ep_load_u32((const uint8_t *)b.p + b.n - 4))
		return ep_fail(err, -EBADMSG, 0, "wrong checksum");
	struct ep_cursor c = ep_cursor_of(b.p, b.n - 4);
	uint8_t version = ep_get_u8(&c);
	size_t raw_len = ep_get_below(&c, EP_DICT_MAX_RECORD);
	if (c.bad || version != 1)
		return ep_fail(err, -EBADMSG, 0, "unknown version %u", version);
	uint8_t *raw ep_auto_mem = ep_alloc(raw_len + 1);
	ep_auto(ep_zstd) z = ep_zstd_new();
	if (!raw || !z)
		return ep_fail(err, -ENOMEM, 0, "no memory for a dictionary");
	EP_TRY(ep_zstd_unpack_with(z, c.p, ep_cursor_left(&c), raw, raw_len, err));
	return ep_dict_decode(d, raw, raw_len, err);
}
