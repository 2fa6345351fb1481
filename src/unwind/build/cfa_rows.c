/*
 * cfa_rows.c - the collected rows of one file, and their table.  See cfa_rows.h.
 */
#include "unwind/build/cfa_rows.h"

#include "base/hash.h"
#include "base/mem.h"
#include "unwind/regs.h"

#include <string.h>

/* Functions start at multiples of 16, so less than that between two of them is
 * padding and can't hold a third. */
#define MAX_PADDING 15u
/* Rows a block on average, at most: what a look-up scans. */
#define ROWS_PER_BLOCK 6u

void ep_cfa_rows_fini(struct ep_cfa_rows *r)
{
	ep_free(r->rows);
	ep_free(r->rules);
	ep_index_fini(&r->by_rule);
	*r = (struct ep_cfa_rows){0};
}

static int grow(void **p, size_t *cap, size_t n, size_t size)
{
	if (n < *cap)
		return 0;
	size_t bigger = *cap ? *cap * 2 : 1024;
	void *moved = ep_realloc(*p, bigger * size);
	if (!moved)
		return -ENOMEM;
	*p = moved;
	*cap = bigger;
	return 0;
}

static uint64_t rule_bits(const struct ep_rule *rule)
{
	uint64_t bits;
	_Static_assert(sizeof(bits) == sizeof(*rule), "a rule is 8 bytes");
	memcpy(&bits, rule, sizeof(bits));
	return bits;
}

static int intern(struct ep_cfa_rows *r, struct ep_rule rule, uint32_t *ret_id)
{
	uint64_t bits = rule_bits(&rule), h = ep_hash_mix(0, bits);
	struct ep_index_iter it;
	for (uint32_t id = ep_index_first(&r->by_rule, h, &it); id != EP_INDEX_NONE;
	     id = ep_index_next(&r->by_rule, &it))
		if (rule_bits(&r->rules[id]) == bits) {
			*ret_id = id;
			return 0;
		}
	if (r->n_rules == EP_TABLE_MAX_RULES)
		return -E2BIG;
	void *rules = r->rules;
	EP_TRY(grow(&rules, &r->cap_rules, r->n_rules, sizeof(rule)));
	r->rules = rules;
	EP_TRY(ep_index_add(&r->by_rule, h, (uint32_t)r->n_rules));
	*ret_id = (uint32_t)r->n_rules;
	r->rules[r->n_rules++] = rule;
	return 0;
}

int ep_cfa_rows_add(struct ep_cfa_rows *r, uint64_t pc, struct ep_rule rule)
{
	uint32_t id;
	EP_TRY(intern(r, rule, &id));
	uint32_t off = (uint32_t)(pc - r->start);
	if (r->n && r->rows[r->n - 1].off == off)
		r->n--; /* an empty stretch: the later rule wins */
	if (r->n && r->rows[r->n - 1].rule == id)
		return 0;
	if (r->n == EP_TABLE_MAX_ROWS)
		return -E2BIG;
	void *rows = r->rows;
	EP_TRY(grow(&rows, &r->cap, r->n, sizeof(*r->rows)));
	r->rows = rows;
	r->rows[r->n++] = (struct ep_cfa_row){off, id};
	return 0;
}

int ep_cfa_rows_begin(struct ep_cfa_rows *r, uint64_t pc, uint64_t limit)
{
	if (!r->n_functions) {
		r->start = r->limit = pc;
		uint32_t none;
		EP_TRY(intern(r, (struct ep_rule){.kind = EP_CFA_NONE}, &none));
	}
	/* 32 bits of offset, the last kept free. */
	if (limit - r->start >= UINT32_MAX)
		return -E2BIG;
	if (pc - r->limit > MAX_PADDING)
		EP_TRY(ep_cfa_rows_add(r, r->limit,
				       (struct ep_rule){.kind = EP_CFA_NONE}));
	r->n_functions++;
	r->limit = limit;
	return 0;
}

/* Blocks as small as the rows are dense, but never more blocks than rows. */
static uint32_t choose_shift(const struct ep_cfa_rows *r)
{
	uint64_t span = r->limit - r->start;
	uint32_t shift = EP_TABLE_MIN_SHIFT;
	while (shift < EP_TABLE_MAX_SHIFT &&
	       ((span >> shift) + 1) * ROWS_PER_BLOCK > r->n + ROWS_PER_BLOCK)
		shift++;
	return shift;
}

static void write_blocks(const struct ep_cfa_rows *r, uint32_t shift, uint32_t n_blocks,
			 uint32_t *to)
{
	size_t row = 0;
	for (uint32_t b = 0; b <= n_blocks; b++) {
		while (row < r->n && r->rows[row].off >> shift < b)
			row++;
		to[b] = (uint32_t)row;
	}
}

static uint32_t count_unsupported(const struct ep_cfa_rows *r)
{
	uint32_t n = 0;
	for (size_t i = 0; i < r->n; i++)
		n += ep_table_cfa(&r->rules[r->rows[i].rule]) == EP_CFA_UNSUPPORTED;
	return n;
}

int ep_cfa_rows_write(const struct ep_cfa_rows *r, const char *build_id, uint64_t image,
		      struct ep_buf *out, struct ep_err *err)
{
	if (!r->n || r->limit <= r->start)
		return ep_fail(err, -ENOENT, 0, "no unwind rows");
	uint32_t shift = choose_shift(r);
	uint32_t n_blocks = (uint32_t)((r->limit - r->start - 1) >> shift) + 1;
	size_t n_bytes = sizeof(struct ep_table) + 4 * ((size_t)n_blocks + 1) +
			 4 * r->n + sizeof(struct ep_rule) * r->n_rules;
	uint8_t *to = ep_buf_reserve(out, n_bytes);
	if (!to)
		return ep_fail(err, ep_buf_failed(out), 0, "a table of %zu bytes",
			       n_bytes);
	/* The buffer may hold something else already, so nothing here is aligned:
	 * built apart, then copied. */
	struct ep_table *t = ep_zalloc(n_bytes);
	if (!t)
		return ep_fail(err, -ENOMEM, 0, "a table of %zu bytes", n_bytes);
	t->magic = EP_TABLE_MAGIC;
	t->version = EP_TABLE_VERSION;
	t->machine = EP_REGS_MACHINE;
	t->shift = (uint16_t)shift;
	t->n_bytes = n_bytes;
	t->start = r->start;
	t->limit = r->limit;
	t->n_blocks = n_blocks;
	t->n_rows = (uint32_t)r->n;
	t->n_rules = (uint32_t)r->n_rules;
	t->n_functions = r->n_functions;
	t->n_unsupported = count_unsupported(r);
	t->maker = EP_TABLE_MAKER;
	t->image = image;
	if (build_id)
		strncpy(t->build_id, build_id, sizeof(t->build_id) - 1);
	write_blocks(r, shift, n_blocks, (uint32_t *)(t + 1));
	uint32_t *rows = (uint32_t *)(t + 1) + n_blocks + 1;
	for (size_t i = 0; i < r->n; i++)
		rows[i] = r->rows[i].off << 16 | r->rows[i].rule;
	memcpy(rows + r->n, r->rules, sizeof(struct ep_rule) * r->n_rules);
	t->checksum = ep_hash64(t, n_bytes);
	memcpy(to, t, n_bytes);
	out->len += n_bytes;
	ep_free(t);
	return 0;
}
