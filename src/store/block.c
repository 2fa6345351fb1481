/*
 * block.c - making a block.  Reading is in block_read.c.  See block.h.
 */
#include "store/block.h"

#include "codec/crc32c.h"
#include "codec/zstd.h"
#include "store/bytes.h"
#include "store/rowsort.h"

#include <string.h>

enum { SMALLEST_TO_PACK = 64, OWN = 0, MULTIPLE = 1 };

/* The numbers of one block, a buffer for each section. */
struct making {
	const struct ep_block_in *in;
	struct ep_zstd *z;
	struct ep_buf *head, *sums, *minutes;
	uint32_t of[EP_BLOCK_MAX_COLS]; /* own index, or the column it is a multiple of */
	uint64_t times[EP_BLOCK_MAX_COLS];
	struct ep_rowkey *keys, *spare, *rows; /* rows: one of the two, in order */
	struct ep_buf sections[EP_BLOCK_MAX_SECTIONS];
	uint32_t n_stacks, n_pairs;
};

static struct ep_buf *buf_of(struct making *m, enum ep_block_part part, uint32_t col)
{
	return &m->sections[ep_block_section_of(m->in->n_cols, part, col)];
}

static const int64_t *values_of(const struct making *m, uint32_t i)
{
	return m->in->values + (size_t)m->rows[i].row * m->in->n_cols;
}

/* --- columns -------------------------------------------------------------------------------- */

/* Is column c a constant multiple of column b in all rows? */
static uint64_t multiple_of(const struct ep_block_in *in, uint32_t c, uint32_t b)
{
	uint64_t k = 0;
	for (uint32_t i = 0; i < in->n_rows; i++) {
		uint64_t x = (uint64_t)in->values[(size_t)i * in->n_cols + b];
		uint64_t y = (uint64_t)in->values[(size_t)i * in->n_cols + c], xk;
		if (!k && x)
			k = y / x;
		if (!k || __builtin_mul_overflow(x, k, &xk) || xk != y)
			return 0;
	}
	return k;
}

static void find_multiples(struct making *m)
{
	for (uint32_t c = 0; c < m->in->n_cols; c++) {
		m->of[c] = c;
		for (uint32_t b = 0; b < c && m->of[c] == c; b++) {
			uint64_t k = m->of[b] == b ? multiple_of(m->in, c, b) : 0;
			if (k) {
				m->of[c] = b;
				m->times[c] = k;
			}
		}
	}
}

/* --- profiles ------------------------------------------------------------------------------- */

static void put_points(struct making *m)
{
	const struct ep_block_in *in = m->in;
	const struct ep_block_point *p = in->points;
	struct ep_buf *b = buf_of(m, EP_BLOCK_POINTS, 0);
	for (uint32_t i = 0; i < in->n_points; i++)
		ep_put_varint(b, p[i].time_ns - (i ? p[i - 1].time_ns : 0));
	for (uint32_t i = 0; i < in->n_points; i++)
		ep_put_varint(b, p[i].duration_ns);
	for (uint32_t i = 0; i < in->n_points; i++)
		ep_put_varint(b, p[i].meta);
	for (uint32_t i = 0; i < in->n_points; i++) {
		ep_put_varint(b, p[i].ledger.asked);
		ep_put_varint(b, p[i].ledger.taken);
		ep_put_varint(b, p[i].ledger.lost);
		ep_put_varint(b, p[i].ledger.truncated);
	}
	for (uint32_t c = 0; c < in->n_cols; c++)
		for (uint32_t i = 0; i < in->n_points; i++) {
			ep_put_varint(b, (uint64_t)in->totals[(size_t)i * in->n_cols + c]);
			ep_put_varint(b, in->samples[(size_t)i * in->n_cols + c]);
		}
}

/* The rows of one point and set from row i on. */
static uint32_t run_of(const struct ep_block_in *in, uint32_t i)
{
	uint32_t k = i;
	while (k < in->n_rows && in->point[k] == in->point[i] && in->sets[k] == in->sets[i])
		k++;
	return k - i;
}

