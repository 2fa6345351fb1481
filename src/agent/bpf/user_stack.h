/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * user_stack.h - the user stack by unwind tables: unwind/walk.h on the memory of the
 * interrupted process, in the form that the verifier takes.
 *
 * Every loop is a bpf_loop() (kernel 5.17): it is checked once, where plain nested
 * loops would be checked a million instructions long.  Indexes into `memory` are
 * masked, so that each load is inside by construction, whatever is written there.
 */
#ifndef EP_AGENT_BPF_USER_STACK_H
#define EP_AGENT_BPF_USER_STACK_H

#include "agent/bpf/kernel.h"
#include "agent/bpf/probe.h"
#include "unwind/fp.h"
#include "unwind/step.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

enum {
	AREA_STEPS = 15, /* 2^14 areas, EP_BPF_MAX_AREAS */
	ROW_STEPS = 17,	 /* 2^16 rows in a block */
};

/* Words of `memory` less one; a power of two less one.  Set before loading. */
const volatile unsigned memory_mask = 0;

/* Areas and tables (probe.h), written by the agent while we run.  It sets the size. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 4096);
} memory SEC(".maps");

/* Where the areas of an image are. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EP_BPF_MAX_CODE);
	__type(key, struct ep_bpf_who);
	__type(value, struct ep_bpf_code);
} code SEC(".maps");

struct walk {
	struct ep_regs r;
	__u64 exact, by_fp, why;
	__u64 areas, n_areas;		   /* the image's, in words */
	__u64 area_at, area_n, bias, table; /* where we are now; area_n 0: nowhere */
	__u64 lo, hi, key, rows;	   /* of a search */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk);
} walks SEC(".maps");

/* What the loops share; pointers, so it is on the stack and not in a map. */
struct walk_on {
	struct walk *w;
	__u32 *mem;
	struct ep_bpf_stack *st;
};

static __always_inline __u64 word(const __u32 *mem, __u64 i)
{
	i &= memory_mask;
	return mem[i];
}

static __always_inline __u64 two_words(const __u32 *mem, __u64 i)
{
	return word(mem, i) | word(mem, i + 1) << 32;
}

static bool read_user(void *arg, uint64_t at, uint64_t *ret)
{
	(void)arg;
	return bpf_probe_read_user(ret, sizeof(*ret), (void *)at) == 0;
}

static long search_area(__u32 i, struct walk_on *on)
{
	struct walk *w = on->w;
	__u64 lo = w->lo, hi = w->hi;
	(void)i;
	if (lo >= hi)
		return 1;
	__u64 mid = (lo + hi) / 2;
	if (two_words(on->mem, w->areas + mid * EP_BPF_AREA_WORDS) <= w->key)
		w->lo = mid + 1;
	else
		w->hi = mid;
	return 0;
}

/* Finds the area of an address; false: there is no code we know. */
static __always_inline bool enter_area(struct walk_on *on, __u64 pc)
{
	struct walk *w = on->w;
	if (pc - w->area_at < w->area_n)
		return true;
	w->lo = 0;
	w->hi = w->n_areas;
	w->key = pc;
	w->area_n = 0;
	bpf_loop(AREA_STEPS, search_area, on, 0);
	if (!w->lo)
		return false;
	__u64 at = w->areas + (w->lo - 1) * EP_BPF_AREA_WORDS;
	__u64 start = two_words(on->mem, at), limit = two_words(on->mem, at + 2);
	if (pc < start || pc >= limit)
		return false;
	w->area_at = start;
	w->area_n = limit - start;
	w->bias = two_words(on->mem, at + 4);
	w->table = word(on->mem, at + 6);
	return true;
}

static long search_row(__u32 i, struct walk_on *on)
{
	struct walk *w = on->w;
	__u64 lo = w->lo, hi = w->hi;
	(void)i;
	if (lo >= hi)
		return 1;
	__u64 mid = (lo + hi) / 2;
	if (word(on->mem, w->rows + mid) <= w->key)
		w->lo = mid + 1;
	else
		w->hi = mid;
	return 0;
}

/* Where a field of struct ep_table is, in words. */
#define FIELD(name) (offsetof(struct ep_table, name) / 4)

