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

enum { EP_WALK_RUN_BYTES = 448 }; /* of the code of ep_walk_run(), about */

/* A rule as one number, so that a loop has it in a register. */
static inline __attribute__((always_inline)) uint64_t ep_walk_word(const struct ep_rule *r)
{
	uint64_t word;
	_Static_assert(sizeof(*r) == sizeof(word), "one word");
	__builtin_memcpy(&word, r, sizeof(word));
	return word;
}

/* Where a rule of a common kind leads: CFA by sp or bp; bp the same, or saved below the CFA. */
static inline __attribute__((always_inline)) bool
ep_walk_common(const struct ep_rule *r, uint64_t sp, uint64_t last, uint64_t *ret_cfa,
	       uint64_t *bp)
{
	_Static_assert(EP_CFA_SP == 2 && EP_CFA_BP == 3 && EP_BP_SAME == 0 && EP_BP_CFA == 1,
		       "one bit each");
	if ((r->kind & ~0x11) != EP_CFA_SP)
		return false;
	uint64_t cfa = (ep_table_cfa(r) == EP_CFA_SP ? sp : *bp) + (uint64_t)(int64_t)r->cfa_off;
	uint64_t ra_at = cfa + (uint64_t)(int64_t)EP_REGS_RA_OFF;
	uint64_t saved = cfa + (uint64_t)(int64_t)r->bp_off;
	if (ra_at < sp || ra_at > last)
		return false;
	*ret_cfa = cfa;
	if (ep_table_bp(r) == EP_BP_SAME)
		return true;
	if (saved < sp || saved > last)
		return false;
	__builtin_memcpy(bp, (const void *)(uintptr_t)saved, 8);
	return true;
}

/*
 * As many frames as are the same as last time and of the common kinds, on a stack that is
 * known: what ep_walk_step() and ep_walk_look_up() would do, in a function of its own, so
 * that all it needs is in registers.  Where anything differs it stops, and they go on.
 *
 * With frame pointers all rules are one, and some twenty instructions a frame are left.
 */
EP_WALK_RARE uint32_t ep_walk_run(struct ep_walk_at *at, struct ep_memo_walk *memo,
				  uint64_t stack_hi, uint64_t *pcs, uint32_t room)
{
	static const struct ep_rule frame_pointer = {16, -16, EP_CFA_BP | EP_BP_CFA << 4, 0};
	const uint64_t by_bp = ep_walk_word(&frame_pointer), last = stack_hi - 8;
	const struct ep_memo_row *old = memo->old, *end = memo->old_end;
	struct ep_memo_row *new = memo->new;
	struct ep_rule rule = *at->rule;
	uint64_t *to = pcs, sp = at->r.sp, bp = at->r.bp;
	uint32_t n = (uint32_t)(memo->new_end - new) < room ? (uint32_t)(memo->new_end - new) : room;
	end = end - old < n ? end : old + n;
	for (; old < end; old++) {
		uint64_t cfa = bp + 16, caller_bp = bp, pc;
		if (ep_walk_word(&rule) == by_bp && bp >= sp && bp <= last - 8)
			__builtin_memcpy(&caller_bp, (const void *)(uintptr_t)bp, 8);
		else if (!ep_walk_common(&rule, sp, last, &cfa, &caller_bp))
			break;
		__builtin_memcpy(&pc, (const void *)(uintptr_t)(cfa + (uint64_t)(int64_t)EP_REGS_RA_OFF),
				 8);
		pc--;
		/* The difference is an address only where sp is the row's. */
		if (old->key - (cfa >> 3 << EP_MEMO_PC_BITS) != pc || pc >> EP_MEMO_PC_BITS)
			break;
		*to++ = pc;
		rule = old->rule;
		sp = cfa;
		bp = caller_bp;
		*new++ = *old;
	}
	if (to == pcs)
		return 0;
	/* Field by field: clearing a struct as a whole is an instruction that starts slowly. */
	at->r.ip = to[-1] + 1;
	at->r.sp = sp;
	at->r.bp = bp;
	at->pc = to[-1];
	at->rule = &old[-1].rule;
	at->exact = at->by_fp = false;
	memo->old = old;
	memo->new = new;
	return (uint32_t)(to - pcs);
}

/* ep_walk(), with the rules of the last walk at hand; memo may be NULL. */
static inline __attribute__((always_inline)) uint32_t
ep_walk_with(struct ep_memo_walk *memo, const struct ep_modules *ms,
	     const struct ep_regs *regs, const struct ep_stack *s, uint64_t *ret_pcs,
	     uint32_t max, enum ep_step *ret_why)
{
	struct ep_walk_at at;
	enum ep_step why;
	uint32_t n = 0;
	at.r = *regs;
	at.pc = regs->ip;
	at.m = NULL;
	at.rule = NULL;
	at.exact = true;
	at.by_fp = false;
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
		if (memo && at.rule && !s->read)
			n += ep_walk_run(&at, memo, s->hi, ret_pcs + n, max - n);
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
