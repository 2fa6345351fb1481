/*
 * cfa_rows.h - collects rows in rising order and writes the table.
 */
#ifndef EP_UNWIND_BUILD_CFA_ROWS_H
#define EP_UNWIND_BUILD_CFA_ROWS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/index.h"
#include "unwind/table.h"

struct ep_cfa_row {
	uint32_t off; /* from start */
	uint32_t rule;
};

/* All zero is a valid empty object. */
struct ep_cfa_rows {
	uint64_t start, limit; /* virtual addresses; limit: end of the last function */
	struct ep_cfa_row *rows; /* owned */
	size_t n, cap;
	struct ep_rule *rules; /* owned; [0] is EP_CFA_NONE */
	size_t n_rules, cap_rules;
	struct ep_index by_rule;
	uint32_t n_functions, n_unsupported;
};

void ep_cfa_rows_fini(struct ep_cfa_rows *r);

/*
 * ep_cfa_rows_begin - a function [pc, limit) follows; not below the last one's limit.
 *
 * A gap to the last function that is wider than padding gets a row of its own,
 * "nothing is known", so that code without rows is told apart.
 * errors   -E2BIG, -ENOMEM
 */
int ep_cfa_rows_begin(struct ep_cfa_rows *r, uint64_t pc, uint64_t limit);
/* From pc on, this rule; pc inside the function and not falling. */
int ep_cfa_rows_add(struct ep_cfa_rows *r, uint64_t pc, struct ep_rule rule);

/*
 * ep_cfa_rows_write - append the table.
 *
 * in       build_id  hex, or NULL
 *          image     as in the table
 * errors   -ENOENT   no rows at all; -E2BIG; -ENOMEM
 */
int ep_cfa_rows_write(const struct ep_cfa_rows *r, const char *build_id, uint64_t image,
		      struct ep_buf *out, struct ep_err *err);

#endif
