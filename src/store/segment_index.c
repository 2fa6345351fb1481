/*
 * segment_index.c - a segment's index and its two ends, as bytes and back.
 *
 * Layout: docs/formats/segment.md.
 */
#include "codec/crc32c.h"
#include "store/bytes.h"
#include "store/segment.h"

#include <string.h>

enum { MAX_LABELS = 4096 };
static const char magic[8] = {'E', 'P', 'R', 'S', 'E', 'G', '1', '\n'};

/* --- out ------------------------------------------------------------------------------------ */

static void put_service(struct ep_buf *b, const struct ep_segment_index *x, uint32_t i)
{
	const struct ep_segment_service *s = &x->services[i];
	ep_put_slice(b, s->name);
	ep_put_varint(b, s->mark.strings);
	ep_put_varint(b, s->mark.mappings);
	ep_put_varint(b, s->mark.functions);
	ep_put_varint(b, s->mark.frames);
	ep_put_varint(b, s->mark.stacks);
	ep_put_varint(b, s->mark.sets);
	ep_put_varint(b, s->mark.metas);
	ep_put_varint(b, s->n_records);
	for (uint32_t k = s->first_record; k < s->first_record + s->n_records; k++) {
		ep_put_varint(b, x->records[k].at);
		ep_put_varint(b, x->records[k].len);
	}
}

static void put_series(struct ep_buf *b, const struct ep_segment_series *s)
{
	ep_put_varint(b, s->service);
	ep_put_varint(b, s->n_labels);
	for (uint32_t i = 0; i < s->n_labels; i++) {
		ep_put_slice(b, s->labels[i].key);
		ep_put_slice(b, s->labels[i].value);
	}
}

static void put_block(struct ep_buf *b, const struct ep_segment_block *v)
{
	ep_put_varint(b, v->min_ns);
	ep_put_varint(b, v->max_ns - v->min_ns);
	ep_put_varint(b, v->n_points);
	ep_put_varint(b, v->at);
	ep_put_varint(b, v->head_len);
	ep_put_varint(b, v->sums_len);
	ep_put_varint(b, v->minutes_at);
	ep_put_varint(b, v->minutes_len);
}

static void put_group(struct ep_buf *b, const struct ep_segment_index *x, uint32_t i)
{
	const struct ep_segment_group *g = &x->groups[i];
	ep_put_varint(b, g->n_cols);
	for (uint32_t c = 0; c < g->n_cols; c++)
		ep_put_varint(b, x->cols[g->first_col + c]);
	ep_put_varint(b, g->n_blocks);
	for (uint32_t k = 0; k < g->n_blocks; k++)
		put_block(b, &x->blocks[g->first_block + k]);
}

int ep_segment_index_encode(const struct ep_segment_index *x, struct ep_buf *out)
{
	ep_put_slice(out, x->epoch);
	ep_put_varint(out, x->n_services);
	ep_put_varint(out, x->n_records);
	ep_put_varint(out, x->n_series);
	ep_put_varint(out, x->n_groups);
	ep_put_varint(out, x->n_cols);
	ep_put_varint(out, x->n_blocks);
	for (uint32_t i = 0; i < x->n_services; i++)
		put_service(out, x, i);
	for (uint32_t i = 0; i < x->n_series; i++)
		put_series(out, &x->series[i]);
	for (uint32_t i = 0; i < x->n_groups; i++)
		put_group(out, x, i);
	return ep_buf_failed(out);
}

/* --- in ------------------------------------------------------------------------------------- */

struct reading {
	struct ep_segment_index *x;
	struct ep_cursor c;
	uint64_t limit, minutes_limit;
	uint32_t n_records, n_cols, n_blocks; /* filled so far */
};

static bool copy(struct reading *r, struct ep_slice *ret)
{
	struct ep_slice s = ep_get_slice(&r->c);
	char *p = ep_arena_copy(r->x->arena, s.n ? s.p : "", s.n);
	*ret = (struct ep_slice){p, s.n};
	return p;
}

static bool lies_within(uint64_t at, uint64_t len, uint64_t limit)
{
	return at <= limit && len <= limit - at;
}

/* A count of what is still to come, of which `total` were announced. */
static uint32_t get_share(struct reading *r, uint32_t done, uint32_t total)
{
	return ep_get_below(&r->c, (uint64_t)(total - done) + 1);
}

