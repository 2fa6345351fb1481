/*
 * block_read.c - from a block's sections to numbers.  See block.h.
 *
 * Every section is checked by its checksum when it is read, and by its counts when it
 * is decoded; no number from the file is an index before it was compared with a limit.
 */
#include "store/block.h"

#include "codec/crc32c.h"
#include "codec/zstd.h"
#include "store/bytes.h"
#include "store/rowsort.h"

#include <string.h>
#include <unistd.h>

enum { OWN = 0, MULTIPLE = 1, MAX_RAW = 1 << 30 };

/* Which growing array a capacity is of. */
enum {
	CAP_POINTS,
	CAP_TOTALS,
	CAP_SAMPLES,
	CAP_SETS_FROM,
	CAP_POINT_SETS,
	CAP_POINT_SUMS,
	CAP_ROWS_FROM,
	CAP_ROW_SETS,
	CAP_ROW_STACKS,
	CAP_ROW_VALUES,
	CAP_PACKED,
	CAP_RAW,
	CAP_PAIRS_FROM,
	CAP_PAIR_SETS,
	CAP_PAIR_SUMS,
	CAP_KEYS,
};

static bool room(struct ep_block *b, void *pp, int which, size_t n, size_t elem_bytes)
{
	void **p = (void **)pp;
	if (n + 1 <= b->caps[which])
		return true;
	void *q = ep_realloc(*p, (n + 1) * elem_bytes);
	if (!q)
		return false;
	*p = q;
	b->caps[which] = n + 1;
	return true;
}

#define ROOM(b, field, which, n) room((b), &(b)->field, (which), (n), sizeof(*(b)->field))

static int no_memory(struct ep_err *err)
{
	return ep_fail(err, -ENOMEM, 0, "no memory to read a block");
}

static int malformed(struct ep_err *err, const char *what)
{
	return ep_fail(err, -EBADMSG, 0, "block: %s", what);
}

int ep_block_init(struct ep_block *b)
{
	memset(b, 0, sizeof(*b));
	b->z = ep_zstd_new();
	return b->z ? 0 : -ENOMEM;
}

void ep_block_fini(struct ep_block *b)
{
	void *all[] = {b->points,    b->totals,	    b->samples,	   b->sets_from,
		       b->point_sets, b->point_sums, b->rows_from,  b->row_sets,
		       b->row_stacks, b->row_values, b->packed,	    b->raw,
		       b->pairs_from, b->pair_sets,  b->pair_sums,  b->keys};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ep_free(all[i]);
	ep_zstd_free(b->z);
	memset(b, 0, sizeof(*b));
}

/* --- head ----------------------------------------------------------------------------------- */

static void get_columns(struct ep_block *b, struct ep_cursor *c)
{
	for (uint32_t i = 0; i < b->n_cols && !c->bad; i++) {
		uint8_t kind = ep_get_u8(c);
		b->cols[i].of = i;
		b->cols[i].times = 1;
		if (kind == OWN)
			continue;
		b->cols[i].of = ep_get_below(c, i);
		b->cols[i].times = ep_get_varint(c);
		/* Of one with values of its own: no chains. */
		c->bad |= kind != MULTIPLE || b->cols[b->cols[i].of].of != b->cols[i].of;
	}
}

static void get_sections(struct ep_block *b, struct ep_cursor *c)
{
	uint32_t n_sums = ep_block_section_of(b->n_cols, EP_BLOCK_POINT_SETS, 0);
	uint64_t at = 0;
	b->n_sections = ep_block_section_of(b->n_cols, EP_BLOCK_VALUES, b->n_cols);
	for (uint32_t i = 0; i < b->n_sections && !c->bad; i++) {
		struct ep_block_section *s = &b->sections[i];
		uint64_t len = i < n_sums ? b->sums.len : b->minutes.len;
		at = i == n_sums ? 0 : at;
		s->at = at;
		s->raw_len = ep_get_below(c, MAX_RAW);
		s->len = ep_get_below(c, (uint64_t)s->raw_len + 1);
		for (int k = 0; k < 4; k++)
			s->crc |= (uint32_t)ep_get_u8(c) << (8 * k);
		at += s->len;
		c->bad |= at > len;
	}
}

