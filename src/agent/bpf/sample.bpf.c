/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sample.bpf.c - the probe: on each tick of a CPU's clock, count who runs and
 * where.
 *
 * It runs in the timer interrupt of every CPU, so per CPU one at a time.  It
 * sums in the kernel: a map of stacks by their hash, and a map of counts by
 * thread and stacks.  There are two of each; the agent flips `active`, waits
 * until no probe still holds the old pair, and empties that.
 */
#include "agent/bpf/kernel.h"
#include "agent/bpf/probe.h"
#include "agent/bpf/user_regs_x86_64.h"
#include "agent/bpf/user_stack.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* The agent sets these before loading. */
const volatile unsigned int own_pid_ns = 0; /* 0: the first namespace, take global ids */

/* Flipped by the agent: which pair of maps is written. */
volatile unsigned int active = 0;

/* The agent sets the real sizes before loading. */
#define COUNTS(name)                                                                   \
	struct {                                                                       \
		__uint(type, BPF_MAP_TYPE_HASH);                                       \
		__uint(max_entries, 4096);                                             \
		__type(key, struct ep_bpf_key);                                        \
		__type(value, __u64);                                                  \
	} name SEC(".maps")
#define STACKS(name)                                                                   \
	struct {                                                                       \
		__uint(type, BPF_MAP_TYPE_HASH);                                       \
		__uint(max_entries, 4096);                                             \
		__type(key, __u64);                                                    \
		__type(value, struct ep_bpf_stack);                                    \
	} name SEC(".maps")

COUNTS(counts_0);
COUNTS(counts_1);
STACKS(stacks_0);
STACKS(stacks_1);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ep_bpf_stats);
} stats SEC(".maps");

/* A stack is too large for the BPF stack of 512 bytes. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ep_bpf_stack);
} scratch SEC(".maps");

/* Images already told of, with the stacks copied of each.  Forgetting one costs a
 * second message. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct ep_bpf_who);
	__type(value, __u8);
} told SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} news SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} firsts SEC(".maps");

/*
 * The number of a pid in our namespace; 0: it is not visible there.  Asks the
 * kernel's own structure rather than bpf_get_ns_current_pid_tgid(), which only
 * knows tasks whose *innermost* namespace is ours, and so would lose every
 * container below it.
 */
static __always_inline __u32 visible_nr(struct pid *pid)
{
	unsigned int level = BPF_CORE_READ(pid, level);
	char *numbers = (char *)pid + bpf_core_field_offset(struct pid, numbers);
	__u32 size = bpf_core_type_size(struct upid);
	for (unsigned int i = 0; i < 32; i++) { /* MAX_PID_NS_LEVEL */
		if (i > level)
			break;
		struct upid *u = (struct upid *)(numbers + (__u64)(level - i) * size);
		if (BPF_CORE_READ(u, ns, ns.inum) == own_pid_ns)
			return BPF_CORE_READ(u, nr);
	}
	return 0;
}

static __always_inline __u64 start_of(struct task_struct *leader)
{
	struct task_struct___before_5_5 *old = (void *)leader;
	if (bpf_core_field_exists(leader->start_boottime))
		return BPF_CORE_READ(leader, start_boottime);
	if (bpf_core_field_exists(old->real_start_time))
		return BPF_CORE_READ(old, real_start_time);
	return 0;
}

static __always_inline void fill_ids(struct ep_bpf_key *k, struct task_struct *task,
				     struct task_struct *leader)
{
	if (own_pid_ns) {
		k->tid = visible_nr(BPF_CORE_READ(task, thread_pid));
		k->who.pid = k->tid ? visible_nr(BPF_CORE_READ(leader, thread_pid)) : 0;
	} else {
		__u64 id = bpf_get_current_pid_tgid();
		k->tid = (__u32)id;
		k->who.pid = id >> 32;
	}
}

/* Everything outside our namespace is one process without stacks of its own. */
static __always_inline void fill_key(struct ep_bpf_key *k)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	fill_ids(k, task, leader);
	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		k->flags |= EP_BPF_KTHREAD;
	if (!k->who.pid) {
		k->flags |= EP_BPF_OUTSIDE;
		return;
	}
	k->who.start_ns = start_of(leader);
	/* Of this thread: a first thread that has ended has no memory. */
	__u64 stack = BPF_CORE_READ(task, mm, start_stack);
	k->who.image = EP_BPF_IMAGE(stack);
	bpf_get_current_comm(k->comm, sizeof(k->comm));
	bpf_core_read_str(k->process_comm, sizeof(k->process_comm), &leader->comm);
}