static int get_service(struct reading *r, struct ep_segment_service *s)
{
	struct ep_segment_index *x = r->x;
	if (!copy(r, &s->name))
		return -ENOMEM;
	uint32_t *const counts[] = {&s->mark.strings, &s->mark.mappings, &s->mark.functions,
				    &s->mark.frames,  &s->mark.stacks,	 &s->mark.sets,
				    &s->mark.metas};
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		*counts[i] = ep_get_below(&r->c, UINT32_MAX);
	s->first_record = r->n_records;
	s->n_records = get_share(r, r->n_records, x->n_records);
	for (uint32_t i = 0; i < s->n_records; i++) {
		struct ep_segment_record *to = &x->records[r->n_records++];
		to->at = ep_get_varint(&r->c);
		to->len = ep_get_varint(&r->c);
		r->c.bad |= !lies_within(to->at, to->len, r->limit);
	}
	return 0;
}

static int get_series(struct reading *r, struct ep_segment_series *s)
{
	s->service = ep_get_below(&r->c, r->x->n_services);
	s->n_labels = ep_get_below(&r->c, MAX_LABELS);
	s->labels = ep_arena_array(r->x->arena, struct ep_kv, (size_t)s->n_labels + 1);
	s->min_ns = UINT64_MAX;
	for (uint32_t i = 0; s->labels && i < s->n_labels; i++)
		if (!copy(r, &s->labels[i].key) || !copy(r, &s->labels[i].value))
			return -ENOMEM;
	return s->labels ? 0 : -ENOMEM;
}

static void get_block(struct reading *r, uint32_t group, struct ep_segment_block *v)
{
	struct ep_cursor *c = &r->c;
	v->group = group;
	v->min_ns = ep_get_varint(c);
	v->max_ns = v->min_ns + ep_get_varint(c);
	v->n_points = ep_get_below(c, EP_BLOCK_MAX_POINTS);
	v->at = ep_get_varint(c);
	v->head_len = ep_get_varint(c);
	v->sums_len = ep_get_varint(c);
	v->minutes_at = ep_get_varint(c);
	v->minutes_len = ep_get_varint(c);
	c->bad |= v->max_ns < v->min_ns || !lies_within(v->at, v->head_len, r->limit) ||
		  !lies_within(v->at + v->head_len, v->sums_len, r->limit) ||
		  !lies_within(v->minutes_at, v->minutes_len, r->minutes_limit);
}

static void widen(struct ep_segment_series *s, const struct ep_segment_block *v)
{
	s->min_ns = v->min_ns < s->min_ns ? v->min_ns : s->min_ns;
	s->max_ns = v->max_ns > s->max_ns ? v->max_ns : s->max_ns;
}

static void get_group(struct reading *r, uint32_t number)
{
	struct ep_segment_index *x = r->x;
	struct ep_segment_group *g = &x->groups[number];
	g->first_col = r->n_cols;
	g->n_cols = get_share(r, r->n_cols, x->n_cols);
	for (uint32_t i = 0; i < g->n_cols; i++)
		x->cols[r->n_cols++] = ep_get_below(&r->c, x->n_series);
	g->first_block = r->n_blocks;
	g->n_blocks = get_share(r, r->n_blocks, x->n_blocks);
	r->c.bad |= g->n_cols > EP_BLOCK_MAX_COLS;
	for (uint32_t i = 0; i < g->n_blocks && !r->c.bad; i++) {
		struct ep_segment_block *v = &x->blocks[r->n_blocks++];
		get_block(r, number, v);
		for (uint32_t k = 0; k < g->n_cols; k++)
			widen(&x->series[x->cols[g->first_col + k]], v);
	}
}

/* Where each series is used: counted, then placed. */
static void link_uses(struct ep_segment_index *x)
{
	uint32_t at = 0;
	for (uint32_t i = 0; i < x->n_cols; i++)
		x->series[x->cols[i]].n_uses++;
	for (uint32_t i = 0; i < x->n_series; i++) {
		x->series[i].first_use = at;
		at += x->series[i].n_uses;
		x->series[i].n_uses = 0;
	}
	for (uint32_t g = 0; g < x->n_groups; g++)
		for (uint32_t c = 0; c < x->groups[g].n_cols; c++) {
			struct ep_segment_series *s = &x->series[x->cols[x->groups[g].first_col + c]];
			x->uses[s->first_use + s->n_uses++] = (struct ep_segment_use){g, c};
		}
}

