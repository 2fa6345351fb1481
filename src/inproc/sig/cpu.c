/*
 * cpu.c - the SIGPROF handler: a stack into a ring, and out.
 *
 * A sample stands for 1 + si_overrun periods of the thread's CPU clock, so that
 * the weights of a thread add up to its CPU time whatever the kernel's tick is
 * (docs/decisions/0301-cpu-time-truth.md); beside a perf event for what hits.h says.
 */
#include "inproc/sig/cpu.h"

#include "inproc/sig/ahead.h"
#include "inproc/sig/ask.h"
#include "inproc/sig/hits.h"
#include "inproc/sig/hold.h"
#include "inproc/sig/rings.h"
#include "safe/raw.h"
#include "unwind/walk.h"

#include <stddef.h>
#include <ucontext.h>

enum { TAKE_BYTES = 1600 }; /* of the code of take(), without what is rare */

/* One piece of code: what lies elsewhere would be waited for. */
#define WITHIN static inline __attribute__((always_inline))

struct ep_sig_thread *_Atomic ep_sig_threads[EP_SIG_MAX_THREADS];
_Atomic(const struct ep_sig_map *) ep_sig_map;
_Atomic uint64_t ep_sig_n_foreign;
_Atomic uint32_t ep_sig_wake;
__thread const void *_Atomic ep_sig_labels;
/* The same under the name that readers outside look for (OTEP 4947).  Weak: a program that
 * has one of its own keeps it. */
extern __thread const void *_Atomic otel_thread_ctx_v1
	__attribute__((weak, alias("ep_sig_labels"), visibility("default")));
__thread uint64_t ep_sig_stack_lo, ep_sig_stack_hi;

/* One writer: a plain add is enough, made atomic for the reader's sake. */
WITHIN void count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter,
			      atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

/* Whose timer was it?  NULL when it was none of ours. */
static struct ep_sig_thread *find_thread(const siginfo_t *info)
{
	uint32_t v = (uint32_t)info->si_value.sival_int;
	uint32_t slot = v & ~(uint32_t)EP_SIG_VALUE_MASK;
	if (info->si_code != SI_TIMER || (v & EP_SIG_VALUE_MASK) != EP_SIG_VALUE_MARK ||
	    slot >= EP_SIG_MAX_THREADS)
		return NULL;
	struct ep_sig_thread *t =
		atomic_load_explicit(&ep_sig_threads[slot], memory_order_acquire);
	ep_ahead(t, offsetof(struct ep_sig_thread, memo.rows));
	if (!t || atomic_load_explicit(&t->timer, memory_order_relaxed) != info->si_timerid)
		return NULL;
	return t;
}

/* Bounds of what may be read from sp upwards. */
WITHIN bool choose_stack(struct ep_sig_thread *t, uint64_t sp, struct ep_stack *s)
{
	uint64_t lo = atomic_load_explicit(&t->stack_lo, memory_order_relaxed);
	uint64_t hi = atomic_load_explicit(&t->stack_hi, memory_order_relaxed);
	if (sp >= lo && sp < hi) {
		*s = (struct ep_stack){.lo = sp & ~7ull, .hi = hi};
		return true;
	}
	if (!hi) {
		atomic_store_explicit(&t->seen_control, (uint64_t)__builtin_thread_pointer(),
				      memory_order_relaxed);
		atomic_store_explicit(&t->seen_sp, sp, memory_order_relaxed);
		ep_hold_ask_for_look();
	}
	ep_guarded_forget(&t->guarded);
	*s = (struct ep_stack){
		.lo = sp & ~7ull, .hi = ~4095ull, .read = ep_guarded_read, .arg = &t->guarded};
	return false;
}

WITHIN void finish(struct ep_sig_thread *t, struct ep_rings_one *r, struct ep_raw_sample *s,
		   uint32_t weight)
{
	s->weight = weight;
	s->tid = atomic_load_explicit(&t->tid, memory_order_relaxed);
	s->labels = (uintptr_t)atomic_load_explicit(&ep_sig_labels, memory_order_relaxed);
	ep_rings_commit(r, (uint32_t)EP_RAW_HEAD_WORDS + s->n_frames);
	ep_hold_release(&t->hazard);
	count(&t->n_taken, weight);
}

