/*
 * cfa_state.c - runs call frame programs.  See cfa_state.h; source: DWARF 5, 6.4.2.
 *
 * Keeps the rules of three things only: CFA, bp and return address.  All other
 * registers' instructions are read and passed over.
 */
#include "unwind/build/cfa_state.h"

#include "base/err.h"
#include "unwind/build/dwarf.h"
#include "unwind/regs.h"

/* Compilers nest one or two deep. */
enum { MAX_REMEMBERED = 16 };

struct run {
	const struct ep_cfa_state_cie *cie;
	struct ep_cursor c;
	struct ep_cfa_state now;
	struct ep_cfa_state remembered[MAX_REMEMBERED];
	unsigned n_remembered;
	uint64_t pc, limit;
	ep_cfa_state_row_fn *row;
	void *arg;
};

void ep_cfa_state_init(struct ep_cfa_state *s)
{
	*s = (struct ep_cfa_state){.cfa_reg = UINT32_MAX, .ra = EP_CFA_STATE_RA_OTHER};
}

static uint8_t kind_of(enum ep_cfa cfa, uint8_t bp)
{
	return (uint8_t)(cfa | bp << 4);
}

static struct ep_rule unsupported(void)
{
	return (struct ep_rule){.kind = kind_of(EP_CFA_UNSUPPORTED, EP_BP_LOST)};
}

static struct ep_rule cfa_rule(const struct ep_cfa_state *s)
{
	if (s->cfa_is_expr)
		return s->expr;
	enum ep_cfa cfa = s->cfa_reg == EP_REGS_DW_SP	? EP_CFA_SP
			  : s->cfa_reg == EP_REGS_DW_BP ? EP_CFA_BP
							: EP_CFA_UNSUPPORTED;
	if (s->cfa_off != (int32_t)s->cfa_off)
		cfa = EP_CFA_UNSUPPORTED;
	return (struct ep_rule){.kind = cfa, .cfa_off = (int32_t)s->cfa_off};
}

/* The state as a rule of the table. */
static struct ep_rule rule_of(const struct run *r)
{
	const struct ep_cfa_state *s = &r->now;
	struct ep_rule rule = cfa_rule(s);
	enum ep_cfa cfa = ep_table_cfa(&rule);
	if (r->cie->is_signal)
		return cfa == EP_CFA_SP_DEREF && rule.cfa_off == EP_REGS_SIGNAL_SP_OFF
			       ? (struct ep_rule){.kind = EP_CFA_SIGNAL,
						  .cfa_off = rule.cfa_off}
			       : unsupported();
	if (s->ra == EP_CFA_STATE_RA_END)
		return (struct ep_rule){.kind = EP_CFA_END};
	if (cfa == EP_CFA_UNSUPPORTED || s->ra != EP_CFA_STATE_RA_PUSHED)
		return unsupported();
	uint8_t bp = s->bp;
	if (bp == EP_BP_CFA || bp == EP_BP_BP) {
		if (s->bp_off == (int16_t)s->bp_off)
			rule.bp_off = (int16_t)s->bp_off;
		else
			bp = EP_BP_LOST;
	}
	rule.kind = kind_of(cfa, bp);
	return rule;
}

static int emit(struct run *r)
{
	return r->row && r->pc < r->limit ? r->row(r->arg, r->pc, rule_of(r)) : 0;
}

static int advance(struct run *r, uint64_t delta)
{
	EP_TRY(emit(r));
	uint64_t bytes;
	if (__builtin_mul_overflow(delta, r->cie->code_align, &bytes) ||
	    bytes > r->limit - r->pc)
		bytes = r->limit - r->pc;
	r->pc += bytes;
	return 0;
}

static void set_offset(struct run *r, uint64_t reg, int64_t factored)
{
	int64_t off;
	bool overflow = __builtin_mul_overflow(factored, r->cie->data_align, &off);
	if (reg == EP_REGS_DW_BP) {
		r->now.bp = overflow ? EP_BP_LOST : EP_BP_CFA;
		r->now.bp_off = overflow ? 0 : off;
	} else if (reg == r->cie->ra_reg) {
		r->now.ra = !overflow && off == EP_REGS_RA_OFF ? EP_CFA_STATE_RA_PUSHED
							       : EP_CFA_STATE_RA_OTHER;
	}
}

static void set_restored(struct run *r, uint64_t reg)
{
	const struct ep_cfa_state *first = &r->cie->initial;
	if (reg == EP_REGS_DW_BP) {
		r->now.bp = first->bp;
		r->now.bp_off = first->bp_off;
	} else if (reg == r->cie->ra_reg) {
		r->now.ra = first->ra;
	}
}

static void set_lost(struct run *r, uint64_t reg)
{
	if (reg == EP_REGS_DW_BP)
		r->now.bp = EP_BP_LOST;
	else if (reg == r->cie->ra_reg)
		r->now.ra = EP_CFA_STATE_RA_OTHER;
}

static void set_undefined(struct run *r, uint64_t reg)
{
	set_lost(r, reg);
	if (reg == r->cie->ra_reg)
		r->now.ra = EP_CFA_STATE_RA_END;
}