static int get_counts(struct reading *r)
{
	struct ep_segment_index *x = r->x;
	size_t most = ep_cursor_left(&r->c) + 1; /* all take a byte or more */
	x->n_services = ep_get_below(&r->c, most);
	x->n_records = ep_get_below(&r->c, most);
	x->n_series = ep_get_below(&r->c, most);
	x->n_groups = ep_get_below(&r->c, most);
	x->n_cols = ep_get_below(&r->c, most);
	x->n_blocks = ep_get_below(&r->c, most);
	struct ep_arena *a = x->arena;
	x->services = ep_arena_array(a, struct ep_segment_service, (size_t)x->n_services + 1);
	x->records = ep_arena_array(a, struct ep_segment_record, (size_t)x->n_records + 1);
	x->series = ep_arena_array(a, struct ep_segment_series, (size_t)x->n_series + 1);
	x->groups = ep_arena_array(a, struct ep_segment_group, (size_t)x->n_groups + 1);
	x->cols = ep_arena_array(a, uint32_t, (size_t)x->n_cols + 1);
	x->blocks = ep_arena_array(a, struct ep_segment_block, (size_t)x->n_blocks + 1);
	x->uses = ep_arena_array(a, struct ep_segment_use, (size_t)x->n_cols + 1);
	bool ok = x->services && x->records && x->series && x->groups && x->cols && x->blocks &&
		  x->uses;
	return ok ? 0 : -ENOMEM;
}

static int get_all(struct reading *r)
{
	struct ep_segment_index *x = r->x;
	if (!copy(r, &x->epoch))
		return -ENOMEM;
	EP_TRY(get_counts(r));
	for (uint32_t i = 0; i < x->n_services && !r->c.bad; i++)
		EP_TRY(get_service(r, &x->services[i]));
	for (uint32_t i = 0; i < x->n_series && !r->c.bad; i++)
		EP_TRY(get_series(r, &x->series[i]));
	for (uint32_t i = 0; i < x->n_groups && !r->c.bad; i++)
		get_group(r, i);
	if (r->c.bad || ep_cursor_left(&r->c) || r->n_records != x->n_records ||
	    r->n_cols != x->n_cols || r->n_blocks != x->n_blocks)
		return -EBADMSG;
	link_uses(x);
	return 0;
}

int ep_segment_index_decode(const void *p, size_t n, uint64_t limit, uint64_t minutes_limit,
			    struct ep_segment_index *ret_x, struct ep_err *err)
{
	struct ep_segment_index x = {.arena = ep_arena_new(0)};
	struct reading r = {&x, ep_cursor_of(p, n), limit, minutes_limit, 0, 0, 0};
	int rc = x.arena ? get_all(&r) : -ENOMEM;
	if (rc < 0) {
		ep_segment_index_fini(&x);
		return ep_fail(err, rc, 0, rc == -ENOMEM ? "no memory for a segment's index"
							  : "a segment's index is inconsistent");
	}
	*ret_x = x;
	return 0;
}

void ep_segment_index_fini(struct ep_segment_index *x)
{
	ep_arena_free(x->arena);
	memset(x, 0, sizeof(*x));
}

/* --- ends ----------------------------------------------------------------------------------- */

static void store_u64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t load_u64(const uint8_t *p)
{
	return ep_load_u32(p) | (uint64_t)ep_load_u32(p + 4) << 32;
}

void ep_segment_end_encode(const struct ep_segment_end *e, uint8_t out[EP_SEGMENT_END_BYTES])
{
	const uint64_t v[] = {e->index_at, e->index_len, e->index_raw_len,
			      e->minutes_len, e->min_ns, e->max_ns};
	memcpy(out, magic, 8);
	memcpy(out + 8, e->id, EP_SEGMENT_ID_BYTES);
	for (int i = 0; i < 6; i++)
		store_u64(out + 24 + 8 * i, v[i]);
	uint32_t version = EP_SEGMENT_VERSION;
	for (int i = 0; i < 4; i++)
		out[72 + i] = (uint8_t)(version >> (8 * i));
	uint32_t crc = ep_crc32c(0, out, 76);
	for (int i = 0; i < 4; i++)
		out[76 + i] = (uint8_t)(crc >> (8 * i));
}

int ep_segment_end_decode(const uint8_t p[EP_SEGMENT_END_BYTES], struct ep_segment_end *ret_e,
			  struct ep_err *err)
{
	if (memcmp(p, magic, 8) != 0 || ep_crc32c(0, p, 76) != ep_load_u32(p + 76))
		return ep_fail(err, -EBADMSG, 0, "not a segment's beginning or end");
	struct ep_segment_end e = {.version = ep_load_u32(p + 72)};
	if (e.version > EP_SEGMENT_VERSION)
		return ep_fail(err, -ENOTSUP, 0, "version %u, this everprof knows %d", e.version,
			       EP_SEGMENT_VERSION);
	memcpy(e.id, p + 8, EP_SEGMENT_ID_BYTES);
	e.index_at = load_u64(p + 24);
	e.index_len = load_u64(p + 32);
	e.index_raw_len = load_u64(p + 40);
	e.minutes_len = load_u64(p + 48);
	e.min_ns = load_u64(p + 56);
	e.max_ns = load_u64(p + 64);
	*ret_e = e;
	return 0;
}