/* Counts, then sets, then a column's sums after the other. */
static void put_point_sets(struct making *m)
{
	const struct ep_block_in *in = m->in;
	struct ep_buf *b = buf_of(m, EP_BLOCK_POINT_SETS, 0);
	uint32_t i = 0;
	for (uint32_t p = 0; p < in->n_points; p++) {
		uint32_t n = 0;
		for (; i < in->n_rows && in->point[i] == p; i += run_of(in, i))
			n++;
		ep_put_varint(b, n);
	}
	for (uint32_t r = 0; r < in->n_rows; r += run_of(in, r)) {
		bool first = !r || in->point[r] != in->point[r - 1];
		ep_put_varint(b, first ? in->sets[r] : in->sets[r] - in->sets[r - 1] - 1);
	}
	for (uint32_t c = 0; c < in->n_cols; c++)
		for (uint32_t r = 0, n; m->of[c] == c && r < in->n_rows; r += n) {
			uint64_t sum = 0; /* below the profile's total */
			n = run_of(in, r);
			for (uint32_t k = r; k < r + n; k++)
				sum += (uint64_t)in->values[(size_t)k * in->n_cols + c];
			ep_put_varint(b, sum);
		}
}

/* --- rows ----------------------------------------------------------------------------------- */

static uint32_t stack_at(const struct making *m, uint32_t i)
{
	return (uint32_t)(m->rows[i].at >> 32);
}

static uint32_t set_at(const struct making *m, uint32_t i)
{
	return (uint32_t)m->rows[i].at;
}

static int sum_rows(const struct making *m, uint32_t col, uint32_t from, uint32_t to,
		    int64_t *ret, struct ep_err *err)
{
	int64_t sum = 0;
	for (uint32_t i = from; i < to; i++)
		if (__builtin_add_overflow(sum, values_of(m, i)[col], &sum))
			return ep_fail(err, -E2BIG, 0, "an hour's values of a stack add up to over 2^63");
	*ret = sum;
	return 0;
}

/* Rows of one stack and set: when, and all values but the last. */
static void put_pair(struct making *m, uint32_t from, uint32_t to)
{
	const struct ep_block_in *in = m->in;
	ep_put_varint(buf_of(m, EP_BLOCK_TIME_COUNTS, 0), to - from - 1);
	uint32_t before = 0;
	for (uint32_t i = from; i < to; i++) {
		uint32_t p = in->point[m->rows[i].row];
		ep_put_varint(buf_of(m, EP_BLOCK_TIMES, 0), i == from ? p : p - before - 1);
		before = p;
	}
	for (uint32_t c = 0; c < in->n_cols; c++)
		for (uint32_t i = from; m->of[c] == c && i + 1 < to; i++)
			ep_put_varint(buf_of(m, EP_BLOCK_VALUES, c), (uint64_t)values_of(m, i)[c]);
	m->n_pairs++;
}

static uint32_t end_of(const struct making *m, uint32_t i, unsigned shift, uint32_t end)
{
	uint64_t at = m->rows[i].at >> shift;
	while (i < end && m->rows[i].at >> shift == at)
		i++;
	return i;
}

/* Rows of one stack: its sets, and the sums of all but the last of them. */
static int put_stack(struct making *m, uint32_t from, uint32_t to, struct ep_err *err)
{
	uint32_t n = 0;
	int64_t sum = 0;
	for (uint32_t i = from, end; i < to; i = end, n++) {
		end = end_of(m, i, 0, to);
		ep_put_varint(buf_of(m, EP_BLOCK_PAIR_SETS, 0),
			      i == from ? set_at(m, i) : set_at(m, i) - set_at(m, i - 1) - 1);
		put_pair(m, i, end);
		for (uint32_t c = 0; end < to && c < m->in->n_cols; c++) {
			if (m->of[c] != c)
				continue;
			EP_TRY(sum_rows(m, c, i, end, &sum, err));
			ep_put_varint(buf_of(m, EP_BLOCK_PAIR_SUMS, c), (uint64_t)sum);
		}
	}
	ep_put_varint(buf_of(m, EP_BLOCK_PAIR_COUNTS, 0), n - 1);
	ep_put_varint(buf_of(m, EP_BLOCK_STACKS, 0),
		      from ? stack_at(m, from) - stack_at(m, from - 1) - 1 : stack_at(m, from));
	for (uint32_t c = 0; c < m->in->n_cols; c++) {
		EP_TRY(sum_rows(m, c, from, to, &sum, err)); /* checks the multiples, too */
		if (m->of[c] == c)
			ep_put_varint(buf_of(m, EP_BLOCK_SUMS, c), (uint64_t)sum);
	}
	m->n_stacks++;
	return 0;
}

static int put_rows(struct making *m, struct ep_err *err)
{
	const struct ep_block_in *in = m->in;
	for (uint32_t i = 0; i < in->n_rows; i++)
		m->keys[i] = (struct ep_rowkey){(uint64_t)in->stacks[i] << 32 | in->sets[i], i};
	m->rows = ep_rowsort(m->keys, m->spare, in->n_rows);
	for (uint32_t i = 0, end; i < in->n_rows; i = end) {
		end = end_of(m, i, 32, in->n_rows);
		EP_TRY(put_stack(m, i, end, err));
	}
	return 0;
}

