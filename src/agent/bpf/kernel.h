/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * kernel.h - the few kernel structures the probe reads, reduced to the fields it
 * reads.  CO-RE finds the real offsets in the running kernel's BTF, so this
 * builds on machines that have none, and runs on kernels of any layout.
 */
#ifndef EP_AGENT_BPF_KERNEL_H
#define EP_AGENT_BPF_KERNEL_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

/* Of the user API, which never changes. */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_USER_STACK = 1 << 8,
	BPF_F_MMAPABLE = 1 << 10,
	BPF_RB_NO_WAKEUP = 1,
	PF_KTHREAD = 0x00200000,
	EEXIST = 17,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct mm_struct {
	unsigned long start_stack;
};

struct task_struct {
	unsigned int flags;
	int tgid;
	struct mm_struct *mm;
	struct task_struct *group_leader, *real_parent;
	struct pid *thread_pid;
	__u64 start_boottime;
	char comm[16];
};

/* Before 5.5 the start time had another name. */
struct task_struct___before_5_5 {
	__u64 real_start_time;
};

#pragma clang attribute pop

#endif
