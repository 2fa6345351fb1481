/* blocked.c - see blocked.h. */
#include "inproc/blocked.h"

#include "inproc/framebase.h"
#include "inproc/sig/state.h"
#include "unwind/walk.h"

#include <string.h>

enum { WINDOW_BYTES = 4096 }; /* most stacks from here to their root, in one read */

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

static bool needs_bp(const struct ep_rule *rule)
{
	enum ep_cfa cfa = rule ? ep_table_cfa(rule) : EP_CFA_NONE;
	return cfa == EP_CFA_BP || cfa == EP_CFA_BP_DEREF || cfa == EP_CFA_NONE ||
	       ep_table_bp(rule) == EP_BP_BP;
}

/* The frame pointer is as unknown as it was, came from the stack, or is lost. */
static bool knows_bp(bool knew, const struct ep_rule *rule)
{
	enum ep_cfa cfa = rule ? ep_table_cfa(rule) : EP_CFA_NONE;
	if (cfa == EP_CFA_SIGNAL || cfa == EP_CFA_NONE)
		return true;
	return ep_table_bp(rule) == EP_BP_SAME ? knew : ep_table_bp(rule) != EP_BP_LOST;
}

uint32_t ep_blocked_walk(const struct ep_modules *ms, const struct ep_tasks_at *where,
			 uint64_t *word, uint64_t *frames, bool *ret_whole)
{
	static struct window window; /* under the drain lock */
	struct ep_walk_at at = {
		.r = {.ip = where->pc, .sp = where->sp}, .pc = where->pc, .exact = true};
	struct ep_stack stack = {
		.lo = where->sp & ~7ull, .hi = ~4095ull, .read = read_window, .arg = &window};
	enum ep_step why = EP_STEP_OK;
	bool knows = false;
	uint32_t n = 0;
	uint64_t word_at = *word;
	*word = 0;
	window.at = where->sp;
	window.n = word_at ? ep_tasks_read_with(word_at, word, where->sp, window.words,
						WINDOW_BYTES)
			   : 0; /* the stack has changed since */
	while (why == EP_STEP_OK && n < EP_SIG_MAX_FRAMES) {
		if (!ep_walk_find(&at, ms, NULL) && n)
			break;
		frames[n++] = at.pc;
		const struct ep_rule *rule = at.rule;
		if (!knows && needs_bp(rule) && at.m && at.m->table)
			at.r.bp = ep_framebase_find(ms, at.m, at.pc, at.r.sp, &stack);
		/* With a frame pointer of 0 no rule that needs one finds anything. */
		why = ep_walk_step(&at, &stack);
		knows = knows_bp(knows, rule);
		at.pc = at.r.ip - !at.exact;
	}
	*ret_whole = why == EP_STEP_END;
	return n;
}