static __always_inline void tell(const struct ep_bpf_key *k, struct ep_bpf_stats *s)
{
	__u8 none = 0;
	if ((k->flags & (EP_BPF_KTHREAD | EP_BPF_OUTSIDE)) || !k->who.image)
		return;
	if (bpf_map_lookup_elem(&told, &k->who))
		return;
	struct ep_bpf_news *n = bpf_ringbuf_reserve(&news, sizeof(*n), 0);
	if (!n) {
		s->lost_news++;
		return; /* not marked: the next sample tries again */
	}
	n->who = k->who;
	n->tid = k->tid;
	n->flags = k->flags;
	__builtin_memcpy(n->comm, k->comm, sizeof(n->comm));
	bpf_ringbuf_submit(n, 0);
	bpf_map_update_elem(&told, &k->who, &none, BPF_ANY);
}

/* The identity of a stack; never 0. */
static __always_inline __u64 hash_frames(const struct ep_bpf_stack *st)
{
	__u64 h = 0x9e3779b97f4a7c15ull;
	for (unsigned int i = 0; i < EP_BPF_MAX_FRAMES; i++) {
		if (i >= st->n)
			break;
		h = (h ^ st->ip[i]) * 0xff51afd7ed558ccdull;
		h ^= h >> 29;
	}
	return h ? h : 1;
}

/* The stack of one side by frame pointers; false: there is none. */
static __always_inline bool get_stack(void *ctx, __u64 side, struct ep_bpf_stack *st)
{
	long n = bpf_get_stack(ctx, st->ip, sizeof(st->ip), side);
	if (n <= 0)
		return false;
	st->n = (__u64)n / sizeof(st->ip[0]);
	return true;
}

/* Takes a stack into the map.  Its key; 0: there is no room. */
static __always_inline __u64 take_stack(void *stacks, struct ep_bpf_stack *st,
					struct ep_bpf_stats *s)
{
	__u64 id = hash_frames(st);
	if (bpf_map_lookup_elem(stacks, &id))
		return id;
	long rc = bpf_map_update_elem(stacks, &id, st, BPF_NOEXIST);
	if (rc == 0 || rc == -EEXIST)
		return id;
	s->lost_stacks++;
	return 0;
}

static __always_inline void count(void *counts, struct ep_bpf_key *k, struct ep_bpf_stats *s)
{
	__u64 one = 1;
	__u64 *n = bpf_map_lookup_elem(counts, k);
	if (!n && bpf_map_update_elem(counts, k, &one, BPF_NOEXIST) == 0) {
		s->taken++;
		return;
	}
	if (!n)
		n = bpf_map_lookup_elem(counts, k); /* another CPU was faster */
	if (!n) {
		s->lost++;
		return;
	}
	__sync_fetch_and_add(n, 1);
	s->taken++;
}

/*
 * The areas to walk by.  A child that has not execed has its parent's: so the many
 * that live for a moment (subshells) need not be read one by one.
 */
static __always_inline const struct ep_bpf_code *find_code(struct ep_bpf_key *k)
{
	const struct ep_bpf_code *c = bpf_map_lookup_elem(&code, &k->who);
	struct task_struct *task = (void *)bpf_get_current_task();
	struct ep_bpf_who from = {.image = k->who.image};
	for (int i = 0; !c && i < 3; i++) {
		task = BPF_CORE_READ(task, real_parent, group_leader);
		__u64 stack = BPF_CORE_READ(task, mm, start_stack);
		if (!stack || EP_BPF_IMAGE(stack) != from.image)
			return NULL;
		from.pid = own_pid_ns ? visible_nr(BPF_CORE_READ(task, thread_pid))
				      : BPF_CORE_READ(task, tgid);
		from.start_ns = start_of(task);
		c = bpf_map_lookup_elem(&code, &from);
		k->from_pid = c ? from.pid : 0;
		k->from_start_ns = c ? from.start_ns : 0;
	}
	return c;
}

