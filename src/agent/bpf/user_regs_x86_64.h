/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * user_regs_x86_64.h - the registers of interrupted user code, on x86-64.
 */
#ifndef EP_AGENT_BPF_USER_REGS_X86_64_H
#define EP_AGENT_BPF_USER_REGS_X86_64_H

#include "agent/bpf/kernel.h"
#include "unwind/regs.h"

#include <bpf/bpf_helpers.h>
#include <stdbool.h>

/* Of the kernel's ABI with BPF programs, which never changes. */
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx;
	unsigned long r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};

struct bpf_perf_event_data {
	struct pt_regs regs;
	__u64 sample_period, addr;
};

/* The code segment of 64-bit user code.  32-bit code has other frames. */
enum { USER_CS_64 = 0x33 };

/* False: there are none, or none we can walk from. */
static __always_inline bool user_regs(struct bpf_perf_event_data *ctx,
				      struct task_struct *task, struct ep_regs *ret)
{
	if (ctx->regs.cs == USER_CS_64) {
		*ret = (struct ep_regs){ctx->regs.ip, ctx->regs.sp, ctx->regs.bp};
		return true;
	}
	struct pt_regs saved;
	/* Entering the kernel, it put them at the end of its stack. */
	void *at = (void *)bpf_task_pt_regs(task);
	if (bpf_probe_read_kernel(&saved, sizeof(saved), at) < 0 ||
	    saved.cs != USER_CS_64)
		return false;
	*ret = (struct ep_regs){saved.ip, saved.sp, saved.bp};
	return true;
}

#endif
