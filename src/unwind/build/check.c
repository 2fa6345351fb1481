/*
 * check.c - validates an unwind table before anything trusts it.  See check.h.
 */
#include "unwind/build/check.h"

#include "base/hash.h"
#include "unwind/regs.h"

static int check_head(const struct ep_table *t, size_t n, struct ep_err *err)
{
	if (n < sizeof(*t))
		return ep_fail(err, -ENODATA, n, "an unwind table of %zu bytes", n);
	if (t->magic != EP_TABLE_MAGIC)
		return ep_fail(err, -EBADMSG, 0, "not an unwind table");
	if (t->version != EP_TABLE_VERSION)
		return ep_fail(err, -ENOTSUP, 8, "unwind table version %u", t->version);
	if (t->machine != EP_REGS_MACHINE)
		return ep_fail(err, -ENOTSUP, 12, "unwind table of machine %u",
			       t->machine);
	if (t->maker != EP_TABLE_MAKER)
		return ep_fail(err, -ENOTSUP, 68, "unwind table of maker %u", t->maker);
	if (t->n_bytes > n)
		return ep_fail(err, -ENODATA, n, "unwind table cut short");
	if (t->start >= t->limit || t->limit - t->start >= UINT32_MAX)
		return ep_fail(err, -EBADMSG, 0, "unwind table of an impossible range");
	if (t->shift < EP_TABLE_MIN_SHIFT || t->shift > EP_TABLE_MAX_SHIFT)
		return ep_fail(err, -EBADMSG, 14, "unwind table with shift %u",
			       t->shift);
	if (!t->n_rows || t->n_rows > EP_TABLE_MAX_ROWS || !t->n_rules ||
	    t->n_rules > EP_TABLE_MAX_RULES ||
	    t->n_blocks != ((t->limit - t->start - 1) >> t->shift) + 1)
		return ep_fail(err, -EBADMSG, 0, "unwind table with impossible counts");
	if (t->n_bytes != sizeof(*t) + 4 * ((uint64_t)t->n_blocks + 1) +
				  4 * (uint64_t)t->n_rows + 8 * (uint64_t)t->n_rules)
		return ep_fail(err, -EBADMSG, 16, "unwind table with a wrong size");
	if (t->build_id[EP_TABLE_BUILD_ID - 1])
		return ep_fail(err, -EBADMSG, 0,
			       "unwind table with an endless build ID");
	return 0;
}

static int check_sum(const struct ep_table *t, struct ep_err *err)
{
	uint64_t sum = ep_hash64_sealed(t, t->n_bytes, offsetof(struct ep_table, checksum));
	if (sum != t->checksum)
		return ep_fail(err, -EBADMSG, 24, "unwind table with a wrong checksum");
	return 0;
}

/* Blocks rise and cover the rows; rows rise inside a block; rules are there. */
static int check_rows(const struct ep_table *t, struct ep_err *err)
{
	const uint32_t *blocks = ep_table_blocks(t), *rows = ep_table_rows(t);
	if (blocks[0] != 0 || blocks[t->n_blocks] != t->n_rows || rows[0] >> 16)
		return ep_fail(err, -EBADMSG, 0,
			       "unwind table without a first or last row");
	for (uint32_t b = 0; b < t->n_blocks; b++) {
		/* Block 0 holds row 0, so that every address has a row before it. */
		if (blocks[b] > blocks[b + 1] || (b == 0 && blocks[1] == 0))
			return ep_fail(err, -EBADMSG, 0,
				       "unwind table with unsorted blocks");
		if (blocks[b + 1] > t->n_rows)
			return ep_fail(err, -EBADMSG, 0,
				       "unwind table with a wild block");
		for (uint32_t i = blocks[b] + 1; i < blocks[b + 1]; i++)
			if (rows[i - 1] >> 16 >= rows[i] >> 16)
				return ep_fail(err, -EBADMSG, i,
					       "unwind rows unsorted");
	}
	for (uint32_t i = 0; i < t->n_rows; i++)
		if ((rows[i] & 0xffff) >= t->n_rules)
			return ep_fail(err, -EBADMSG, i, "unwind row without a rule");
	return 0;
}

static int check_rules(const struct ep_table *t, struct ep_err *err)
{
	const struct ep_rule *rules = ep_table_rules(t);
	for (uint32_t i = 0; i < t->n_rules; i++)
		if (ep_table_cfa(&rules[i]) >= EP_CFA_N ||
		    ep_table_bp(&rules[i]) >= EP_BP_N)
			return ep_fail(err, -EBADMSG, i, "unknown unwind rule");
	return 0;
}

int ep_check_table(const void *data, size_t n, const struct ep_table **ret_t,
		   struct ep_err *err)
{
	const struct ep_table *t = data;
	if ((uintptr_t)data % 8)
		return ep_fail(err, -EINVAL, 0, "unwind table not aligned");
	EP_TRY(check_head(t, n, err));
	EP_TRY(check_sum(t, err));
	EP_TRY(check_rows(t, err));
	EP_TRY(check_rules(t, err));
	*ret_t = t;
	return 0;
}