int ep_block_open(struct ep_block *b, const void *head, size_t n, struct ep_block_place sums,
		  struct ep_block_place minutes, struct ep_err *err)
{
	if (n < 5 || ep_crc32c(0, head, n - 4) != ep_load_u32((const uint8_t *)head + n - 4))
		return malformed(err, "its head has a wrong checksum");
	struct ep_cursor c = ep_cursor_of(head, n - 4);
	b->sums = sums;
	b->minutes = minutes;
	b->has_points = false;
	b->sets_col = b->rows_col = 0;
	memset(b->sections, 0, sizeof(b->sections));
	b->n_cols = ep_get_below(&c, EP_BLOCK_MAX_COLS + 1);
	b->n_points = ep_get_below(&c, EP_BLOCK_MAX_POINTS);
	b->n_stacks = ep_get_below(&c, EP_BLOCK_MAX_ROWS);
	b->n_pairs = ep_get_below(&c, EP_BLOCK_MAX_ROWS);
	b->n_rows = ep_get_below(&c, EP_BLOCK_MAX_ROWS);
	get_columns(b, &c);
	get_sections(b, &c);
	if (c.bad || ep_cursor_left(&c) || !b->n_cols || !b->n_points ||
	    b->n_stacks > b->n_pairs || b->n_pairs > b->n_rows)
		return malformed(err, "its head is inconsistent");
	return 0;
}

/* --- sections ------------------------------------------------------------------------------- */

static int read_bytes(const struct ep_block_place *f, uint64_t at, uint8_t *p, size_t n,
		      struct ep_err *err)
{
	if (f->fd < 0)
		return ep_fail(err, -ENOENT, 0, "the minutes of this block are gone");
	for (size_t done = 0; done < n;) {
		ssize_t k = pread(f->fd, p + done, n - done, (off_t)(f->at + at + done));
		if (k < 0 && errno == EINTR)
			continue;
		/* A sector that can't be read costs what lies in it. */
		if (k <= 0)
			return malformed(err, k ? "a section can't be read" : "a section ends early");
		done += (size_t)k;
	}
	return 0;
}

/* The checked bytes as stored. */
static int fetch(struct ep_block *b, uint32_t section, struct ep_err *err)
{
	const struct ep_block_section *s = &b->sections[section];
	bool of_sums = section < ep_block_section_of(b->n_cols, EP_BLOCK_POINT_SETS, 0);
	if (!ROOM(b, packed, CAP_PACKED, s->len))
		return no_memory(err);
	EP_TRY(read_bytes(of_sums ? &b->sums : &b->minutes, s->at, b->packed, s->len, err));
	if (ep_crc32c(0, b->packed, s->len) != s->crc)
		return malformed(err, "a section has a wrong checksum");
	return 0;
}

/* Valid until the next section. */
static int open_section(struct ep_block *b, enum ep_block_part part, uint32_t col,
			struct ep_cursor *ret, struct ep_err *err)
{
	uint32_t section = ep_block_section_of(b->n_cols, part, col);
	const struct ep_block_section *s = &b->sections[section];
	EP_TRY(fetch(b, section, err));
	*ret = ep_cursor_of(b->packed, s->len);
	if (s->len == s->raw_len)
		return 0;
	if (!ROOM(b, raw, CAP_RAW, s->raw_len))
		return no_memory(err);
	EP_TRY(ep_zstd_unpack_with(b->z, b->packed, s->len, b->raw, s->raw_len, err));
	*ret = ep_cursor_of(b->raw, s->raw_len);
	return 0;
}

static int close_section(const struct ep_cursor *c, struct ep_err *err)
{
	return c->bad || ep_cursor_left(c) ? malformed(err, "a section is inconsistent") : 0;
}

