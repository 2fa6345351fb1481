/* framebase_generic.c - see framebase.h: this CPU's code is not read yet. */
#include "inproc/framebase.h"

uint64_t ep_framebase_find(const struct ep_modules *ms, const struct ep_module *m, uint64_t pc,
			   uint64_t sp, const struct ep_stack *stack)
{
	(void)ms;
	(void)m;
	(void)pc;
	(void)sp;
	(void)stack;
	return 0;
}