static void set_same(struct run *r, uint64_t reg)
{
	set_lost(r, reg);
	if (reg == EP_REGS_DW_BP)
		r->now.bp = EP_BP_SAME;
}

static void set_cfa(struct run *r, uint64_t reg, int64_t off)
{
	r->now.cfa_is_expr = false;
	r->now.cfa_reg = reg > UINT32_MAX ? UINT32_MAX : (uint32_t)reg;
	r->now.cfa_off = off;
}

static int64_t factored(const struct run *r, int64_t n)
{
	int64_t off;
	return __builtin_mul_overflow(n, r->cie->data_align, &off) ? INT64_MAX : off;
}

/* sp + 8, and 8 more behind the push of a procedure linkage entry:
 * breg7 8; breg16 0; lit15; and; litN; ge; lit3; shl; plus */
static bool is_plt(const uint8_t *p, size_t n, struct ep_rule *ret)
{
	static const uint8_t head[] = {EP_DW_OP_breg0 + 7,  8,
				       EP_DW_OP_breg0 + 16, 0,
				       EP_DW_OP_lit0 + 15,  EP_DW_OP_and};
	static const uint8_t tail[] = {EP_DW_OP_ge, EP_DW_OP_lit0 + 3, EP_DW_OP_shl,
				       EP_DW_OP_plus};
	const size_t at = sizeof(head);
	if (n != at + 1 + sizeof(tail) || memcmp(p, head, at) ||
	    memcmp(p + at + 1, tail, sizeof(tail)))
		return false;
	if (p[at] < EP_DW_OP_lit0 || p[at] > EP_DW_OP_lit0 + 15)
		return false;
	*ret = (struct ep_rule){.kind = EP_CFA_PLT,
				.cfa_off = 8,
				.arg = (int8_t)(p[at] - EP_DW_OP_lit0)};
	return true;
}

/* breg6|7 off [; deref [; plus_uconst n | litN; plus]] */
static bool is_deref(struct ep_cursor c, struct ep_rule *ret)
{
	uint64_t reg = ep_cursor_uint(&c, 1) - EP_DW_OP_breg0;
	int64_t off = ep_cursor_sleb(&c);
	if (c.bad || (reg != EP_REGS_DW_SP && reg != EP_REGS_DW_BP) ||
	    off != (int32_t)off)
		return false;
	bool sp = reg == EP_REGS_DW_SP;
	*ret = (struct ep_rule){.kind = sp ? EP_CFA_SP : EP_CFA_BP,
				.cfa_off = (int32_t)off};
	if (!ep_cursor_left(&c))
		return true;
	if (ep_cursor_uint(&c, 1) != EP_DW_OP_deref)
		return false;
	ret->kind = sp ? EP_CFA_SP_DEREF : EP_CFA_BP_DEREF;
	if (!ep_cursor_left(&c))
		return true;
	uint64_t add = ep_cursor_uint(&c, 1);
	if (add == EP_DW_OP_plus_uconst)
		add = ep_cursor_uleb(&c);
	else if (add < EP_DW_OP_lit0 || add > EP_DW_OP_lit0 + 31 ||
		 ep_cursor_uint(&c, 1) != EP_DW_OP_plus)
		return false;
	else
		add -= EP_DW_OP_lit0;
	if (c.bad || ep_cursor_left(&c) || add % 8 || add > 8 * INT8_MAX)
		return false;
	ret->arg = (int8_t)(add / 8);
	return true;
}

static struct ep_cursor block(struct run *r)
{
	uint64_t n = ep_cursor_uleb(&r->c);
	const uint8_t *p = ep_cursor_bytes(&r->c, n);
	return (struct ep_cursor){.p = p, .end = p ? p + n : NULL, .bad = !p};
}

static void set_cfa_expression(struct run *r)
{
	struct ep_cursor e = block(r);
	r->now.cfa_is_expr = true;
	if (e.bad || (!is_plt(e.p, ep_cursor_left(&e), &r->now.expr) &&
		      !is_deref(e, &r->now.expr)))
		r->now.expr = unsupported();
}

/* A register saved at an address: we know bp at bp + off (realigned stacks). */
static void set_expression(struct run *r)
{
	uint64_t reg = ep_cursor_uleb(&r->c);
	struct ep_cursor e = block(r);
	struct ep_rule at;
	set_lost(r, reg);
	if (reg == EP_REGS_DW_BP && !e.bad && is_deref(e, &at) &&
	    ep_table_cfa(&at) == EP_CFA_BP) {
		r->now.bp = EP_BP_BP;
		r->now.bp_off = at.cfa_off;
	}
}

static int remember(struct run *r)
{
	if (r->n_remembered == MAX_REMEMBERED)
		return -EBADMSG;
	r->remembered[r->n_remembered++] = r->now;
	return 0;
}

static int restore(struct run *r)
{
	if (!r->n_remembered)
		return -EBADMSG;
	r->now = r->remembered[--r->n_remembered];
	return 0;
}