int ep_block_verify(struct ep_block *b, struct ep_err *err)
{
	for (uint32_t i = 0; i < b->n_sections; i++)
		EP_TRY(fetch(b, i, err));
	return 0;
}

/* --- profiles ------------------------------------------------------------------------------- */

int ep_block_read_points(struct ep_block *b, struct ep_err *err)
{
	if (b->has_points)
		return 0;
	size_t n = b->n_points, cells = n * b->n_cols;
	struct ep_cursor c;
	if (!ROOM(b, points, CAP_POINTS, n) || !ROOM(b, totals, CAP_TOTALS, cells) ||
	    !ROOM(b, samples, CAP_SAMPLES, cells))
		return no_memory(err);
	EP_TRY(open_section(b, EP_BLOCK_POINTS, 0, &c, err));
	for (size_t i = 0; i < n; i++)
		b->points[i].time_ns = ep_get_varint(&c) + (i ? b->points[i - 1].time_ns : 0);
	for (size_t i = 0; i < n; i++)
		b->points[i].duration_ns = ep_get_varint(&c);
	for (size_t i = 0; i < n; i++)
		b->points[i].meta = ep_get_below(&c, UINT32_MAX);
	for (size_t i = 0; i < n; i++) {
		struct ep_ledger *l = &b->points[i].ledger;
		*l = (struct ep_ledger){0};
		l->asked = ep_get_varint(&c);
		l->taken = ep_get_varint(&c);
		l->lost = ep_get_varint(&c);
		l->truncated = ep_get_varint(&c);
	}
	for (uint32_t k = 0; k < b->n_cols; k++)
		for (size_t i = 0; i < n; i++) {
			b->totals[i * b->n_cols + k] = (int64_t)ep_get_varint(&c);
			b->samples[i * b->n_cols + k] = ep_get_varint(&c);
			c.bad |= b->totals[i * b->n_cols + k] < 0;
		}
	EP_TRY(close_section(&c, err));
	b->has_points = true;
	return 0;
}

/* Times a constant; never over 2^63, or it was not written by us. */
static int scale(const struct ep_block *b, uint32_t col, int64_t *v, size_t n, struct ep_err *err)
{
	uint64_t k = b->cols[col].times;
	bool over = false;
	if (b->cols[col].of == col)
		return 0;
	for (size_t i = 0; i < n; i++)
		over |= __builtin_mul_overflow(v[i], k, &v[i]);
	return over ? malformed(err, "a value is out of range") : 0;
}

static int check_column(const struct ep_block *b, uint32_t col, struct ep_err *err)
{
	return col < b->n_cols ? 0 : malformed(err, "it has no such column");
}

int ep_block_read_point_sets(struct ep_block *b, uint32_t col, struct ep_err *err)
{
	EP_TRY(check_column(b, col, err));
	if (b->sets_col == col + 1)
		return 0;
	struct ep_cursor c;
	b->sets_col = 0;
	if (!ROOM(b, sets_from, CAP_SETS_FROM, (size_t)b->n_points + 1))
		return no_memory(err);
	EP_TRY(open_section(b, EP_BLOCK_POINT_SETS, 0, &c, err));
	uint64_t n = 0;
	for (uint32_t i = 0; i < b->n_points; i++) {
		b->sets_from[i] = (uint32_t)n;
		n += ep_get_below(&c, (uint64_t)b->n_rows + 1);
		if (n > b->n_rows)
			return malformed(err, "its label sets are inconsistent");
	}
	b->sets_from[b->n_points] = (uint32_t)n;
	if (!ROOM(b, point_sets, CAP_POINT_SETS, n) || !ROOM(b, point_sums, CAP_POINT_SUMS, n))
		return no_memory(err);
	for (uint32_t i = 0; i < b->n_points; i++) {
		uint64_t id = 0;
		for (uint32_t k = b->sets_from[i]; k < b->sets_from[i + 1]; k++) {
			id += ep_get_varint(&c) + (k > b->sets_from[i]);
			c.bad |= id >= UINT32_MAX;
			b->point_sets[k] = (uint32_t)id;
		}
	}
	uint32_t of = b->cols[col].of;
	for (uint32_t k = 0; k < b->n_cols; k++)
		for (uint64_t i = 0; b->cols[k].of == k && i < n; i++) {
			int64_t v = (int64_t)ep_get_varint(&c);
			c.bad |= v < 0;
			if (k == of)
				b->point_sums[i] = v;
		}
	EP_TRY(close_section(&c, err));
	EP_TRY(scale(b, col, b->point_sums, n, err));
	b->sets_col = col + 1;
	return 0;
}

