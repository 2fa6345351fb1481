/*
 * blob.c - rows to bytes and back.  Layout: docs/formats/head.md, "profile blob".
 *
 * The label sets with their sums come first and plain, so that a question about
 * labels, or one whose labels do not match, never unpacks the rows.
 */
#include "codec/crc32c.h"
#include "codec/zstd.h"
#include "store/bytes.h"
#include "store/rows.h"

#include <string.h>

enum {
	VERSION = 1,
	SECTION_PLAIN = 0,
	SECTION_ZSTD = 1,
	COLUMN_VALUES = 0,
	COLUMN_MULTIPLE = 1, /* of an earlier column */
	SMALLEST_TO_PACK = 64,
	MAX_ROWS = 1 << 26,
	MAX_COLUMNS = 256,
};

/* --- out ------------------------------------------------------------------------ */

static int put_section(struct ep_buf *out, const struct ep_buf *raw, struct ep_zstd *z,
		       struct ep_err *err)
{
	ep_auto_buf packed;
	ep_buf_init(&packed, SIZE_MAX / 2);
	if (raw->len >= SMALLEST_TO_PACK)
		EP_TRY(ep_zstd_pack_with(z, raw->data, raw->len, &packed, err));
	bool use = packed.len && packed.len < raw->len;
	ep_buf_add_char(out, use ? SECTION_ZSTD : SECTION_PLAIN);
	ep_put_varint(out, raw->len);
	if (use)
		ep_put_varint(out, packed.len);
	ep_buf_add(out, use ? packed.data : raw->data, use ? packed.len : raw->len);
	return 0;
}

/* The rows from i on that share its set. */
static uint32_t run_of(const struct ep_rows *r, uint32_t i)
{
	uint32_t k = i;
	while (k < r->n && r->sets[k] == r->sets[i])
		k++;
	return k - i;
}

static int put_set(struct ep_buf *out, const struct ep_rows *r, uint32_t first, uint32_t n,
		   struct ep_err *err)
{
	ep_put_varint(out, first ? r->sets[first] - r->sets[first - 1] : r->sets[first]);
	ep_put_varint(out, n);
	for (uint32_t c = 0; c < r->n_cols; c++) {
		int64_t sum = 0;
		for (uint32_t i = first; i < first + n; i++)
			if (__builtin_add_overflow(sum, r->values[(size_t)i * r->n_cols + c], &sum))
				return ep_fail(err, -E2BIG, 0, "the values of a profile add up to over 2^63");
		ep_put_varint(out, (uint64_t)sum);
	}
	return 0;
}

static void put_stacks(struct ep_buf *out, const struct ep_rows *r)
{
	for (uint32_t i = 0; i < r->n; i++) {
		bool starts = !i || r->sets[i] != r->sets[i - 1];
		ep_put_varint(out, starts ? r->stacks[i] : r->stacks[i] - r->stacks[i - 1]);
	}
}

/* Is column c a constant multiple of column b?  (CPU time and samples are.) */
static uint64_t multiple_of(const struct ep_rows *r, uint32_t c, uint32_t b)
{
	uint64_t k = 0;
	for (uint32_t i = 0; i < r->n; i++) {
		uint64_t x = (uint64_t)r->values[(size_t)i * r->n_cols + b];
		uint64_t y = (uint64_t)r->values[(size_t)i * r->n_cols + c], xk;
		if (!k && x)
			k = y / x;
		if (!k || __builtin_mul_overflow(x, k, &xk) || xk != y)
			return 0;
	}
	return k;
}

static int put_column(struct ep_buf *out, const struct ep_rows *r, uint32_t c, struct ep_zstd *z,
		      struct ep_err *err)
{
	for (uint32_t b = 0; b < c; b++) {
		uint64_t k = multiple_of(r, c, b);
		if (!k)
			continue;
		ep_buf_add_char(out, COLUMN_MULTIPLE);
		ep_put_varint(out, b);
		ep_put_varint(out, k);
		return 0;
	}
	ep_auto_buf raw;
	ep_buf_init(&raw, SIZE_MAX / 2);
	for (uint32_t i = 0; i < r->n; i++)
		ep_put_varint(&raw, (uint64_t)r->values[(size_t)i * r->n_cols + c]);
	if (ep_buf_failed(&raw))
		return ep_fail(err, raw.failed, 0, "no memory for a profile's column");
	ep_buf_add_char(out, COLUMN_VALUES);
	return put_section(out, &raw, z, err);
}