/* Room for a sample of n frames in a ring, and the map of now; NULL: it is lost. */
WITHIN struct ep_raw_sample *begin(struct ep_sig_thread *t, uint32_t n,
				   struct ep_rings_one **ret_r,
				   const struct ep_sig_map **ret_map)
{
	struct ep_raw_sample *s = ep_rings_reserve(t->slot, EP_RAW_HEAD_WORDS + n, ret_r);
	if (!s)
		return NULL;
	*ret_map = ep_hold_map(&t->hazard);
	if (!*ret_map) {
		ep_rings_release(*ret_r);
		return NULL;
	}
	s->map = (*ret_map)->number;
	return s;
}

static __attribute__((noinline)) void take(struct ep_sig_thread *t, uint32_t weight,
					   const ucontext_t *uc)
{
	struct ep_regs regs = EP_REGS_OF_UCONTEXT(uc);
	ep_rings_ahead(t->slot);
	__builtin_prefetch(atomic_load_explicit(&ep_sig_map, memory_order_relaxed));
	ep_ahead_walk(&t->memo, regs.sp);
	const struct ep_sig_map *map;
	struct ep_rings_one *r;
	struct ep_raw_sample *s = begin(t, EP_SIG_MAX_FRAMES, &r, &map);
	if (!s) {
		count(&t->n_lost, weight);
		return;
	}
	struct ep_stack stack;
	enum ep_step why;
	struct ep_memo_walk memo = ep_memo_begin(&t->memo, map->number);
	s->flags = choose_stack(t, regs.sp, &stack) ? 0 : EP_RAW_FOREIGN_STACK;
	s->n_frames = ep_walk_with(&memo, map->modules, &regs, &stack, s->frames,
				   EP_SIG_MAX_FRAMES, &why);
	ep_memo_end(&memo, map->number);
	if (why != EP_STEP_END) {
		s->flags |= EP_RAW_TRUNCATED;
		count(&t->n_truncated, weight);
		if (!ep_modules_find(map->modules, s->frames[s->n_frames - 1]))
			ep_hold_ask_for_look();
	}
	finish(t, r, s, weight);
}

enum { N_ROOT_FRAMES = 2 }; /* libc's, below a start routine */

void ep_cpu_settle(struct ep_sig_thread *t, uint32_t weight)
{
	uint64_t frames[32];
	struct ep_regs regs;
	enum ep_step why;
	const struct ep_sig_map *map;
	struct ep_rings_one *r;
	struct ep_raw_sample *s = begin(t, 8, &r, &map);
	if (!s) {
		count(&t->n_lost, weight);
		return;
	}
	EP_REGS_HERE(&regs);
	struct ep_stack stack;
	(void)choose_stack(t, regs.sp, &stack);
	uint32_t n = ep_walk(map->modules, &regs, &stack, frames, 32, &why);
	s->flags = why == EP_STEP_END ? 0 : EP_RAW_TRUNCATED;
	s->frames[0] = t->start_routine;
	s->n_frames = 1;
	for (uint32_t i = n > N_ROOT_FRAMES ? n - N_ROOT_FRAMES : n; i < n; i++)
		s->frames[s->n_frames++] = frames[i];
	finish(t, r, s, weight);
}

static uint32_t weight_of(struct ep_sig_thread *t, const siginfo_t *info, const ucontext_t *uc)
{
	if (__builtin_expect(atomic_load_explicit(&t->hit_fd, memory_order_acquire) >= 0, 0))
		return ep_hits_of_timer(t, EP_REGS_OF_UCONTEXT(uc).ip);
	return 1 + (info->si_overrun > 0 ? (uint32_t)info->si_overrun : 0);
}

void ep_cpu_handler(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	ep_ahead((const void *)take, TAKE_BYTES);
	ep_ahead((const void *)ep_walk_run, EP_WALK_RUN_BYTES);
	/* errno needs no saving: nothing of libc is called, see tests/data/sigsafe.txt. */
	struct ep_sig_thread *t = find_thread(info);
	uint32_t weight = 0;
	if (t)
		weight = weight_of(t, info, context);
	else if ((t = ep_hits_thread(info)) != NULL)
		weight = ep_hits_of_event(t);
	else if (!ep_ask_answer(info, context))
		atomic_fetch_add_explicit(&ep_sig_n_foreign, 1, memory_order_relaxed);
	if (weight)
		take(t, weight, context);
}