/* --- sums ----------------------------------------------------------------------------------- */

static int read_stacks(struct ep_block *b, uint32_t *to, struct ep_err *err)
{
	struct ep_cursor c;
	EP_TRY(open_section(b, EP_BLOCK_STACKS, 0, &c, err));
	uint64_t id = 0;
	for (uint32_t i = 0; i < b->n_stacks; i++) {
		id += ep_get_varint(&c) + (i > 0);
		c.bad |= id >= UINT32_MAX;
		to[i] = (uint32_t)id;
	}
	return close_section(&c, err);
}

static int read_sums(struct ep_block *b, uint32_t of, int64_t *to, struct ep_err *err)
{
	struct ep_cursor c;
	EP_TRY(open_section(b, EP_BLOCK_SUMS, of, &c, err));
	for (uint32_t i = 0; i < b->n_stacks; i++) {
		to[i] = (int64_t)ep_get_varint(&c);
		c.bad |= to[i] < 0;
	}
	return close_section(&c, err);
}

/* n lists, of which each has its count - 1 here; *ret_n is what they hold in all. */
static int read_counts(struct ep_block *b, enum ep_block_part part, uint32_t n, uint32_t *from,
		       uint32_t expected, struct ep_err *err)
{
	struct ep_cursor c;
	uint64_t at = 0;
	EP_TRY(open_section(b, part, 0, &c, err));
	for (uint32_t i = 0; i < n; i++) {
		from[i] = (uint32_t)at;
		at += (uint64_t)ep_get_below(&c, expected) + 1;
		if (at > expected)
			return malformed(err, "its counts are inconsistent");
	}
	from[n] = (uint32_t)at;
	if (at != expected)
		return malformed(err, "its counts are inconsistent");
	return close_section(&c, err);
}

/* Ids that rise within each list. */
static int read_ids(struct ep_block *b, enum ep_block_part part, uint32_t n, const uint32_t *from,
		    uint32_t *to, struct ep_err *err)
{
	struct ep_cursor c;
	EP_TRY(open_section(b, part, 0, &c, err));
	for (uint32_t i = 0; i < n; i++) {
		uint64_t id = 0;
		for (uint32_t k = from[i]; k < from[i + 1]; k++) {
			id += ep_get_varint(&c) + (k > from[i]);
			c.bad |= id >= UINT32_MAX;
			to[k] = (uint32_t)id;
		}
	}
	return close_section(&c, err);
}

/* All of a list but the last, which is what is left of the list's sum. */
static int read_parts(struct ep_block *b, enum ep_block_part part, uint32_t col, uint32_t n,
		      const uint32_t *from, const int64_t *sums, int64_t *to, struct ep_err *err)
{
	struct ep_cursor c;
	EP_TRY(open_section(b, part, col, &c, err));
	for (uint32_t i = 0; i < n; i++) {
		int64_t left = sums[i];
		for (uint32_t k = from[i]; k + 1 < from[i + 1]; k++) {
			to[k] = (int64_t)ep_get_varint(&c);
			c.bad |= to[k] < 0 || to[k] > left;
			left -= c.bad ? 0 : to[k];
		}
		to[from[i + 1] - 1] = left;
	}
	return close_section(&c, err);
}