static __always_inline void copy_stack(struct ep_bpf_first *f)
{
	__u64 page = f->sp & ~(__u64)(EP_BPF_PAGE - 1);
	f->n_pages = 0;
	for (int i = 0; i < EP_BPF_COPY_PAGES; i++) {
		void *from = (void *)(page + (__u64)i * EP_BPF_PAGE);
		if (bpf_probe_read_user(f->pages + i * EP_BPF_PAGE, EP_BPF_PAGE, from) < 0)
			return;
		f->n_pages = i + 1;
	}
}

/* Sends the sample with a copy of its stack; false: by frame pointer, then. */
static __always_inline bool send_first(struct bpf_perf_event_data *ctx,
				       const struct ep_bpf_key *k,
				       const struct ep_regs *regs)
{
	__u8 *n = k->who.image ? bpf_map_lookup_elem(&told, &k->who) : NULL;
	if (!n || *n >= EP_BPF_MAX_FIRSTS)
		return false;
	struct ep_bpf_first *f = bpf_ringbuf_reserve(&firsts, sizeof(*f), 0);
	if (!f)
		return false;
	(*n)++;
	f->key = *k;
	f->ip = regs->ip;
	f->sp = regs->sp;
	f->bp = regs->bp;
	if (!get_stack(ctx, 0, &f->kernel))
		f->kernel.n = 0;
	copy_stack(f);
	/* The news has woken the agent; the rest may wait until it looks. */
	bpf_ringbuf_submit(f, BPF_RB_NO_WAKEUP);
	return true;
}

/* False: the sample is on its way already. */
static __always_inline bool take_user(struct bpf_perf_event_data *ctx, void *stacks,
				      struct ep_bpf_key *k, struct ep_bpf_stack *st,
				      struct ep_bpf_stats *s, bool by_tables)
{
	struct ep_regs regs;
	enum ep_step why = EP_STEP_OK;
	if (by_tables && user_regs(ctx, bpf_get_current_task_btf(), &regs)) {
		const struct ep_bpf_code *c = find_code(k);
		if (!c && send_first(ctx, k, &regs))
			return false;
		why = walk_user(c, &regs, st);
	}
	if (why == EP_STEP_OK && !get_stack(ctx, BPF_F_USER_STACK, st)) {
		k->flags |= EP_BPF_NO_USER;
		return true;
	}
	if (why != EP_STEP_OK)
		k->flags |= EP_BPF_BY_TABLE | why << EP_BPF_WHY_SHIFT;
	else if (st->n == EP_BPF_MAX_FRAMES)
		k->flags |= EP_BPF_FULL_USER;
	if (why < EP_BPF_N_ENDS)
		s->ended[why]++;
	k->user_stack = take_stack(stacks, st, s);
	return true;
}

static __always_inline void sample(struct bpf_perf_event_data *ctx, void *counts,
				   void *stacks, struct ep_bpf_stats *s, bool by_tables)
{
	__u32 zero = 0;
	struct ep_bpf_key k = {};
	struct ep_bpf_stack *st = bpf_map_lookup_elem(&scratch, &zero);
	if (!st)
		return;
	fill_key(&k);
	if (!(k.flags & EP_BPF_OUTSIDE)) {
		tell(&k, s);
		if (!(k.flags & EP_BPF_KTHREAD) &&
		    !take_user(ctx, stacks, &k, st, s, by_tables)) {
			s->firsts++;
			return;
		}
		if (get_stack(ctx, 0, st))
			k.kernel_stack = take_stack(stacks, st, s);
	}
	count(counts, &k, s);
}

static __always_inline int tick(struct bpf_perf_event_data *ctx, bool by_tables)
{
	__u32 zero = 0;
	struct ep_bpf_stats *s = bpf_map_lookup_elem(&stats, &zero);
	if (!s)
		return 0;
	s->ticks++;
	if ((__u32)bpf_get_current_pid_tgid() == 0) {
		s->idle++;
		return 0;
	}
	if (active)
		sample(ctx, &counts_1, &stacks_1, s, by_tables);
	else
		sample(ctx, &counts_0, &stacks_0, s, by_tables);
	return 0;
}

/* Two forms, of which one is loaded: kernels before 5.17 do not take the first. */
SEC("perf_event")
int by_tables(struct bpf_perf_event_data *ctx)
{
	return tick(ctx, true);
}

SEC("perf_event")
int by_frame_pointers(struct bpf_perf_event_data *ctx)
{
	return tick(ctx, false);
}

char ep_license[] SEC("license") = "Dual BSD/GPL";