/* ep_table_find() on the table of the area we are in. */
static __always_inline struct ep_rule find_rule(struct walk_on *on, __u64 pc)
{
	struct ep_rule none = {.kind = EP_CFA_NONE};
	struct walk *w = on->w;
	const __u32 *mem = on->mem;
	__u64 t = w->table;
	if (!w->area_n || !t)
		return none;
	__u64 start = two_words(mem, t + FIELD(start));
	__u64 off = pc - w->bias - start;
	if (off >= two_words(mem, t + FIELD(limit)) - start)
		return none;
	__u64 shift = word(mem, t + FIELD(machine)) >> 16 & 31;
	__u64 blocks = t + sizeof(struct ep_table) / 4, block = blocks + (off >> shift);
	w->rows = blocks + word(mem, t + FIELD(n_blocks)) + 1;
	w->lo = word(mem, block);
	w->hi = word(mem, block + 1);
	w->key = (off << 16 & 0xffff0000) | 0xffff;
	bpf_loop(ROW_STEPS, search_row, on, 0);
	__u64 rule = w->rows + word(mem, t + FIELD(n_rows));
	rule += (word(mem, w->rows + w->lo - 1) & 0xffff) * 2;
	__u64 low = word(mem, rule), high = word(mem, rule + 1);
	return (struct ep_rule){
		.cfa_off = (int32_t)low,
		.bp_off = (int16_t)high,
		.kind = (uint8_t)(high >> 16),
		.arg = (int8_t)(high >> 24),
	};
}

/* ep_walk_step(). */
static __always_inline enum ep_step walk_step(struct walk_on *on, __u64 pc)
{
	struct walk *w = on->w;
	struct ep_rule rule = find_rule(on, pc);
	const struct ep_stack s = {.lo = 4096, .hi = EP_REGS_MAX_IP, .read = read_user};
	struct ep_regs r = w->r;
	bool exact = w->exact;
	enum ep_step why = ep_step_rule(&rule, &s, &r, &exact);
	bool by_fp = why == EP_STEP_NO_TABLE;
	if (by_fp) {
		exact = false;
		why = ep_fp_step(&s, &r);
		if ((why == EP_STEP_END && !w->by_fp) || why == EP_STEP_BAD_CFA ||
		    why == EP_STEP_OUTSIDE)
			return EP_STEP_NO_TABLE;
	}
	w->r = r;
	w->exact = exact;
	w->by_fp = by_fp;
	return why;
}

/* One frame: from the registers to the caller's, which are noted. */
static long walk_frame(__u32 i, struct walk_on *on)
{
	struct walk *w = on->w;
	__u64 pc = w->r.ip - !w->exact;
	(void)i;
	/* Code made since its areas were told may still keep a frame pointer, but
	 * only the leaf is sure to be code at all. */
	if (!enter_area(on, pc) && on->st->n > 1) {
		w->why = EP_STEP_NOT_CODE;
		return 1;
	}
	enum ep_step why = walk_step(on, pc);
	if (why == EP_STEP_OK && w->r.ip > EP_REGS_MAX_IP)
		why = EP_STEP_NOT_CODE;
	__u64 n = on->st->n;
	if (why == EP_STEP_OK && n >= EP_BPF_MAX_FRAMES)
		why = EP_STEP_FULL;
	if (why != EP_STEP_OK) {
		w->why = why;
		return 1;
	}
	asm volatile("" : "+r"(n)); /* the compiler forgets it was compared */
	if (n >= EP_BPF_MAX_FRAMES)
		return 1;
	/* A caller's is a return address; so is what a signal interrupted, then. */
	on->st->ip[n] = w->r.ip + w->exact;
	on->st->n = n + 1;
	return 0;
}

/*
 * walk_user - the user stack into st, leaf first.
 *
 * in       c        its areas; NULL: they are not known (yet)
 *          regs     of the user code that was interrupted
 * returns  why it ended; EP_STEP_OK: it did not begin
 */
static __always_inline enum ep_step walk_user(const struct ep_bpf_code *c,
					      const struct ep_regs *regs,
					      struct ep_bpf_stack *st)
{
	__u32 zero = 0;
	struct walk_on on = {
		.w = bpf_map_lookup_elem(&walks, &zero),
		.mem = bpf_map_lookup_elem(&memory, &zero),
		.st = st,
	};
	if (!c || !on.w || !on.mem)
		return EP_STEP_OK;
	struct walk *w = on.w;
	w->r = *regs;
	w->exact = 1;
	w->by_fp = 0;
	w->why = EP_STEP_FULL;
	w->areas = c->areas;
	w->n_areas = c->n_areas;
	w->area_n = 0;
	st->ip[0] = regs->ip;
	st->n = 1;
	bpf_loop(EP_BPF_MAX_FRAMES, walk_frame, &on, 0);
	return w->why;
}

#endif
