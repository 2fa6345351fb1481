/* blocked.c - see blocked.h. */
#include "inproc/blocked.h"

#include "inproc/sig/state.h"
#include "unwind/walk.h"

#include <string.h>

enum { WINDOW_BYTES = 2048 }; /* most stacks from here to their root, in one read */

struct window {
	uint64_t at, n;
	uint64_t words[WINDOW_BYTES / 8];
};

static bool read_window(void *arg, uint64_t addr, uint64_t *ret)
{
	struct window *w = arg;
	if (addr < w->at || addr - w->at + 8 > w->n) {
		w->at = addr;
		w->n = ep_tasks_read(addr, w->words, WINDOW_BYTES);
		if (w->n < 8)
			return false;
	}
	memcpy(ret, (const char *)w->words + (addr - w->at), 8);
	return true;
}

uint32_t ep_blocked_walk(const struct ep_modules *ms, const struct ep_tasks_at *at,
			 uint64_t *frames, bool *ret_whole)
{
	static struct window window; /* under the drain lock */
	/* With a frame pointer of 0 no rule that needs one finds anything. */
	struct ep_regs regs = {.ip = at->pc, .sp = at->sp, .bp = 0};
	enum ep_step why;
	window.n = 0; /* the stack has changed since */
	struct ep_stack stack = {
		.lo = at->sp & ~7ull, .hi = ~4095ull, .read = read_window, .arg = &window};
	uint32_t n = ep_walk(ms, &regs, &stack, frames, EP_SIG_MAX_FRAMES, &why);
	*ret_whole = why == EP_STEP_END;
	return n;
}
