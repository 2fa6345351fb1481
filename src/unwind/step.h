/*
 * step.h - from one frame to its caller, by a rule of the table.
 *
 * The same inlined code runs in a signal handler and, given a reader, on the
 * memory of another process.  It takes no lock, allocates nothing, calls
 * nothing, and reads only inside the bounds of the stack it was given.
 */
#ifndef EP_UNWIND_STEP_H
#define EP_UNWIND_STEP_H

#include "unwind/regs.h"
#include "unwind/table.h"

#include <stdbool.h>

/* Why a walk ended; EP_STEP_OK while it goes on. */
enum ep_step {
	EP_STEP_OK,
	EP_STEP_END,	     /* the outermost frame: the stack is whole */
	EP_STEP_FULL,	     /* more frames than there was room for */
	EP_STEP_NO_TABLE,    /* code without rows, and no frame pointer to go by */
	EP_STEP_UNSUPPORTED, /* a row that needs more registers than we keep */
	EP_STEP_BAD_CFA,     /* the stack pointer did not grow, or is not aligned */
	EP_STEP_OUTSIDE,     /* a read outside the stack, or one that failed */
	EP_STEP_NOT_CODE,    /* the return address is no code we know */
	EP_STEP_N
};

/* The stack one may read: [lo, hi), whole 8-byte words. */
struct ep_stack {
	uint64_t lo, hi;
	/* NULL: plain loads.  Else reads 8 bytes at an address inside the bounds;
	 * false when that fails. */
	bool (*read)(void *arg, uint64_t addr, uint64_t *ret);
	void *arg;
};

static inline __attribute__((always_inline)) bool
ep_step_load(const struct ep_stack *s, uint64_t addr, uint64_t *ret)
{
	if (addr < s->lo || addr >= s->hi || s->hi - addr < 8)
		return false;
	if (s->read)
		return s->read(s->arg, addr, ret);
	/* Not a plain dereference: nothing promises that a hostile CFA is aligned. */
	__builtin_memcpy(ret, (const void *)(uintptr_t)addr, 8);
	return true;
}

static inline __attribute__((always_inline)) bool
ep_step_signal(const struct ep_rule *rule, const struct ep_stack *s, struct ep_regs *r)
{
	uint64_t at = r->sp + (uint64_t)(int64_t)rule->cfa_off;
	struct ep_regs next;
	if (!ep_step_load(s, at, &next.sp) ||
	    !ep_step_load(s, at + (uint64_t)(int64_t)EP_REGS_SIGNAL_IP_OFF, &next.ip) ||
	    !ep_step_load(s, at + (uint64_t)(int64_t)EP_REGS_SIGNAL_BP_OFF, &next.bp))
		return false;
	*r = next;
	return true;
}

/*
 * ep_step_rule - apply one rule.
 *
 * in       rule      of the frame's own address
 *          s         bounds and reader
 * inout    r         the frame's registers; the caller's on EP_STEP_OK, else untouched
 *          exact     set when the new ip is an interrupted instruction (a signal
 *                    frame) rather than a return address; cleared otherwise
 * returns  EP_STEP_OK, or why not.  EP_STEP_NO_TABLE: the rule knows nothing, try
 *          the frame pointer (unwind/fp.h)
 */
static inline __attribute__((always_inline)) enum ep_step
ep_step_rule(const struct ep_rule *rule, const struct ep_stack *s, struct ep_regs *r,
	     bool *exact)
{
	uint64_t off = (uint64_t)(int64_t)rule->cfa_off, cfa;
	switch (ep_table_cfa(rule)) {
	case EP_CFA_SP:
		cfa = r->sp + off;
		break;
	case EP_CFA_BP:
		cfa = r->bp + off;
		break;
	case EP_CFA_SP_DEREF:
	case EP_CFA_BP_DEREF:
		cfa = (ep_table_cfa(rule) == EP_CFA_SP_DEREF ? r->sp : r->bp) + off;
		if (!ep_step_load(s, cfa, &cfa))
			return EP_STEP_OUTSIDE;
		cfa += (uint64_t)((int64_t)rule->arg * 8);
		break;
	case EP_CFA_PLT:
		cfa = r->sp + off + ((int64_t)(r->ip & 15) >= rule->arg ? 8 : 0);
		break;
	case EP_CFA_SIGNAL:
		*exact = true;
		return ep_step_signal(rule, s, r) ? EP_STEP_OK : EP_STEP_OUTSIDE;
	case EP_CFA_END:
		return EP_STEP_END;
	case EP_CFA_NONE:
		return EP_STEP_NO_TABLE;
	default:
		return EP_STEP_UNSUPPORTED;
	}
	/* The return address was pushed, so the caller's sp lies above ours. */
	if (cfa <= r->sp)
		return EP_STEP_BAD_CFA;
	struct ep_regs next = {.sp = cfa, .bp = r->bp};
	if (!ep_step_load(s, cfa + (uint64_t)(int64_t)EP_REGS_RA_OFF, &next.ip))
		return EP_STEP_OUTSIDE;
	switch (ep_table_bp(rule)) {
	case EP_BP_SAME:
		break;
	case EP_BP_LOST:
		next.bp = 0;
		break;
	default:
		off = (ep_table_bp(rule) == EP_BP_CFA ? cfa : r->bp) +
		      (uint64_t)(int64_t)rule->bp_off;
		/* Compilers don't say when an epilogue has popped bp; but what lies
		 * below sp has been popped, and bp holds it already. */
		if (off >= r->sp && !ep_step_load(s, off, &next.bp))
			return EP_STEP_OUTSIDE;
	}
	*exact = false;
	*r = next;
	return next.ip ? EP_STEP_OK : EP_STEP_END;
}

#endif