/* Instructions about the place and the CFA. */
static int run_rest(struct run *r, uint8_t op)
{
	struct ep_cursor *c = &r->c;
	uint64_t reg;
	switch (op) {
	case EP_DW_CFA_nop:
		return 0;
	case EP_DW_CFA_advance_loc1:
		return advance(r, ep_cursor_uint(c, 1));
	case EP_DW_CFA_advance_loc2:
		return advance(r, ep_cursor_uint(c, 2));
	case EP_DW_CFA_advance_loc4:
		return advance(r, ep_cursor_uint(c, 4));
	case EP_DW_CFA_remember_state:
		return remember(r);
	case EP_DW_CFA_restore_state:
		return restore(r);
	case EP_DW_CFA_def_cfa:
		reg = ep_cursor_uleb(c);
		set_cfa(r, reg, (int64_t)ep_cursor_uleb(c));
		return 0;
	case EP_DW_CFA_def_cfa_sf:
		reg = ep_cursor_uleb(c);
		set_cfa(r, reg, factored(r, ep_cursor_sleb(c)));
		return 0;
	case EP_DW_CFA_def_cfa_register:
		set_cfa(r, ep_cursor_uleb(c), r->now.cfa_off);
		return 0;
	case EP_DW_CFA_def_cfa_offset:
		set_cfa(r, r->now.cfa_reg, (int64_t)ep_cursor_uleb(c));
		return 0;
	case EP_DW_CFA_def_cfa_offset_sf:
		set_cfa(r, r->now.cfa_reg, factored(r, ep_cursor_sleb(c)));
		return 0;
	case EP_DW_CFA_def_cfa_expression:
		set_cfa_expression(r);
		return 0;
	case EP_DW_CFA_GNU_args_size:
		(void)ep_cursor_uleb(c);
		return 0;
	default:
		/* DW_CFA_set_loc too: no compiler writes it into .eh_frame. */
		return -EBADMSG;
	}
}

/* Instructions about one register. */
static int run_register(struct run *r, uint8_t op)
{
	struct ep_cursor *c = &r->c;
	uint64_t reg;
	switch (op) {
	case EP_DW_CFA_offset_extended:
		reg = ep_cursor_uleb(c);
		set_offset(r, reg, (int64_t)ep_cursor_uleb(c));
		return 0;
	case EP_DW_CFA_offset_extended_sf:
		reg = ep_cursor_uleb(c);
		set_offset(r, reg, ep_cursor_sleb(c));
		return 0;
	case EP_DW_CFA_GNU_negative_offset_extended:
		reg = ep_cursor_uleb(c);
		set_offset(r, reg, (int64_t)(0 - ep_cursor_uleb(c)));
		return 0;
	case EP_DW_CFA_restore_extended:
		set_restored(r, ep_cursor_uleb(c));
		return 0;
	case EP_DW_CFA_undefined:
		set_undefined(r, ep_cursor_uleb(c));
		return 0;
	case EP_DW_CFA_same_value:
		set_same(r, ep_cursor_uleb(c));
		return 0;
	case EP_DW_CFA_register:
	case EP_DW_CFA_val_offset:
	case EP_DW_CFA_val_offset_sf:
		reg = ep_cursor_uleb(c);
		(void)ep_cursor_uleb(c); /* signed or not: the same bytes */
		set_lost(r, reg);
		return 0;
	case EP_DW_CFA_expression:
		set_expression(r);
		return 0;
	case EP_DW_CFA_val_expression:
		set_lost(r, ep_cursor_uleb(c));
		(void)block(r); /* read past it */
		return 0;
	default:
		return run_rest(r, op);
	}
}

static int run_one(struct run *r)
{
	uint8_t op = (uint8_t)ep_cursor_uint(&r->c, 1), low = op & 0x3f;
	switch (op & 0xc0) {
	case EP_DW_CFA_advance_loc:
		return advance(r, low);
	case EP_DW_CFA_offset:
		set_offset(r, low, (int64_t)ep_cursor_uleb(&r->c));
		return 0;
	case EP_DW_CFA_restore:
		set_restored(r, low);
		return 0;
	default:
		return run_register(r, op);
	}
}

int ep_cfa_state_run(const struct ep_cfa_state_cie *cie, struct ep_cursor program,
		     uint64_t pc, uint64_t limit, ep_cfa_state_row_fn *row, void *arg,
		     struct ep_cfa_state *ret_final)
{
	struct run r = {.cie = cie,
			.c = program,
			.now = cie->initial,
			.pc = pc,
			.limit = limit,
			.row = row,
			.arg = arg};
	while (ep_cursor_left(&r.c)) {
		int rc = run_one(&r);
		if (rc == 0 && r.c.bad)
			rc = -EBADMSG;
		if (rc == -EBADMSG && row && r.pc < limit)
			EP_TRY(row(arg, r.pc, unsupported()));
		EP_TRY(rc);
	}
	EP_TRY(emit(&r));
	if (ret_final)
		*ret_final = r.now;
	return 0;
}