/* --- out ------------------------------------------------------------------------------------ */

/* Packed when that is shorter; what finds it goes to the head. */
static int put_section(struct making *m, const struct ep_buf *raw, struct ep_buf *out,
		       struct ep_err *err)
{
	ep_auto_buf packed;
	ep_buf_init(&packed, SIZE_MAX / 2);
	if (raw->len >= UINT32_MAX)
		return ep_fail(err, -E2BIG, 0, "a block's section has %zu bytes", raw->len);
	if (raw->len >= SMALLEST_TO_PACK)
		EP_TRY(ep_zstd_pack_with(m->z, raw->data, raw->len, &packed, err));
	bool use = packed.len && packed.len < raw->len;
	const uint8_t *p = use ? packed.data : raw->data;
	size_t n = use ? packed.len : raw->len;
	ep_put_varint(m->head, raw->len);
	ep_put_varint(m->head, n);
	ep_put_u32(m->head, ep_crc32c(0, p, n));
	ep_buf_add(out, p, n);
	return 0;
}

static int put_all(struct making *m, struct ep_err *err)
{
	const struct ep_block_in *in = m->in;
	size_t start = m->head->len;
	uint32_t n = ep_block_section_of(in->n_cols, EP_BLOCK_VALUES, in->n_cols);
	uint32_t n_sums = ep_block_section_of(in->n_cols, EP_BLOCK_POINT_SETS, 0);
	ep_put_varint(m->head, in->n_cols);
	ep_put_varint(m->head, in->n_points);
	ep_put_varint(m->head, m->n_stacks);
	ep_put_varint(m->head, m->n_pairs);
	ep_put_varint(m->head, in->n_rows);
	for (uint32_t c = 0; c < in->n_cols; c++) {
		ep_buf_add_char(m->head, m->of[c] == c ? OWN : MULTIPLE);
		if (m->of[c] == c)
			continue;
		ep_put_varint(m->head, m->of[c]);
		ep_put_varint(m->head, m->times[c]);
	}
	for (uint32_t i = 0; i < n; i++) {
		if (ep_buf_failed(&m->sections[i]))
			return ep_fail(err, -ENOMEM, 0, "no memory to make a block");
		EP_TRY(put_section(m, &m->sections[i], i < n_sums ? m->sums : m->minutes, err));
	}
	if (!ep_buf_failed(m->head))
		ep_put_u32(m->head, ep_crc32c(0, m->head->data + start, m->head->len - start));
	bool failed = ep_buf_failed(m->head) || ep_buf_failed(m->sums) || ep_buf_failed(m->minutes);
	return failed ? ep_fail(err, -ENOMEM, 0, "no memory to make a block") : 0;
}

static int make(struct making *m, struct ep_err *err)
{
	size_t n = (size_t)m->in->n_rows + 1;
	struct ep_rowkey *keys ep_auto_mem = ep_alloc(n * sizeof(*keys));
	struct ep_rowkey *spare ep_auto_mem = ep_alloc(n * sizeof(*spare));
	if (!keys || !spare)
		return ep_fail(err, -ENOMEM, 0, "no memory to make a block");
	m->keys = keys;
	m->spare = spare;
	find_multiples(m);
	put_points(m);
	put_point_sets(m);
	EP_TRY(put_rows(m, err));
	return put_all(m, err);
}

int ep_block_encode(const struct ep_block_in *in, struct ep_zstd *z, struct ep_buf *head,
		    struct ep_buf *sums, struct ep_buf *minutes, struct ep_err *err)
{
	if (!in->n_cols || in->n_cols > EP_BLOCK_MAX_COLS || in->n_rows >= EP_BLOCK_MAX_ROWS ||
	    !in->n_points || in->n_points >= EP_BLOCK_MAX_POINTS)
		return ep_fail(err, -E2BIG, 0, "%u profiles, %u columns and %u rows in a block",
			       in->n_points, in->n_cols, in->n_rows);
	struct making *m ep_auto_mem = ep_zalloc(sizeof(*m));
	if (!m)
		return ep_fail(err, -ENOMEM, 0, "no memory to make a block");
	*m = (struct making){.in = in, .z = z, .head = head, .sums = sums, .minutes = minutes};
	for (size_t i = 0; i < EP_BLOCK_MAX_SECTIONS; i++)
		ep_buf_init(&m->sections[i], SIZE_MAX / 2);
	int rc = make(m, err);
	for (size_t i = 0; i < EP_BLOCK_MAX_SECTIONS; i++)
		ep_buf_fini(&m->sections[i]);
	return rc;
}
