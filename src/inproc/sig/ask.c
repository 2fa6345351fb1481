/* ask.c - see ask.h. */
#include "inproc/sig/ask.h"

#include "inproc/sig/hold.h"
#include "safe/sys.h"
#include "unwind/walk.h"

#include <ucontext.h>

enum phase { FREE, POSTED, BUSY, DONE };

static struct ep_ask *_Atomic asks;

void ep_ask_init(struct ep_ask *memory)
{
	atomic_store_explicit(&asks, memory, memory_order_release);
}

static uint32_t state_of(uint32_t serial, enum phase p)
{
	return (serial & 0xff) << 8 | p;
}

bool ep_ask_post(uint32_t i, uint32_t tid, int *ret_value)
{
	struct ep_ask *a = &asks[i];
	uint32_t was = atomic_load_explicit(&a->state, memory_order_acquire);
	uint32_t serial = ((was >> 8) + 1) & 0xff;
	if ((was & 0xff) == BUSY)
		return false;
	atomic_store_explicit(&a->tid, tid, memory_order_relaxed);
	a->n_frames = 0;
	atomic_store_explicit(&a->state, state_of(serial, POSTED), memory_order_release);
	*ret_value = (int)(EP_ASK_VALUE_MARK | serial << 8 | i);
	return true;
}

const struct ep_ask *ep_ask_answered(uint32_t i)
{
	uint32_t now = atomic_load_explicit(&asks[i].state, memory_order_acquire);
	return (now & 0xff) == DONE ? &asks[i] : NULL;
}

const struct ep_ask *ep_ask_withdraw(uint32_t i)
{
	struct ep_ask *a = &asks[i];
	uint32_t now = atomic_load_explicit(&a->state, memory_order_acquire);
	uint32_t posted = state_of(now >> 8, POSTED);
	(void)atomic_compare_exchange_strong_explicit(&a->state, &posted, state_of(now >> 8, FREE),
						      memory_order_acq_rel,
						      memory_order_acquire);
	return ep_ask_answered(i); /* the winner of the race may have been the handler */
}

/* This thread's own stack if its end is known, else any memory, guarded. */
static struct ep_stack stack_from(struct ep_ask *a, uint64_t sp)
{
	uint64_t hi = ep_sig_stack_hi;
	if (sp < hi && sp >= ep_sig_stack_lo)
		return (struct ep_stack){.lo = sp & ~7ull, .hi = hi};
	ep_guarded_forget(&a->guarded);
	return (struct ep_stack){.lo = sp & ~7ull,
				 .hi = ~4095ull,
				 .read = ep_guarded_read,
				 .arg = &a->guarded};
}

static void answer(struct ep_ask *a, const ucontext_t *uc)
{
	const struct ep_sig_map *map = ep_hold_map(&a->hazard);
	struct ep_regs regs = EP_REGS_OF_UCONTEXT(uc);
	enum ep_step why;
	a->labels = atomic_load_explicit(&ep_sig_labels, memory_order_relaxed);
	if (!map)
		return;
	struct ep_stack stack = stack_from(a, regs.sp);
	a->map = map->number;
	a->n_frames = ep_walk(map->modules, &regs, &stack, a->frames, EP_SIG_MAX_FRAMES, &why);
	a->truncated = why != EP_STEP_END;
	ep_hold_release(&a->hazard);
}

bool ep_ask_answer(const siginfo_t *info, const void *context)
{
	uint32_t v = (uint32_t)info->si_value.sival_int;
	struct ep_ask *all = atomic_load_explicit(&asks, memory_order_acquire);
	bool may = info->si_code == SI_TIMER || info->si_code == SI_QUEUE;
	if (!may || !all || (v & EP_SIG_VALUE_MASK) != EP_ASK_VALUE_MARK)
		return false;
	struct ep_ask *a = &all[v & 0xff];
	uint32_t serial = v >> 8 & 0xff, posted = state_of(serial, POSTED);
	if (atomic_load_explicit(&a->state, memory_order_acquire) != posted ||
	    atomic_load_explicit(&a->tid, memory_order_relaxed) !=
		    (uint32_t)ep_sys6(SYS_gettid, 0, 0, 0, 0, 0, 0) ||
	    !atomic_compare_exchange_strong_explicit(&a->state, &posted, state_of(serial, BUSY),
						     memory_order_acquire,
						     memory_order_relaxed))
		return true; /* withdrawn */
	answer(a, context);
	atomic_store_explicit(&a->state, state_of(serial, DONE), memory_order_release);
	return true;
}

bool ep_ask_holds(const struct ep_sig_map *map)
{
	struct ep_ask *all = atomic_load_explicit(&asks, memory_order_acquire);
	for (uint32_t i = 0; all && i < EP_ASKS; i++)
		if (atomic_load(&all[i].hazard) == map)
			return true;
	return false;
}

void ep_ask_child(void)
{
	for (uint32_t i = 0; asks && i < EP_ASKS; i++) {
		uint32_t was = atomic_load(&asks[i].state);
		atomic_store(&asks[i].state, state_of(was >> 8, FREE));
		atomic_store(&asks[i].hazard, NULL);
	}
}
