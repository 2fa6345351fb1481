/* desk.c - see desk.h. */
#include "inproc/sig/desk.h"

#include "inproc/sig/ahead.h"
#include "inproc/sig/hold.h"
#include "unwind/walk.h"

enum {
	OWN_FRAMES = 8,	   /* at most, between the walk and the program */
	WALK_BYTES = 1280, /* of the code of ep_desk_walk() */
};

static struct ep_desk desks[EP_DESKS];
static _Atomic uint64_t n_refused;

struct ep_desk *ep_desk_take(void)
{
	/* Threads' control blocks lie apart by their stacks, mostly 8 MB. */
	uint64_t self = (uint64_t)__builtin_thread_pointer();
	uint32_t at = (uint32_t)((self * 0x9e3779b97f4a7c15ull) >> 58);
	for (uint32_t i = 0; i < EP_DESKS; i++) {
		struct ep_desk *d = &desks[(at + i) % EP_DESKS];
		uint32_t idle = 0;
		if (!atomic_load_explicit(&d->busy, memory_order_relaxed) &&
		    atomic_compare_exchange_strong_explicit(&d->busy, &idle, 1,
							    memory_order_acquire,
							    memory_order_relaxed))
			return d;
	}
	atomic_fetch_add_explicit(&n_refused, 1, memory_order_relaxed);
	return NULL;
}

void ep_desk_give(struct ep_desk *d)
{
	ep_hold_release(&d->hazard);
	atomic_store_explicit(&d->busy, 0, memory_order_release);
}

/* This thread's own stack if its end is known, else any memory, guarded. */
static struct ep_stack stack_from(struct ep_desk *d, uint64_t sp)
{
	uint64_t hi = ep_sig_stack_hi;
	if (sp < hi && sp >= ep_sig_stack_lo)
		return (struct ep_stack){.lo = sp & ~7ull, .hi = hi};
	ep_guarded_forget(&d->guarded);
	return (struct ep_stack){.lo = sp & ~7ull,
				 .hi = ~4095ull,
				 .read = ep_guarded_read,
				 .arg = &d->guarded};
}

/* A walk that ended in code of no known file: a library was opened, most likely.  Once a
 * map, as there may be a thousand samples a second of code that has no file. */
static void ask_for_look(const struct ep_desk *d, const struct ep_sig_map *map)
{
	static _Atomic uint64_t asked;
	if (!d->n_frames || ep_modules_find(map->modules, d->frames[d->n_frames - 1]) ||
	    atomic_exchange_explicit(&asked, map->number + 1, memory_order_relaxed) ==
		    map->number + 1)
		return;
	ep_hold_ask_for_look();
}

/* How many frames are our own; the caller itself is there even when the walk did not reach
 * it. */
static uint32_t count_own(struct ep_desk *d, uint64_t caller)
{
	uint32_t n = d->n_frames < OWN_FRAMES ? d->n_frames : OWN_FRAMES, own = 0;
	while (own < n && d->frames[own] != caller)
		own++;
	if (own < n)
		return own;
	d->frames[0] = caller;
	d->n_frames = 1;
	d->truncated = true;
	return 0;
}

/* Our own frames go, the others get their ids: mostly they come in runs of one module. */
static void finish(struct ep_desk *d, uint32_t own, const struct ep_modules *ms)
{
	const uint64_t address = (1ull << EP_DESK_ID_SHIFT) - 1;
	const uint64_t *from = d->frames + own, *end = d->frames + d->n_frames;
	uint64_t *to = d->frames;
	while (from < end) {
		const struct ep_module *m = ep_modules_find(ms, *from);
		uint64_t id = m && m->id < EP_DESK_NO_ID ? m->id : EP_DESK_NO_ID;
		uint64_t start = m ? m->start : *from, n_bytes = m ? m->limit - start : 1;
		id <<= EP_DESK_ID_SHIFT;
		do
			*to++ = (*from++ & address) | id;
		while (from < end && *from - start < n_bytes);
	}
	d->n_frames -= own;
}

__attribute__((noinline)) bool ep_desk_walk(struct ep_desk *d, const void *return_address)
{
	const struct ep_sig_map *map = ep_hold_map(&d->hazard);
	struct ep_regs regs;
	enum ep_step why;
	if (!map)
		return false;
	EP_REGS_HERE(&regs);
	struct ep_stack stack = stack_from(d, regs.sp);
	struct ep_memo_walk memo = ep_memo_begin(&d->memo, map->number);
	d->n_frames = ep_walk_with(&memo, map->modules, &regs, &stack, d->frames,
				   EP_SIG_MAX_FRAMES, &why);
	ep_memo_end(&memo, map->number);
	d->truncated = why != EP_STEP_END;
	uint32_t own = count_own(d, (uint64_t)(uintptr_t)return_address - 1);
	if (d->truncated)
		ask_for_look(d, map);
	finish(d, own, map->modules);
	return true;
}

void ep_desk_ahead(const struct ep_desk *d)
{
	ep_ahead((const void *)ep_desk_walk, WALK_BYTES);
	ep_ahead((const void *)ep_walk_run, EP_WALK_RUN_BYTES);
	ep_ahead(&d->memo, offsetof(struct ep_memo, rows));
	ep_ahead_walk(&d->memo, (uint64_t)__builtin_frame_address(0));
}

bool ep_desk_holds(const struct ep_sig_map *map)
{
	for (uint32_t i = 0; i < EP_DESKS; i++)
		if (atomic_load(&desks[i].hazard) == map)
			return true;
	return false;
}

uint64_t ep_desk_n_refused(void)
{
	return atomic_load_explicit(&n_refused, memory_order_relaxed);
}

void ep_desk_child(void)
{
	for (uint32_t i = 0; i < EP_DESKS; i++)
		ep_desk_give(&desks[i]);
}
