/*
 * fp.h - from one frame to its caller by the frame pointer.
 *
 * For code compiled with -fno-omit-frame-pointer, Go, and most JITs.  Signal-safe;
 * calls nothing.
 */
#ifndef EP_UNWIND_FP_H
#define EP_UNWIND_FP_H

#include "unwind/step.h"

/*
 * ep_fp_step - one frame up: bp points at (saved bp, return address).
 *
 * inout    r   the caller's registers on EP_STEP_OK, else untouched
 * returns  EP_STEP_OK; EP_STEP_END when bp or the return address is 0;
 *          EP_STEP_BAD_CFA when bp lies below sp or is not aligned;
 *          EP_STEP_OUTSIDE
 */
static inline __attribute__((always_inline)) enum ep_step
ep_fp_step(const struct ep_stack *s, struct ep_regs *r)
{
	if (!r->bp)
		return EP_STEP_END;
	if (r->bp < r->sp || r->bp % 8)
		return EP_STEP_BAD_CFA;
	struct ep_regs next = {.sp = r->bp + 16};
	if (!ep_step_load(s, r->bp, &next.bp) || !ep_step_load(s, r->bp + 8, &next.ip))
		return EP_STEP_OUTSIDE;
	*r = next;
	return next.ip ? EP_STEP_OK : EP_STEP_END;
}

/*
 * ep_fp_walk - a whole stack by frame pointers alone.
 *
 * in       r          of the interrupted frame
 *          max        room in ret_pcs, at least 1
 * out      ret_pcs    leaf first: the exact ip, then return addresses - 1
 *          ret_why    why it ended
 * returns  the number of frames, at least 1
 */
static inline uint32_t ep_fp_walk(const struct ep_stack *s, const struct ep_regs *regs,
				  uint64_t *ret_pcs, uint32_t max,
				  enum ep_step *ret_why)
{
	struct ep_regs r = *regs;
	uint32_t n = 0;
	ret_pcs[n++] = r.ip;
	for (;;) {
		*ret_why = ep_fp_step(s, &r);
		if (*ret_why != EP_STEP_OK)
			return n;
		if (r.ip > EP_REGS_MAX_IP) {
			*ret_why = EP_STEP_NOT_CODE;
			return n;
		}
		if (n == max) {
			*ret_why = EP_STEP_FULL;
			return n;
		}
		ret_pcs[n++] = r.ip - 1;
	}
}

#endif