/* By stack: its label sets with their sums, of a column with values of its own. */
static int read_pairs(struct ep_block *b, uint32_t of, const int64_t *sums, struct ep_err *err)
{
	if (!ROOM(b, pairs_from, CAP_PAIRS_FROM, (size_t)b->n_stacks + 1) ||
	    !ROOM(b, pair_sets, CAP_PAIR_SETS, b->n_pairs) ||
	    !ROOM(b, pair_sums, CAP_PAIR_SUMS, b->n_pairs) ||
	    !ROOM(b, keys, CAP_KEYS, 2 * (size_t)b->n_rows))
		return no_memory(err);
	EP_TRY(read_counts(b, EP_BLOCK_PAIR_COUNTS, b->n_stacks, b->pairs_from, b->n_pairs, err));
	EP_TRY(read_ids(b, EP_BLOCK_PAIR_SETS, b->n_stacks, b->pairs_from, b->pair_sets, err));
	return read_parts(b, EP_BLOCK_PAIR_SUMS, of, b->n_stacks, b->pairs_from, sums, b->pair_sums,
			  err);
}

static int takes(struct ep_block_filter *f, uint32_t set, struct ep_err *err)
{
	if (set < f->n_known && f->known[set])
		return f->known[set] - 1;
	return f->ask(f, set, err);
}

/* The sum of the label sets that count, in the place of each stack's. */
static int filter_pairs(const struct ep_block *b, struct ep_block_filter *f, int64_t *sums,
			struct ep_err *err)
{
	for (uint32_t i = 0; i < b->n_stacks; i++) {
		sums[i] = 0;
		for (uint32_t k = b->pairs_from[i]; k < b->pairs_from[i + 1]; k++) {
			int rc = takes(f, b->pair_sets[k], err);
			EP_TRY(rc);
			sums[i] += rc ? b->pair_sums[k] : 0; /* below the stack's sum */
		}
	}
	return 0;
}

/* Runs of one set become the blob's sets. */
static int put_sets(struct ep_blob *to, const struct ep_rowkey *k, uint32_t n, struct ep_err *err)
{
	uint32_t n_sets = 0;
	for (uint32_t i = 0; i < n; i++)
		n_sets += !i || k[i].at != k[i - 1].at;
	if (ep_blob_room(to, n_sets, 1, n) < 0)
		return no_memory(err);
	to->n_sets = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (!i || k[i].at != k[i - 1].at) {
			to->sets[to->n_sets] = (struct ep_blob_set){(uint32_t)k[i].at, i, 0};
			to->set_sums[to->n_sets++] = 0;
		}
		to->sets[to->n_sets - 1].n_rows++;
	}
	return 0;
}

int ep_block_sum_pairs(struct ep_block *b, uint32_t col, struct ep_blob *to, struct ep_err *err)
{
	EP_TRY(check_column(b, col, err));
	uint32_t *stacks ep_auto_mem = ep_alloc(((size_t)b->n_pairs + 1) * sizeof(*stacks));
	int64_t *sums ep_auto_mem = ep_alloc(((size_t)b->n_stacks + 1) * sizeof(*sums));
	if (!stacks || !sums)
		return no_memory(err);
	EP_TRY(read_sums(b, b->cols[col].of, sums, err));
	EP_TRY(read_pairs(b, b->cols[col].of, sums, err));
	EP_TRY(scale(b, col, b->pair_sums, b->n_pairs, err));
	EP_TRY(read_stacks(b, stacks, err));
	for (uint32_t i = b->n_stacks; i-- > 0;) /* from the end, in place */
		for (uint32_t k = b->pairs_from[i + 1]; k-- > b->pairs_from[i];)
			stacks[k] = stacks[i];
	for (uint32_t k = 0; k < b->n_pairs; k++)
		b->keys[k] = (struct ep_rowkey){b->pair_sets[k], k};
	const struct ep_rowkey *v = ep_rowsort(b->keys, b->keys + b->n_pairs, b->n_pairs);
	EP_TRY(put_sets(to, v, b->n_pairs, err));
	for (uint32_t s = 0; s < to->n_sets; s++)
		for (uint32_t i = to->sets[s].first_row; i < to->sets[s].first_row + to->sets[s].n_rows; i++) {
			to->stacks[i] = stacks[v[i].row];
			to->values[i] = b->pair_sums[v[i].row];
			if (__builtin_add_overflow(to->set_sums[s], to->values[i], &to->set_sums[s]))
				return ep_fail(err, -E2BIG, 0, "an hour's values add up to over 2^63");
		}
	return 0;
}