int ep_blob_encode(const struct ep_rows *r, struct ep_zstd *z, struct ep_buf *out,
		   struct ep_err *err)
{
	ep_auto_buf raw;
	ep_buf_init(&raw, SIZE_MAX / 2);
	size_t start = out->len;
	if (r->n >= MAX_ROWS) /* or it could not be read */
		return ep_fail(err, -E2BIG, 0, "%u stacks in a profile, the limit is %d", r->n,
			       MAX_ROWS - 1);
	uint32_t n_sets = 0;
	for (uint32_t i = 0; i < r->n; i += run_of(r, i))
		n_sets++;
	ep_buf_add_char(out, VERSION);
	ep_put_varint(out, r->meta);
	ep_put_varint(out, r->n_cols);
	ep_put_varint(out, n_sets);
	ep_put_varint(out, r->n);
	for (uint32_t i = 0, n; i < r->n; i += n)
		EP_TRY(put_set(out, r, i, n = run_of(r, i), err));
	put_stacks(&raw, r);
	if (ep_buf_failed(&raw))
		return ep_fail(err, raw.failed, 0, "no memory for a profile's stacks");
	EP_TRY(put_section(out, &raw, z, err));
	for (uint32_t c = 0; c < r->n_cols; c++)
		EP_TRY(put_column(out, r, c, z, err));
	if (!ep_buf_failed(out))
		ep_put_u32(out, ep_crc32c(0, out->data + start, out->len - start));
	if (ep_buf_failed(out))
		return ep_fail(err, out->failed, 0, "no memory for a profile's blob");
	return 0;
}

/* --- in ------------------------------------------------------------------------- */

int ep_blob_init(struct ep_blob *b)
{
	memset(b, 0, sizeof(*b));
	b->z = ep_zstd_new();
	return b->z ? 0 : -ENOMEM;
}

void ep_blob_fini(struct ep_blob *b)
{
	ep_zstd_free(b->z);
	ep_free(b->sets);
	ep_free(b->set_sums);
	ep_free(b->stacks);
	ep_free(b->values);
	ep_free(b->raw);
	memset(b, 0, sizeof(*b));
}

static bool room(void *pp, size_t *cap, size_t n, size_t elem_bytes)
{
	void **p = (void **)pp;
	if (n + 1 <= *cap)
		return true;
	void *q = ep_realloc(*p, (n + 1) * elem_bytes);
	if (!q)
		return false;
	*p = q;
	*cap = n + 1;
	return true;
}

int ep_blob_room(struct ep_blob *b, uint32_t n_sets, uint32_t n_cols, uint32_t n_rows)
{
	b->n_sets = n_sets;
	b->n_cols = n_cols;
	b->n_rows = n_rows;
	bool ok = room(&b->sets, &b->cap_sets, n_sets, sizeof(*b->sets)) &&
		  room(&b->set_sums, &b->cap_sums, (size_t)n_sets * n_cols, sizeof(*b->set_sums)) &&
		  room(&b->stacks, &b->cap_stacks, n_rows, sizeof(*b->stacks)) &&
		  room(&b->values, &b->cap_values, n_rows, sizeof(*b->values));
	return ok ? 0 : -ENOMEM;
}

static int malformed(struct ep_err *err, const char *what)
{
	return ep_fail(err, -EBADMSG, 0, "profile blob: %s", what);
}

static int get_sets(struct ep_blob *b, struct ep_cursor *c, struct ep_err *err)
{
	uint64_t id = 0, row = 0;
	for (uint32_t i = 0; i < b->n_sets && !c->bad; i++) {
		id += ep_get_below(c, UINT32_MAX);
		uint32_t n = ep_get_below(c, MAX_ROWS);
		if (id >= UINT32_MAX)
			return malformed(err, "a label set's number is out of range");
		b->sets[i] = (struct ep_blob_set){(uint32_t)id, (uint32_t)row, n};
		row += n;
		for (uint32_t k = 0; k < b->n_cols; k++)
			b->set_sums[(size_t)i * b->n_cols + k] = (int64_t)ep_get_varint(c);
	}
	if (c->bad || row != b->n_rows)
		return malformed(err, "its label sets are inconsistent");
	return 0;
}

int ep_blob_open(struct ep_blob *b, const void *p, size_t n, struct ep_err *err)
{
	if (n < 5)
		return malformed(err, "too short");
	if (ep_crc32c(0, p, n - 4) != ep_load_u32((const uint8_t *)p + n - 4))
		return malformed(err, "wrong checksum");
	b->bytes = (struct ep_slice){p, n - 4};
	struct ep_cursor c = ep_cursor_of(p, n - 4);
	uint8_t version = ep_get_u8(&c);
	if (version != VERSION)
		return ep_fail(err, -ENOTSUP, 0, "profile blob of version %u, %d is known",
			       version, VERSION);
	b->meta = ep_get_below(&c, UINT32_MAX);
	b->n_cols = ep_get_below(&c, MAX_COLUMNS + 1);
	b->n_sets = ep_get_below(&c, ep_cursor_left(&c) + 1);
	b->n_rows = ep_get_below(&c, MAX_ROWS);
	if (c.bad)
		return malformed(err, "its head is inconsistent");
	if (!room(&b->sets, &b->cap_sets, b->n_sets, sizeof(*b->sets)) ||
	    !room(&b->set_sums, &b->cap_sums, (size_t)b->n_sets * b->n_cols, sizeof(*b->set_sums)))
		return ep_fail(err, -ENOMEM, 0, "no memory for a profile's label sets");
	EP_TRY(get_sets(b, &c, err));
	b->sections_at = n - 4 - ep_cursor_left(&c);
	return 0;
}

