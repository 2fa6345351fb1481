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
#include "unwind/modules.h"
#include "unwind/step.h"

/* One frame up from r, whose code is `m` (NULL: unknown code). */
static inline __attribute__((always_inline)) enum ep_step
ep_walk_step(const struct ep_module *m, const struct ep_stack *s, struct ep_regs *r,
	     bool *exact, bool *by_fp)
{
	const struct ep_rule *rule = NULL;
	if (m && m->table)
		rule = ep_table_find(m->table, r->ip - !*exact - m->bias);
	enum ep_step why = rule ? ep_step_rule(rule, s, r, exact) : EP_STEP_NO_TABLE;
	if (why != EP_STEP_NO_TABLE) {
		*by_fp = false;
		return why;
	}
	why = ep_fp_step(s, r);
	/* A zero bp marks the outermost frame only where frame pointers were in use
	 * already; elsewhere it is any number. */
	if (why == EP_STEP_END && !*by_fp)
		return EP_STEP_NO_TABLE;
	if (why == EP_STEP_BAD_CFA || why == EP_STEP_OUTSIDE)
		return EP_STEP_NO_TABLE;
	*by_fp = true;
	*exact = false;
	return why;
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
	struct ep_regs r = *regs;
	bool exact = true, by_fp = false;
	const struct ep_module *m = ep_modules_find(ms, r.ip);
	enum ep_step why = EP_STEP_OK;
	uint32_t n = 0;
	ret_pcs[n++] = r.ip;
	for (;;) {
		why = ep_walk_step(m, s, &r, &exact, &by_fp);
		if (why != EP_STEP_OK)
			break;
		uint64_t pc = r.ip - !exact;
		if (!m || pc < m->start || pc >= m->limit)
			m = ep_modules_find(ms, pc);
		if (!m) {
			why = EP_STEP_NOT_CODE;
			break;
		}
		if (n == max) {
			why = EP_STEP_FULL;
			break;
		}
		ret_pcs[n++] = pc;
	}
	*ret_why = why;
	return n;
}

#endif