/* --- rows ----------------------------------------------------------------------------------- */

/* What reading the minutes takes beside the result. */
struct minutes {
	uint32_t *from;	  /* rows of each pair */
	uint32_t *points; /* by row, as stored */
	int64_t *values;
	uint32_t *stacks;
	int64_t *sums;
};

static int read_minutes(struct ep_block *b, uint32_t of, struct minutes *m, struct ep_err *err)
{
	EP_TRY(read_stacks(b, m->stacks, err));
	EP_TRY(read_sums(b, of, m->sums, err));
	EP_TRY(read_pairs(b, of, m->sums, err));
	EP_TRY(read_counts(b, EP_BLOCK_TIME_COUNTS, b->n_pairs, m->from, b->n_rows, err));
	EP_TRY(read_ids(b, EP_BLOCK_TIMES, b->n_pairs, m->from, m->points, err));
	EP_TRY(read_parts(b, EP_BLOCK_VALUES, of, b->n_pairs, m->from, b->pair_sums, m->values, err));
	for (uint32_t i = 0; i < b->n_rows; i++)
		if (m->points[i] >= b->n_points)
			return malformed(err, "a row is of no profile");
	return 0;
}

/* The values of profiles first to end - 1, of the label sets that count. */
static int sum_minutes(const struct ep_block *b, const struct minutes *m, uint32_t first,
		       uint32_t end, struct ep_block_filter *f, struct ep_err *err)
{
	for (uint32_t s = 0; s < b->n_stacks; s++) {
		int64_t sum = 0; /* not above the stack's */
		for (uint32_t k = b->pairs_from[s]; k < b->pairs_from[s + 1]; k++) {
			int rc = f ? takes(f, b->pair_sets[k], err) : 1;
			EP_TRY(rc);
			for (uint32_t i = m->from[k]; rc && i < m->from[k + 1]; i++)
				sum += m->points[i] >= first && m->points[i] < end ? m->values[i] : 0;
		}
		m->sums[s] = sum;
	}
	return 0;
}

/* Rows by profile, label set and stack. */
static void turn(struct ep_block *b, const struct minutes *m)
{
	uint32_t row = 0, at = 0;
	for (uint32_t s = 0; s < b->n_stacks; s++)
		for (uint32_t k = b->pairs_from[s]; k < b->pairs_from[s + 1]; k++)
			for (; row < m->from[k + 1]; row++)
				b->keys[row] = (struct ep_rowkey){
					(uint64_t)m->points[row] << 32 | b->pair_sets[k], row};
	/* The stack of a row is found again by its pair: remembered in its place. */
	uint32_t *stack_of = m->points; /* not needed any more */
	row = 0;
	for (uint32_t s = 0; s < b->n_stacks; s++)
		for (; row < m->from[b->pairs_from[s + 1]]; row++)
			stack_of[row] = m->stacks[s];
	const struct ep_rowkey *v = ep_rowsort(b->keys, b->keys + b->n_rows, b->n_rows);
	for (uint32_t p = 0; p < b->n_points; p++) {
		b->rows_from[p] = at;
		for (; at < b->n_rows && v[at].at >> 32 == p; at++) {
			b->row_sets[at] = (uint32_t)v[at].at;
			b->row_stacks[at] = stack_of[v[at].row];
			b->row_values[at] = m->values[v[at].row];
		}
	}
	b->rows_from[b->n_points] = at;
}

static void free_minutes(struct minutes *m)
{
	ep_free(m->from);
	ep_free(m->points);
	ep_free(m->values);
	ep_free(m->stacks);
	ep_free(m->sums);
}