/* The bytes of a section: unpacked into b->raw, or in place. */
static int get_section(struct ep_blob *b, struct ep_cursor *c, bool wanted,
		       struct ep_cursor *ret_raw, struct ep_err *err)
{
	uint8_t codec = ep_get_u8(c);
	uint64_t raw_len = ep_get_varint(c);
	uint64_t len = codec == SECTION_ZSTD ? ep_get_varint(c) : raw_len;
	if (c->bad || codec > SECTION_ZSTD || len > ep_cursor_left(c) ||
	    raw_len > (uint64_t)b->n_rows * 10)
		return malformed(err, "a section is inconsistent");
	const uint8_t *p = c->p;
	c->p += len;
	if (!wanted)
		return 0;
	if (codec == SECTION_PLAIN) {
		*ret_raw = ep_cursor_of(p, len);
		return 0;
	}
	if (!room(&b->raw, &b->cap_raw, raw_len, 1))
		return ep_fail(err, -ENOMEM, 0, "no memory for a profile's section");
	EP_TRY(ep_zstd_unpack_with(b->z, p, len, b->raw, raw_len, err));
	*ret_raw = ep_cursor_of(b->raw, raw_len);
	return 0;
}

int ep_blob_read_stacks(struct ep_blob *b, struct ep_err *err)
{
	struct ep_cursor c = ep_cursor_of(b->bytes.p + b->sections_at, b->bytes.n - b->sections_at);
	struct ep_cursor raw = ep_cursor_of("", 0);
	EP_TRY(get_section(b, &c, true, &raw, err));
	if (!room(&b->stacks, &b->cap_stacks, b->n_rows, sizeof(*b->stacks)))
		return ep_fail(err, -ENOMEM, 0, "no memory for a profile's stacks");
	for (uint32_t s = 0; s < b->n_sets; s++) {
		uint64_t id = 0;
		for (uint32_t i = 0; i < b->sets[s].n_rows; i++) {
			id += ep_get_varint(&raw);
			b->stacks[b->sets[s].first_row + i] = (uint32_t)id;
		}
		if (id > UINT32_MAX)
			return malformed(err, "a stack's number is out of range");
	}
	return raw.bad || ep_cursor_left(&raw) ? malformed(err, "its stacks are inconsistent") : 0;
}

static int scale(struct ep_blob *b, uint64_t k, struct ep_err *err)
{
	for (uint32_t i = 0; i < b->n_rows; i++)
		if (__builtin_mul_overflow(b->values[i], k, &b->values[i]))
			return malformed(err, "a value is out of range");
	return 0;
}

int ep_blob_read_values(struct ep_blob *b, uint32_t col, struct ep_err *err)
{
	if (col >= b->n_cols)
		return malformed(err, "it has no such column");
	struct ep_cursor c = ep_cursor_of(b->bytes.p + b->sections_at, b->bytes.n - b->sections_at);
	struct ep_cursor raw = ep_cursor_of("", 0);
	EP_TRY(get_section(b, &c, false, &raw, err));
	for (uint32_t i = 0; i < col; i++) {
		if (ep_get_u8(&c) == COLUMN_VALUES) {
			EP_TRY(get_section(b, &c, false, &raw, err));
		} else {
			(void)ep_get_varint(&c); /* stepped over */
			(void)ep_get_varint(&c);
		}
	}
	if (ep_get_u8(&c) == COLUMN_MULTIPLE) {
		uint32_t of = ep_get_below(&c, col); /* an earlier one: no loop */
		uint64_t k = ep_get_varint(&c);
		if (c.bad)
			return malformed(err, "a column is inconsistent");
		EP_TRY(ep_blob_read_values(b, of, err));
		return scale(b, k, err);
	}
	EP_TRY(get_section(b, &c, true, &raw, err));
	if (!room(&b->values, &b->cap_values, b->n_rows, sizeof(*b->values)))
		return ep_fail(err, -ENOMEM, 0, "no memory for a profile's values");
	for (uint32_t i = 0; i < b->n_rows; i++)
		b->values[i] = (int64_t)ep_get_varint(&raw);
	return raw.bad || ep_cursor_left(&raw) ? malformed(err, "a column is inconsistent") : 0;
}
