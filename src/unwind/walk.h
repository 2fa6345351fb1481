/*
 * walk.h - the whole stack of an interrupted thread.
 *
 * By the rows of each module, and by the frame pointer where there are none.
 * Header-only, signal-safe, calls nothing; every loop is bounded by the room
 * for frames.
 */
#ifndef EP_UNWIND_WALK_H
#define EP_UNWIND_WALK_H

#include "unwind/fp.h"
#include "unwind/memo.h"
#include "unwind/modules.h"
#include "unwind/step.h"

/* Where a walk is. */
struct ep_walk_at {
	struct ep_regs r;
	uint64_t pc;		   /* of this frame: r.ip, or inside the call before it */
	const struct ep_module *m; /* of the last frame that was looked up */
	const struct ep_rule *rule;
	bool exact; /* r.ip is an interrupted instruction, not a return address */
	bool by_fp; /* this frame was found by frame pointer */
};

/* What is rarely needed is kept out of line: in a handler the code itself is cold, and
 * each of its cache lines is waited for. */
#define EP_WALK_RARE static __attribute__((noinline, unused))

/* The rule at pc by the table of its module; false when it is no code at all. */
EP_WALK_RARE bool ep_walk_look_up(struct ep_walk_at *at, const struct ep_modules *ms,
				  struct ep_memo *memo)
{
	const struct ep_module *m = at->m;
	struct ep_memo_range range;
	if (!m || at->pc < m->start || at->pc >= m->limit)
		m = at->m = ep_modules_find(ms, at->pc);
	if (!m)
		return false;
	if (m->table)
		at->rule = ep_table_find_range(m->table, at->pc - m->bias, &range.from,
					       &range.to);
	if (!memo || !at->rule)
		return true;
	range.from += m->bias;
	range.to += m->bias;
	range.from = range.from > m->start ? range.from : m->start;
	range.to = range.to < m->limit ? range.to : m->limit;
	range.rule = *at->rule;
	ep_memo_add_range(memo, &range);
	return true;
}

/* The rule at pc, by the memo if it has it. */
static inline __attribute__((always_inline)) bool
ep_walk_find(struct ep_walk_at *at, const struct ep_modules *ms, struct ep_memo_walk *w)
{
	if (!w)
		return ep_walk_look_up(at, ms, NULL);
	uint64_t key = ep_memo_key(at->pc, at->r.sp);
	at->rule = key ? ep_memo_find(w, key) : NULL;
	if (!at->rule)
		at->rule = ep_memo_find_range(w->memo, at->pc);
	if (!at->rule && !ep_walk_look_up(at, ms, w->memo))
		return false;
	if (at->rule)
		ep_memo_add(w, key, at->rule);
	return true;
}

/* One frame up. */
EP_WALK_RARE enum ep_step ep_walk_step(struct ep_walk_at *at, const struct ep_stack *s)
{
	enum ep_step why = at->rule ? ep_step_rule(at->rule, s, &at->r, &at->exact)
				    : EP_STEP_NO_TABLE;
	if (why != EP_STEP_NO_TABLE) {
		at->by_fp = false;
		return why;
	}
	why = ep_fp_step(s, &at->r);
	/* A zero bp marks the outermost frame only where frame pointers were in use
	 * already; elsewhere it is any number. */
	if (why == EP_STEP_END && !at->by_fp)
		return EP_STEP_NO_TABLE;
	if (why == EP_STEP_BAD_CFA || why == EP_STEP_OUTSIDE)
		return EP_STEP_NO_TABLE;
	at->by_fp = true;
	at->exact = false;
	return why;
}

/*
 * As many frames as are the same as last time and of the common kinds: what
 * ep_walk_step() and ep_walk_look_up() would do, in a loop of a few cache lines.
 * Where anything differs it stops, and they go on.
 */
static inline __attribute__((always_inline)) uint32_t
ep_walk_run(struct ep_walk_at *at, struct ep_memo_walk *memo, const struct ep_stack *s,
	    uint64_t *pcs, uint32_t room)
{
	const struct ep_memo_row *old = memo->old;
	struct ep_memo_row *new = memo->new;
	struct ep_regs r = at->r;
	const struct ep_rule *rule = at->rule;
	const uint64_t ra_off = (uint64_t)(int64_t)EP_REGS_RA_OFF;
	uint32_t n = 0;
	while (n < room && old < memo->old_end && new < memo->new_end) {
		enum ep_cfa by = ep_table_cfa(rule);
		uint64_t cfa = (by == EP_CFA_SP ? r.sp : r.bp) + (uint64_t)(int64_t)rule->cfa_off;
		uint64_t bp = r.bp, ip;
		if ((by != EP_CFA_SP && by != EP_CFA_BP) || cfa <= r.sp ||
		    !ep_step_load(s, cfa + ra_off, &ip))
			break;
		if (ep_table_bp(rule) != EP_BP_SAME) {
			uint64_t saved = cfa + (uint64_t)(int64_t)rule->bp_off;
			if (ep_table_bp(rule) != EP_BP_CFA || saved < r.sp ||
			    !ep_step_load(s, saved, &bp))
				break;
		}
		if (old->key != ep_memo_key(ip - 1, cfa))
			break;
		rule = &old->rule;
		r = (struct ep_regs){.ip = ip, .sp = cfa, .bp = bp};
		pcs[n++] = ip - 1;
		*new++ = *old++;
	}
	if (n) {
		*at = (struct ep_walk_at){
			.r = r, .pc = r.ip - 1, .m = at->m, .rule = rule};
		memo->old = old;
		memo->new = new;
	}
	return n;
}

/* ep_walk(), with the rules of the last walk at hand; memo may be NULL. */
static inline __attribute__((always_inline)) uint32_t
ep_walk_with(struct ep_memo_walk *memo, const struct ep_modules *ms,
	     const struct ep_regs *regs, const struct ep_stack *s, uint64_t *ret_pcs,
	     uint32_t max, enum ep_step *ret_why)
{
	struct ep_walk_at at = {.r = *regs, .pc = regs->ip, .exact = true};
	enum ep_step why;
	uint32_t n = 0;
	for (;;) {
		/* A leaf in unknown code may still have a frame pointer. */
		if (!ep_walk_find(&at, ms, memo) && n) {
			why = EP_STEP_NOT_CODE;
			break;
		}
		if (n == max) {
			why = EP_STEP_FULL;
			break;
		}
		ret_pcs[n++] = at.pc;
		if (memo && at.rule)
			n += ep_walk_run(&at, memo, s, ret_pcs + n, max - n);
		why = at.rule && ep_table_cfa(at.rule) == EP_CFA_END ? EP_STEP_END
								     : ep_walk_step(&at, s);
		if (why != EP_STEP_OK)
			break;
		at.pc = at.r.ip - !at.exact;
	}
	*ret_why = why;
	return n;
}

/*
 * ep_walk - the stack, leaf first.
 *
 * in       ms         the snapshot
 *          regs       of the interrupted instruction
 *          s          the thread's stack, or as much of it as is known
 *          max        room in ret_pcs, at least 1
 * out      ret_pcs    as profiles want them: the leaf and what a signal
 *                     interrupted exactly, callers as return address - 1
 *          ret_why    why the walk ended: EP_STEP_END is a whole stack
 * returns  the number of frames, at least 1
 */
static inline uint32_t ep_walk(const struct ep_modules *ms, const struct ep_regs *regs,
			       const struct ep_stack *s, uint64_t *ret_pcs,
			       uint32_t max, enum ep_step *ret_why)
{
	return ep_walk_with(NULL, ms, regs, s, ret_pcs, max, ret_why);
}

#endif