static int alloc_minutes(const struct ep_block *b, struct minutes *m, struct ep_err *err)
{
	size_t n = (size_t)b->n_rows + 1, n_stacks = (size_t)b->n_stacks + 1;
	*m = (struct minutes){
		.from = ep_alloc(((size_t)b->n_pairs + 1) * sizeof(*m->from)),
		.points = ep_alloc(n * sizeof(*m->points)),
		.values = ep_alloc(n * sizeof(*m->values)),
		.stacks = ep_alloc(n_stacks * sizeof(*m->stacks)),
		.sums = ep_alloc(n_stacks * sizeof(*m->sums)),
	};
	return m->from && m->points && m->values && m->stacks && m->sums ? 0 : no_memory(err);
}

static int read_rows(struct ep_block *b, uint32_t col, struct minutes *m, struct ep_err *err)
{
	size_t n = (size_t)b->n_rows + 1;
	if (!ROOM(b, rows_from, CAP_ROWS_FROM, (size_t)b->n_points + 1) ||
	    !ROOM(b, row_sets, CAP_ROW_SETS, n) || !ROOM(b, row_stacks, CAP_ROW_STACKS, n) ||
	    !ROOM(b, row_values, CAP_ROW_VALUES, n))
		return no_memory(err);
	EP_TRY(alloc_minutes(b, m, err));
	EP_TRY(read_minutes(b, b->cols[col].of, m, err));
	turn(b, m);
	return scale(b, col, b->row_values, b->n_rows, err);
}

int ep_block_read_rows(struct ep_block *b, uint32_t col, struct ep_err *err)
{
	EP_TRY(check_column(b, col, err));
	if (b->rows_col == col + 1)
		return 0;
	struct minutes m = {0};
	b->rows_col = 0;
	int rc = read_rows(b, col, &m, err);
	free_minutes(&m);
	if (!rc)
		b->rows_col = col + 1;
	return rc;
}

/* --- sums by stack -------------------------------------------------------------------------- */

static int sum_part(struct ep_block *b, uint32_t of, struct ep_block_filter *f, uint32_t first,
		    uint32_t end, struct ep_blob *to, struct ep_err *err)
{
	struct minutes m = {0};
	int rc = alloc_minutes(b, &m, err);
	if (!rc)
		rc = read_minutes(b, of, &m, err);
	if (!rc)
		rc = sum_minutes(b, &m, first, end, f, err);
	if (!rc && b->n_stacks) {
		memcpy(to->stacks, m.stacks, (size_t)b->n_stacks * sizeof(*to->stacks));
		memcpy(to->values, m.sums, (size_t)b->n_stacks * sizeof(*to->values));
	}
	free_minutes(&m);
	return rc;
}

static int sum_whole(struct ep_block *b, uint32_t of, struct ep_block_filter *f,
		     struct ep_blob *to, struct ep_err *err)
{
	EP_TRY(read_stacks(b, to->stacks, err));
	EP_TRY(read_sums(b, of, to->values, err));
	if (!f)
		return 0;
	EP_TRY(read_pairs(b, of, to->values, err));
	return filter_pairs(b, f, to->values, err);
}

int ep_block_sum(struct ep_block *b, uint32_t col, struct ep_block_filter *filter, uint32_t first,
		 uint32_t end, struct ep_blob *to, struct ep_err *err)
{
	EP_TRY(check_column(b, col, err));
	if (ep_blob_room(to, 1, 1, b->n_stacks) < 0)
		return no_memory(err);
	to->sets[0] = (struct ep_blob_set){0, 0, b->n_stacks};
	uint32_t of = b->cols[col].of;
	bool whole = !first && end == b->n_points;
	EP_TRY(whole ? sum_whole(b, of, filter, to, err)
		     : sum_part(b, of, filter, first, end, to, err));
	EP_TRY(scale(b, col, to->values, b->n_stacks, err));
	int64_t sum = 0;
	for (uint32_t i = 0; i < b->n_stacks; i++)
		if (__builtin_add_overflow(sum, to->values[i], &sum))
			return ep_fail(err, -E2BIG, 0, "an hour's values add up to over 2^63");
	to->set_sums[0] = sum;
	return 0;
}
